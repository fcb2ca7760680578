#!/usr/bin/python
# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read backups to their end and compare every byte with their manifests."""
from __future__ import annotations

DOCUMENTATION = r"""
module: pg_verify
short_description: Read backups to their end and compare every byte with their manifests
version_added: 0.1.0
author:
  - restorable contributors (@restorable)
description:
  - Checks size and SHA-256 of every object, and reads every archive to its end. Needs no server.
  - An intact backup is not yet a proven one; only M(restorable.postgres.pg_drill) proves.
  - A backup that is found damaged, or whole again, is marked so in its repository, and C(changed) is true then. Lists
    and the status tell it until a later verification or drill finds that copy whole.
  - Check mode names what would be read.
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
    description: Which backup, V(all), V(latest), an id or the beginning of one.
    type: str
    default: all
  fail_on_verdict:
    description: Fail the task if a backup is damaged. The findings are in the result in any case.
    type: bool
    default: true
seealso:
  - module: restorable.postgres.pg_drill
"""

EXAMPLES = r"""
- name: Read everything
  restorable.postgres.pg_verify:
    cluster: shop
    repositories:
      local: {type: local, path: /var/backups/restorable}

- name: Read the newest backup
  restorable.postgres.pg_verify:
    cluster: shop
    repositories:
      local: {type: local, path: /var/backups/restorable}
    backup: latest
"""

RETURN = r"""
verdict:
  description:
    - V(passed) or V(failed), or V(incomplete) where a repository could not be read or a sealed object not be opened;
      empty in check mode.
  returned: success, and failure by the verdict
  type: str
  sample: passed
backups:
  description: Every backup that was read, in every repository, with its checks.
  returned: success, and failure by the verdict
  type: list
  elements: dict
  sample:
    - backup: 20261120T030000Z-dump
      repository: local
      size: 1850112
      verdict: passed
      opened: true
      checks:
        - {level: L1, name: object app.dump.zst, result: ok, detail: 1.8 MB}
words:
  description: The result as a person wants to read it.
  returned: success
  type: str
  sample: "12 backups intact (21 MB)"
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

from ansible_collections.restorable.postgres.plugins.module_utils._module import Call, Failure, Plain, run
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.app.report import verify_report
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.app.wire import open_archives
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.model.text import human_bytes
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.ops.verify import verify


def verify_backups(call: Call) -> Plain:
    """Verify, and fail with the findings if a backup is damaged."""
    found = verify(call.world, open_archives(call.cluster), call.params["backup"], dry_run=call.dry_run)
    report = verify_report(found, dry_run=call.dry_run)
    if report["verdict"] in ("failed", "incomplete") and call.params["fail_on_verdict"]:
        raise Failure(_in_words(call.cluster.name, report), report)
    return {**report, "words": _summary(report["backups"], dry_run=call.dry_run)}


def _summary(backups: list[Plain], *, dry_run: bool) -> str:
    size = human_bytes(sum(each["size"] for each in backups))
    bad = sum(each["verdict"] not in ("", "passed") for each in backups)
    state = "to read" if dry_run else f"read, {bad} not intact" if bad else "intact"
    closed = 0 if dry_run else sum(not each["opened"] for each in backups)
    sealed = f", {closed} of them sealed and not opened here" if closed else ""
    return f"{len(backups)} backup{'' if len(backups) == 1 else 's'} {state} ({size}){sealed}"


def _in_words(cluster: str, report: Plain) -> str:
    bad = [each for each in report["backups"] if each["verdict"] == "failed"]
    if not bad:
        unread = next(each for each in report["backups"] if each["verdict"] == "incomplete")
        first = next(each for each in unread["checks"] if each["result"] == "not_run" and not each["optional"])
        what = f"backup {unread['backup']} in " if unread["backup"] else ""
        return f"{what}repository {unread['repository']} of {cluster} could not be read: {first['detail']}"
    check = next(each for each in bad[0]["checks"] if each["result"] == "failed")
    return (f"{len(bad)} of {len(report['backups'])} backups of {cluster} are damaged: {bad[0]['backup']} in "
            f"{bad[0]['repository']}: {check['name']}: {check['detail']}")


def main() -> None:
    """Run the module."""
    run(verify_backups, {"backup": {"type": "str", "default": "all"}, "repository": {"type": "str"},
                         "fail_on_verdict": {"type": "bool", "default": True}})


if __name__ == "__main__":
    main()
