#!/usr/bin/python
# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring the repositories of a cluster level."""
from __future__ import annotations

DOCUMENTATION = r"""
module: pg_repository_sync
short_description: Bring the repositories of a cluster level
version_added: 0.1.0
author:
  - restorable contributors (@restorable)
description:
  - Copies what a repository lacks and its retention would keep from another one, byte by byte and without opening it.
    These are backups, also those that got new keys elsewhere, base backups, WAL, holds and their ends, and evidence of
    drills.
  - Each object is compared with its manifest's SHA-256 while it passes, and a backup counts only once its manifest is
    there. An interrupted run is completed by the next one.
  - Nothing is ever overwritten. Other content under the same name fails the task and stays in both places.
  - Check mode tells what would be copied.
extends_documentation_fragment:
  - restorable.postgres.attributes
  - restorable.postgres.connection
  - restorable.postgres.encryption
  - restorable.postgres.repository
attributes:
  diff_mode:
    support: N/A
  idempotent:
    support: full
options:
  to:
    description: The one repository to bring level. Without it every one of the cluster's is.
    type: str
  source:
    description: The one repository to copy from. Without it all others are looked at.
    type: str
seealso:
  - module: restorable.postgres.pg_repository_check
  - module: restorable.postgres.pg_verify
"""

EXAMPLES = r"""
- name: Bring a new repository level with the old one
  restorable.postgres.pg_repository_sync:
    cluster: shop
    repositories:
      local: {type: local, path: /var/backups/restorable}
      new: {type: local, path: /mnt/new/restorable}
    to: new
"""

RETURN = r"""
repositories:
  description: What every repository got, or in check mode would get.
  returned: success, and failure of a repository
  type: list
  elements: dict
  sample:
    - repository: new
      sets: [20261120T030000Z-dump]
      size: 1204281
      marks: 3
      conflicts: []
      damaged: []
      notes: []
      error: null
made:
  description: The backups that came into a repository.
  returned: success, and failure of a repository
  type: list
  elements: str
  sample: [20261120T030000Z-dump]
words:
  description: The result as one sentence.
  returned: success
  type: str
  sample: "1 backup, 3 other objects, 1.2 MB copied; all repositories are level"
code:
  description: The stable code of an error.
  returned: failure
  type: str
  sample: sync.conflict
hint:
  description: What to do about an error.
  returned: failure
  type: str
  sample: "Nothing was overwritten. Find with `restorable verify` which copy is whole."
"""

from ansible_collections.restorable.postgres.plugins.module_utils._module import Call, Failure, Plain, run
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.app.report_sync import (
    sync_report,
    sync_words,
)
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.ops.sync import sync


def bring_level(call: Call) -> Plain:
    """Copy, and fail with what was copied if a repository stays behind."""
    rows = sync(call.world, call.cluster, to=call.params["to"] or "", source=call.params["source"] or "",
                dry_run=call.dry_run)
    report = sync_report(rows, dry_run=call.dry_run)
    error = next((row.error for row in rows if row.error), None)
    if error:
        raise Failure(error.message, {**report, "code": error.code, "hint": error.hint})
    return {**report, "words": sync_words(report)}


def main() -> None:
    """Run the module."""
    run(bring_level, {"to": {"type": "str"}, "source": {"type": "str"}}, record="sync")


if __name__ == "__main__":
    main()
