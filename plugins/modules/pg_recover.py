#!/usr/bin/python
# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a data directory of a base backup and archived WAL, at any moment since."""
from __future__ import annotations

DOCUMENTATION = r"""
module: pg_recover
short_description: Make a data directory of a base backup and archived WAL, at any moment since
version_added: 0.1.0
author:
  - restorable contributors (@restorable)
description:
  - Restores a base backup, with the full one and the incrementals that it stands on, into O(data_directory), replays
    WAL in a private server without TCP until the target is reached, proves by the server's own words and place that it
    was, and shuts the server down. Start it then as usual.
  - What cannot be reached is refused before anything is written, with the nearest moments that can. A target is never
    bent, and a trouble with a repository is never taken for the end of the WAL.
  - On any failure the directory is as it was before.
  - The copy is left with C(archive_mode) off, so that it never writes into the archive of the server it was copied
    from. When it takes the server's place, switch that on, and archive the history file of the new timeline with
    C(restorable wal-push) before the next base backup. Without it no older base backup leads to that timeline.
  - Check mode returns the plan.
extends_documentation_fragment:
  - restorable.postgres.attributes
  - restorable.postgres.attributes.progress
  - restorable.postgres.connection
  - restorable.postgres.encryption
  - restorable.postgres.repository
attributes:
  diff_mode:
    support: none
  idempotent:
    support: none
    details:
      - A second run finds what the first one recovered in the way, and is refused.
options:
  data_directory:
    description: The directory to make. It must be empty or not there; its parent must exist.
    type: path
    required: true
  backup:
    description: The base backup to begin with, an id or the beginning of one. The default is the best for the target.
    type: str
    default: ""
  time:
    description:
      - Recover to this moment. It must say its zone, as V(2026-11-20T14:30:00+01:00) or
        V(2026-11-20 14:30:00 Europe/Berlin).
    type: str
  lsn:
    description: Recover to this place in the WAL.
    type: str
  xid:
    description: Recover to the commit of this transaction.
    type: str
  name:
    description: Recover to this restore point, which C(pg_create_restore_point) made.
    type: str
  immediate:
    description: Recover to the end of the base backup.
    type: bool
    default: false
  exclusive:
    description: Stop before the target and not after it. It counts for O(time), O(lsn) and O(xid) alone.
    type: bool
    default: false
  timeline:
    description:
      - Recover on this timeline. V(0) is the newest, as PostgreSQL itself chooses.
      - With V(0), a O(time) or O(lsn) is refused that may be one of an older timeline alone, such as the moment of an
        earlier recovery. The hint names the timelines to choose from.
    type: int
    default: 0
  tablespaces:
    description: Where tablespaces go, by their old path or oid. Without it, where they were.
    type: dict
    default: {}
  owner:
    description: The account of the files, if the module runs as root. The default is whose folder it is, else postgres.
    type: str
    default: ""
  force:
    description: Move what is in the directory aside, and keep it.
    type: bool
    default: false
seealso:
  - module: restorable.postgres.pg_basebackup
"""

EXAMPLES = r"""
- name: Recover to the second before the mistake
  restorable.postgres.pg_recover:
    cluster: shop
    repositories:
      local: {type: local, path: /var/backups/restorable}
    data_directory: /var/lib/postgresql/15/recovered
    time: 2026-11-20 14:29:59 Europe/Berlin

- name: Recover as much as there is
  restorable.postgres.pg_recover:
    cluster: shop
    repositories:
      local: {type: local, path: /var/backups/restorable}
    data_directory: /var/lib/postgresql/15/main
    tablespaces: {/mnt/fast/space: /mnt/new/space}
"""

