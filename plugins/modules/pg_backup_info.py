#!/usr/bin/python
# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell which backups a cluster has and how healthy they are."""
from __future__ import annotations

DOCUMENTATION = r"""
module: pg_backup_info
short_description: Tell which backups a cluster has and how healthy they are
version_added: 0.1.0
author:
  - restorable contributors (@restorable)
description:
  - Lists what every repository of a cluster holds, with states, sizes, ages and the last drill, and judges the whole
    as V(green), V(yellow) or V(red) with reasons.
  - Never asks the server, and never changes anything.
extends_documentation_fragment:
  - restorable.postgres.attributes
  - restorable.postgres.connection
  - restorable.postgres.encryption
  - restorable.postgres.repository
  - restorable.postgres.source
attributes:
  diff_mode:
    support: N/A
  idempotent:
    support: full
options:
  backup:
    description:
      - Tell more of one backup, V(latest), an id or the beginning of one. Its objects, drills and the stock commands
        that
        restore it without this collection are in RV(backup).
    type: str
  objectives:
    description: Promises that the ages are judged by.
    type: dict
    suboptions:
      rpo:
        description: How old the newest backup may be, a duration. Without it 26 hours.
        type: str
      rto:
        description: How long a restore may take, a duration.
        type: str
seealso:
  - module: restorable.postgres.pg_drill
"""

EXAMPLES = r"""
- name: What is there?
  restorable.postgres.pg_backup_info:
    cluster: shop
    repositories:
      local: {type: local, path: /var/backups/restorable}
  register: backups

- name: How is the newest one restored by hand?
  restorable.postgres.pg_backup_info:
    cluster: shop
    repositories:
      local: {type: local, path: /var/backups/restorable}
    backup: latest
"""

RETURN = r"""
colour:
  description: V(green), all is well. V(yellow), backed up but not proven lately. V(red), data is at risk now.
  returned: success
  type: str
  sample: green
reasons:
  description: Why it is not green.
  returned: success
  type: list
  elements: str
  sample: []
last_drill:
  description: When the last drill began, or none.
  returned: success
  type: str
  sample: "2026-11-20T04:00:00+00:00"
last_evidence:
  description: Where the evidence of the last drill lies, as repository and key, or empty.
  returned: success
  type: str
  sample: local:shop/drill/20261120T040000Z.20261120T030000Z-dump.passed.json
now:
  description: The time on the target.
  returned: success
  type: str
  sample: "2026-11-20T12:00:00+00:00"
repositories:
  description: What every repository holds.
  returned: success
  type: list
  elements: dict
  contains:
    repository:
      description: Name of the repository.
      type: str
      sample: local
    error:
      description: Why it could not be read; empty if it could.
      type: str
      sample: ""
    free:
      description: Free bytes, or none where no such limit is known.
      type: int
      sample: 41298452480
    size:
      description: Bytes of all backups.
      type: int
      sample: 18501120
    count:
      description: How many committed backups there are.
      type: int
      sample: 1
    orphans:
      description: How many unfinished ones there are.
      type: int
      sample: 0
    newest:
      description: The newest committed backup, or none.
      type: dict
      sample: {backup: 20261120T030000Z-dump, state: proven}
    newest_proven:
      description: The newest backup with a passed drill, or none.
      type: dict
      sample: {backup: 20261120T030000Z-dump, state: proven}
    recovery:
      description: What can be recovered to from base backups, as rows and as a drawn line of time, or none.
      type: dict
      sample:
        line: "2026-11-20 02:00  B─────i─────  2026-11-26 14:58 UTC"
        windows:
          - backup: 20261120T020000Z-base
            from_time: "2026-11-20T02:00:03+00:00"
            to_time: "2026-11-26T14:58:00+00:00"
    strangers:
      description: Folders beside the backups that are none.
      type: list
      elements: str
      sample: []
    backups:
      description:
        - Every backup, newest first. Its C(state) is V(orphan), V(failed), V(damaged), V(partial), V(proven),
          V(adopted) or V(committed); C(missing) names the databases that a partial one lacks; C(held) says
          whether retention must leave it alone.
      type: list
      elements: dict
      sample:
        - backup: 20261120T030000Z-dump
          time: "2026-11-20T03:00:00+00:00"
          kind: dump
          label: ""
          state: proven
          size: 1850112
          age: 32400.0
          held: false
          missing: []
          proven: true
          drilled: "2026-11-20T04:00:00+00:00"
          verdict: passed
backup:
  description: More of the one backup that O(backup) names.
  returned: when O(backup) is given
  type: dict
  sample:
    backup: 20261120T030000Z-dump
    restore: ["zstd -dc app.dump.zst | pg_restore --create --exit-on-error --dbname=postgres"]
summary:
  description: The most important of it as short texts.
  returned: success
  type: dict
  sample: {newest: 20261120T030000Z-dump, age: 9h00m, backups: "14", size: 19 MB, drilled: "2026-11-20", why: ""}
code:
  description: The stable code of an error.
  returned: failure
  type: str
  sample: backup.unknown
hint:
  description: What to do about an error.
  returned: failure
  type: str
  sample: "Run `restorable list`; the newest are: 20261120T030000Z-dump."
"""

from ansible_collections.restorable.postgres.plugins.module_utils._module import Call, Plain, run
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.app.report import (
    list_report,
    show_report,
    status_report,
)
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.model.text import (
    human_bytes,
    human_duration,
)
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.ops.status import show, status

TEXT = {"type": "str"}


def tell(call: Call) -> Plain:
    """Judge the cluster, list every repository, and tell more of one backup if it is named."""
    # without settings the job is not known, and a set of chosen databases is as good as one of all
    found = status(call.world, call.cluster, any_selection=not call.params["settings"])
    now = call.world.clock.now()
    lists = list_report(found.repositories, now)["repositories"]
    report = status_report(found)
    report["repositories"] = [{**listed, **judged} for listed, judged in zip(lists, report["repositories"])]
    if call.params["backup"]:
        report["backup"] = show_report(*show(call.world, call.params["backup"]), now)
    return {"changed": False, **report, "summary": _summary(report)}


def _summary(report: Plain) -> Plain:
    rows = report["repositories"]
    newest = max((each["newest"] for each in rows if each["newest"]), key=lambda each: each["backup"], default=None)
    return {"newest": newest["backup"] if newest else "none", "age": human_duration(newest["age"]) if newest else "-",
            "backups": " + ".join(str(each["count"]) for each in rows),
            "size": human_bytes(sum(each["size"] for each in rows)),
            "drilled": (report["last_drill"] or "never")[:10], "why": "; ".join(report["reasons"])}


def main() -> None:
    """Run the module."""
    run(tell, {"backup": TEXT, "repository": TEXT,
               "objectives": {"type": "dict", "options": {"rpo": TEXT, "rto": TEXT}}})


if __name__ == "__main__":
    main()
