#!/usr/bin/python
# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Set a server to archive its WAL, and prove that it does."""
from __future__ import annotations

DOCUMENTATION = r"""
module: pg_wal_archive
short_description: Set a server to archive its WAL, and prove that it does
version_added: 0.1.0
author:
  - restorable contributors (@restorable)
description:
  - Brings C(wal_level), C(archive_mode), C(archive_command) and C(archive_timeout) to what the method V(push) needs, or
    makes the replication slot that the method V(stream) receives by and sets C(archive_timeout). The method and its
    settings are C(wal) of the cluster in O(settings).
  - Makes the spool on the server's host, with the scripts that C(archive_command) and C(restore_command) run.
  - What needs a restart is reported as pending; the server is restarted only with O(restart_command).
  - Then proves it, by ending a segment and waiting until every repository has it.
  - Check mode returns the same changes and makes none.
extends_documentation_fragment:
  - restorable.postgres.attributes
  - restorable.postgres.connection
  - restorable.postgres.encryption
  - restorable.postgres.repository
attributes:
  diff_mode:
    support: full
  idempotent:
    support: full
    details:
      - With O(prove=always) every run ends a segment, which is not counted as a change.
options:
  conf_file:
    description:
      - A file on the target that C(postgresql.conf) includes, such as
        C(/etc/postgresql/15/main/conf.d/restorable.conf).
      - Without it the settings are written by C(ALTER SYSTEM), which needs a superuser.
    type: path
  fallback_command:
    description:
      - The words of the command that archives a file while no shipper runs, such as C(/usr/local/bin/restorable
        wal-push).
      - Without it C(archive_command) waits for the shipper, and PostgreSQL keeps the WAL until then.
    type: list
    elements: str
    default: []
  restart_command:
    description:
      - The words of the command that restarts the server, run only if a setting waits for a restart.
    type: list
    elements: str
    default: []
  prove:
    description:
      - When archiving is proven, V(changed) after anything was changed or where the server does not tell that WAL
        arrives (nothing was archived since the last failure, or nobody uses the slot), V(always), or V(never).
      - It is not proven while a restart is pending.
    type: str
    choices: [changed, always, never]
    default: changed
  prove_timeout:
    description: Seconds in which the ended segment must be in every repository.
    type: int
    default: 60
seealso:
  - module: restorable.postgres.pg_wal_archive_info
"""

EXAMPLES = r"""
- name: Archive the WAL, and restart the server if that is needed
  restorable.postgres.pg_wal_archive:
    cluster: shop
    settings:
      repositories:
        local: {type: local, path: /var/backups/restorable}
      clusters:
        shop:
          wal: {method: push, archive_timeout: 60s}
    restart_command: [systemctl, restart, postgresql@15-main]

- name: Prove every night that WAL arrives
  restorable.postgres.pg_wal_archive:
    cluster: shop
    settings: "{{ restorable_settings }}"
    prove: always
"""

RETURN = r"""
changes:
  description: The settings that were changed, or would be.
  returned: success
  type: list
  elements: dict
  sample:
    - {name: archive_mode, before: "off", after: "on", restart: true}
pending_restart:
  description: The settings that wait for a restart of the server.
  returned: success
  type: list
  elements: str
  sample: [archive_mode]
restarted:
  description: Whether the server was restarted.
  returned: success
  type: bool
  sample: false
slot_made:
  description: Whether a replication slot was made, or would be.
  returned: success
  type: bool
  sample: false
spool_changed:
  description: Whether the spool or its scripts were made or brought up to date.
  returned: success
  type: bool
  sample: true
proven:
  description: The segment that was ended and has arrived in every repository; empty if nothing was proven.
  returned: success
  type: str
  sample: "000000010000000000000007"
seconds:
  description: How long that took.
  returned: success
  type: float
  sample: 0.4
settings:
  description: The settings as they are wanted.
  returned: success
  type: dict
  sample: {archive_mode: "on", archive_timeout: 60s}
words:
  description: The result as a person wants to read it.
  returned: success
  type: str
  sample: "archive_mode waits for a restart"
code:
  description: The stable code of an error.
  returned: failure
  type: str
  sample: archiver.not_proven
hint:
  description: What to do about an error.
  returned: failure
  type: str
  sample: See that `restorable wal-ship`, or wal-stream, runs as the server's account, and read what it says.
"""

from ansible_collections.restorable.postgres.plugins.module_utils._module import Call, Plain, run
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.app.archiving import (
    open_archiver,
    open_place,
    open_spool_maker,
    pause,
)
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.app.report_wal import archiving_report
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.ops.archiving import Wish, set_archiving


def archive(call: Call) -> Plain:
    """Set the server, and draw the settings as a diff."""
    server, params = open_archiver(call.cluster), call.params
    wish = Wish(tuple(params["fallback_command"]), tuple(params["restart_command"]), params["prove"],
                float(params["prove_timeout"]))
    done = set_archiving(call.world, call.cluster.wal, server, open_place(server, params["conf_file"] or ""),
                         open_spool_maker(call.cluster), wish, pause=pause, dry_run=call.dry_run)
    return {**archiving_report(done), "words": _in_words(archiving_report(done)),
            "diff": {"before": _lines(done.before), "after": _lines(done.after)}}


def _lines(settings: dict[str, str]) -> str:
    return "".join(f"{name} = '{value}'\n" for name, value in sorted(settings.items()))


def _in_words(report: Plain) -> str:
    told = [f"{', '.join(report['pending_restart'])} waits for a restart"] if report["pending_restart"] else []
    told += [f"{report['proven']} arrived in {report['seconds']:.1f} s"] if report["proven"] else []
    return "; ".join(told) or ("changed" if report["changed"] else "archiving is set as it should be")


def main() -> None:
    """Run the module."""
    words = {"type": "list", "elements": "str", "default": []}
    run(archive, {"conf_file": {"type": "path"}, "fallback_command": words, "restart_command": words,
                  "prove": {"type": "str", "choices": ["changed", "always", "never"], "default": "changed"},
                  "prove_timeout": {"type": "int", "default": 60}})


if __name__ == "__main__":
    main()