RETURN = r"""
plan:
  description: What was, or in check mode would be, done.
  returned: success
  type: dict
  contains:
    backup:
      description: The base backup that recovery begins with.
      type: str
      sample: 20261122T020000Z-base
    chain:
      description: It and what it stands on, oldest first.
      type: list
      elements: str
      sample: [20261122T020000Z-base]
    repository:
      description: Where it is read from.
      type: str
      sample: local
    target:
      description: The target in words.
      type: str
      sample: time 2026-11-20T13:29:59+00:00
    target_kind:
      description: The kind of the target, V(latest), V(immediate), V(time), V(lsn), V(xid) or V(name).
      type: str
      sample: time
    target_value:
      description: The target itself, a time in UTC; empty of V(latest) and V(immediate).
      type: str
      sample: "2026-11-20T13:29:59+00:00"
    timeline:
      description: The timeline that recovery follows.
      type: int
      sample: 1
    segments:
      description: The first and the last WAL segment from the archive.
      type: list
      elements: str
      sample: ["000000010000000000000002", "000000010000000000000009"]
    needed:
      description: Bytes that are needed on the way.
      type: int
      sample: 2300000000
    free:
      description: Bytes that are free.
      type: int
      sample: 79000000000
    expected_seconds:
      description: How long the last passed drill of a base backup took until the server answered, or none.
      type: float
      sample: 6.7
words:
  description: The result as a person wants to read it.
  returned: success
  type: str
  sample: "20261122T020000Z-base recovered to time 2026-11-20T13:29:59+00:00 in 9.1s"
reached:
  description: How the target was reached, in the server's own words.
  returned: when a directory was made
  type: str
  sample: recovery stopping before commit of transaction 742, time 2026-11-20 13:30:00.123+00
replayed:
  description: The place in the WAL that was reached.
  returned: when a directory was made
  type: str
  sample: 0/90001A8
last_commit:
  description: When the newest recovered transaction was committed, or empty.
  returned: when a directory was made
  type: str
  sample: "2026-11-20T13:29:58.711000+00:00"
new_timeline:
  description: The timeline of the copy.
  returned: when a directory was made
  type: int
  sample: 2
answers_after:
  description: Seconds until the server answered.
  returned: when a directory was made
  type: float
  sample: 8.2
seconds:
  description: Seconds until all was done.
  returned: when a directory was made
  type: float
  sample: 9.1
asides:
  description: Where what was in the way lies now.
  returned: when a directory was made
  type: dict
  sample: {}
code:
  description: The stable code of an error.
  returned: failure
  type: str
  sample: recover.out_of_reach
hint:
  description: What to do about an error.
  returned: failure
  type: str
  sample: "The nearest moments that can be reached: 2026-11-22T02:00:03Z after it."
"""

from ansible_collections.restorable.postgres.plugins.module_utils._module import PROGRESS, Call, Plain, run
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.app.report_recover import recover_report
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.app.wire import open_recovery
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.errors import ConfigError
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.model.recovery_target import Target
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.model.text import human_duration
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.ops.recover import recover
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.ops.recover_plan import RecoverWish

TEXT = {"type": "str"}
WORD = {"type": "str", "default": ""}
FLAG = {"type": "bool", "default": False}
WISH = {"data_directory": {"type": "path", "required": True}, "backup": WORD, "time": TEXT, "lsn": TEXT, "xid": TEXT,
        "name": TEXT, "immediate": FLAG, "exclusive": FLAG, "timeline": {"type": "int", "default": 0},
        "tablespaces": {"type": "dict", "default": {}}, "owner": WORD, "force": FLAG}
OUTCOME = ("reached", "replayed", "last_commit", "new_timeline", "answers_after", "seconds", "asides")


def recover_server(call: Call) -> Plain:
    """Recover, and return the plan and where it ended."""
    params = call.params
    place = open_recovery(call.cluster, params["data_directory"],
                          {str(old): str(new) for old, new in params["tablespaces"].items()}, params["owner"])
    wish = RecoverWish(target(params), params["backup"], params["timeline"], params["force"])
    plan, done = recover(call.world, place, wish, dry_run=call.dry_run)
    report = recover_report(plan, done)
    ended = {key: report.pop(key) for key in OUTCOME if key in report}
    del report["changed"]
    verb = f"recovered to {report['target']} in {human_duration(ended['seconds'])}" if done else \
        f"would be recovered to {report['target']}"
    return {"changed": True, "plan": report, "words": f"{report['backup']} {verb}", **ended}


def target(params: Plain) -> Target:
    """Return the one target that was asked for."""
    given = [kind for kind in ("time", "lsn", "xid", "name") if params[kind]]
    kinds = [*given, *(["immediate"] if params["immediate"] else [])]
    if len(kinds) > 1:
        raise ConfigError(f"{kinds[0]} and {kinds[1]} are both given", code="recover.bad_target",
                          hint="Give one target, or none for the end of the WAL.")
    kind = kinds[0] if kinds else "latest"
    return Target.of(kind, params[kind] if given else "", inclusive=not params["exclusive"])


def main() -> None:
    """Run the module."""
    run(recover_server, {**WISH, **PROGRESS}, record="recover")


if __name__ == "__main__":
    main()
