#!/usr/bin/python
# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restore a backup, a database of it, or chosen tables."""
from __future__ import annotations

DOCUMENTATION = r"""
module: pg_restore
short_description: Restore a backup, a database of it, or chosen tables
version_added: 0.1.0
author:
  - restorable contributors (@restorable)
description:
  - Restores into the server that O(connection) reaches, always stopping at the first error.
  - What is there is never half replaced. A new database is dropped again if its restore fails, a replaced one is
    swapped
    by renaming after the new one is complete, and tables are added to a living database in one transaction.
  - A database or table that is in the way fails the task before anything is changed, unless O(replace) or O(clean) is
    set.
  - Check mode returns the plan.
extends_documentation_fragment:
  - restorable.postgres.attributes
  - restorable.postgres.attributes.progress
  - restorable.postgres.connection
  - restorable.postgres.encryption
  - restorable.postgres.repository
  - restorable.postgres.source
attributes:
  diff_mode:
    support: none
  idempotent:
    support: none
    details:
      - A second run finds what the first one restored in the way, and is refused.
options:
  backup:
    description:
      - Which backup, V(latest), V(oldest), an id, the beginning of one, or a moment such as V(2026-11-20T03:00:00Z),
        for
        which the newest backup from before it is taken.
    type: str
    default: latest
  databases:
    description: Which databases of the backup. Without it, all.
    type: list
    elements: str
    default: []
  into:
    description: Another name for the restored database; needs exactly one in O(databases).
    type: str
    default: ""
  tables:
    description: Restore only these tables, as C(schema.table); needs exactly one in O(databases).
    type: list
    elements: str
    default: []
  schemas:
    description: Restore only these schemas; needs exactly one in O(databases).
    type: list
    elements: str
    default: []
  globals:
    description: Restore roles and tablespaces first; those that exist stay as they are.
    type: bool
    default: false
  replace:
    description: Put the restored database in the place of one that is not empty. The old one is dropped at the end.
    type: bool
    default: false
  clean:
    description: Drop the chosen tables in the transaction that restores them.
    type: bool
    default: false
  cascade:
    description:
      - With O(clean), drop views and foreign keys that depend on the chosen tables too; the backup brings them back.
      - Refused while anything depends on the tables that the backup does not bring back.
    type: bool
    default: false
  disconnect:
    description: End the sessions that stand in the way of O(replace).
    type: bool
    default: false
  jobs:
    description: Parallel workers; used for databases that are created or replaced.
    type: int
    default: 1
  no_owner:
    description: Leave everything owned by the connecting role.
    type: bool
    default: false
  no_privileges:
    description: Leave out grants.
    type: bool
    default: false
  post_command:
    description:
      - A command with its arguments that runs on the target after each database, such as migrations. The C(PG*)
        variables
        of its environment reach the restored database.
    type: list
    elements: str
    default: []
seealso:
  - module: restorable.postgres.pg_drill
  - module: restorable.postgres.pg_backup_info
"""

EXAMPLES = r"""
- name: Bring one lost table back, and touch nothing else
  restorable.postgres.pg_restore:
    cluster: shop
    repositories:
      local: {type: local, path: /var/backups/restorable}
    databases: [app]
    tables: [public.orders]

- name: Look at last week beside the living database
  restorable.postgres.pg_restore:
    cluster: shop
    repositories:
      local: {type: local, path: /var/backups/restorable}
    backup: "2026-11-13"
    databases: [app]
    into: app_last_week

- name: Put a whole server back, with its roles
  restorable.postgres.pg_restore:
    cluster: shop
    connection: {host: db2.example.com, user: postgres, password_file: /etc/restorable/password}
    repositories:
      local: {type: local, path: /var/backups/restorable}
    globals: true
    jobs: 4
"""

RETURN = r"""
backup:
  description: The id of the backup.
  returned: success
  type: str
  sample: 20261120T030000Z-dump
picked:
  description: Why this backup.
  returned: success
  type: str
  sample: the newest
repository:
  description: The repository it is read from.
  returned: success
  type: str
  sample: local
globals:
  description: Whether roles and tablespaces are restored first.
  returned: success
  type: bool
  sample: false
steps:
  description: What happens, or in check mode would happen, to each database.
  returned: success
  type: list
  elements: dict
  sample:
    - action: add
      database: app
      from: app
      detail: public.orders, in one transaction
      plain_size: 9732096
      notes: ["brings back, if they are gone: VIEW public big"]
verdict:
  description: Of the newest drill of the backup, C(passed), C(failed) or C(incomplete); empty if it was never drilled.
  returned: success
  type: str
  sample: passed
drilled:
  description: When that drill began.
  returned: success
  type: str
  sample: "2026-11-20T04:00:00+00:00"
proof:
  description: The same in words.
  returned: success
  type: str
  sample: proven by a drill on 2026-11-20 04:00 UTC
leftovers:
  description: Databases that a restore which was killed has left beside the restored ones; each is a note, too.
  returned: success
  type: list
  elements: str
  sample: []
notes:
  description: What was left out or passed over, and why. Each is a warning, too.
  returned: success
  type: list
  elements: str
  sample: []
words:
  description: The result as a person wants to read it.
  returned: success
  type: str
  sample: "app from 20261120T030000Z-dump"
code:
  description: The stable code of an error.
  returned: failure
  type: str
  sample: restore.not_empty
hint:
  description: What to do about an error.
  returned: failure
  type: str
  sample: Set into to restore under another name, or replace to put the restored database in its place.
"""

from ansible_collections.restorable.postgres.plugins.module_utils._module import PROGRESS, Call, Plain, run
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.app.report import restore_report
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.app.wire import chooser, open_target
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.ops.restore import restore
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.ops.restore_plan import RestoreWish

NAMES = {"type": "list", "elements": "str", "default": []}
OFF = {"type": "bool", "default": False}
WISH = {
    "backup": {"type": "str", "default": "latest"},
    "databases": NAMES, "into": {"type": "str", "default": ""}, "tables": NAMES, "schemas": NAMES,
    "globals": OFF, "replace": OFF, "clean": OFF, "cascade": OFF, "disconnect": OFF,
    "jobs": {"type": "int", "default": 1}, "no_owner": OFF, "no_privileges": OFF, "post_command": NAMES,
}


def restore_backup(call: Call) -> Plain:
    """Restore as the options wish."""
    wish = RestoreWish(**{key: _value(call.params[key]) for key in WISH})
    plan, notes = restore(call.world, open_target(call.cluster), wish, choose=chooser(None), dry_run=call.dry_run)
    report = restore_report(plan, notes, dry_run=call.dry_run)
    names = ", ".join(each["database"] for each in report["steps"])
    return {**report, "changed": bool(plan.steps), "words": f"{names} from {report['backup']}",
            "warnings": report["notes"]}


def _value(given: object) -> object:
    return tuple(given) if isinstance(given, list) else given


def main() -> None:
    """Run the module."""
    run(restore_backup, {**WISH, **PROGRESS, "repository": {"type": "str"}}, record="restore")


if __name__ == "__main__":
    main()
