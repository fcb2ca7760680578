#!/usr/bin/python
# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take one committed dump set of a PostgreSQL cluster."""
from __future__ import annotations

DOCUMENTATION = r"""
module: pg_dump
short_description: Take one committed dump set of a PostgreSQL cluster
version_added: 0.1.0
author:
  - restorable contributors (@restorable)
description:
  - Dumps the chosen databases of a server, and its roles and tablespaces, straight into every repository of the
    cluster.
  - A set stands or falls as one. Only when every database was dumped to its end and read back, the manifest is written,
    which commits the set; after any failure nothing of it is left, and older sets are untouched.
  - In the snapshot of the dump itself a fingerprint is taken, so that M(restorable.postgres.pg_drill) can prove later
    that
    what comes back is what was there.
extends_documentation_fragment:
  - restorable.postgres.attributes
  - restorable.postgres.attributes.progress
  - restorable.postgres.connection
  - restorable.postgres.encryption
  - restorable.postgres.repository
attributes:
  diff_mode:
    support: partial
    details: [In check mode it shows the plan.]
  idempotent:
    support: partial
    details:
      - Every run takes a new set, unless O(max_age) says that a young one is enough.
options:
  databases:
    description:
      - The databases of the set, by name. V(all), the default, means all that take connections and are no template.
    type: list
    elements: str
  exclude_databases:
    description: Databases to leave out, by exact name.
    type: list
    elements: str
  exclude_tables:
    description: Tables to leave out, as patterns of C(pg_dump --exclude-table).
    type: list
    elements: str
  exclude_table_data:
    description: Tables whose rows are left out, as patterns of C(pg_dump --exclude-table-data).
    type: list
    elements: str
  globals:
    description: Whether roles and tablespaces are part of the set. The default is V(true).
    type: bool
  role_passwords:
    description: Whether the hashes of the roles' passwords are part of the set. The default is V(true).
    type: bool
  format:
    description:
      - The format of the archives. V(custom) is the default, V(directory) can be dumped in parallel, V(plain) is SQL.
    type: str
    choices: [custom, directory, plain]
  jobs:
    description: Parallel workers of a dump in the format V(directory). The default is V(1).
    type: int
  compression:
    description: How the archives are compressed.
    type: dict
    suboptions:
      method:
        description: The method; V(zstd) if nothing is said.
        type: str
        choices: [zstd, gzip, none]
      level:
        description: The level on the method's own scale, for V(zstd) 1 to 19, for V(gzip) 1 to 9.
        type: int
  fingerprint:
    description:
      - What of the data is remembered for drills. V(full), the default, is the number of rows and a digest of all rows
        of
        each table, V(counts) the number alone, V(none) nothing.
    type: str
    choices: [full, counts, none]
  max_age:
    description:
      - If the newest set of the same selection is younger than this in every repository, nothing is done.
      - A duration such as V(90m), V(20h) or V(1d). The default is V(0), always take a set.
    type: str
  lock_timeout:
    description:
      - How long to wait for the lock of each table, a duration; whoever blocks it is named in the error. The default is
        V(60s).
    type: str
  allow_partial:
    description:
      - Commit a set even if some of its databases could not be dumped. The set remembers which. The default is
        V(false).
    type: bool
  pre_command:
    description: A command with its arguments that runs on the target before the dump; if it fails, nothing is dumped.
    type: list
    elements: str
  post_command:
    description: A command with its arguments that runs on the target after the set is committed.
    type: list
    elements: str
  accept_new_server:
    description:
      - A repository is bound to the server of the first set by its system identifier, and refuses another server.
      - Set this for one run if the server was rebuilt on purpose.
    type: bool
    default: false
seealso:
  - module: restorable.postgres.pg_prune
  - module: restorable.postgres.pg_drill
"""

EXAMPLES = r"""
- name: Dump every database of the local server
  restorable.postgres.pg_dump:
    cluster: shop
    repositories:
      local: {type: local, path: /var/backups/restorable}

- name: Dump two databases in parallel, at most once in twenty hours
  restorable.postgres.pg_dump:
    cluster: shop
    connection:
      host: db1.example.com
      user: backup
      password_file: /etc/restorable/password
      sslmode: verify-full
    repositories:
      local: {type: local, path: /var/backups/restorable}
      disk: {type: local, path: /mnt/backup, require_marker: true}
    databases: [app, billing]
    exclude_table_data: [audit.*]
    format: directory
    jobs: 4
    compression: {method: zstd, level: 6}
    max_age: 20h
"""

RETURN = r"""
backup:
  description: The id of the set; empty if none was needed.
  returned: success
  type: str
  sample: 20261120T030000Z-dump
words:
  description: The result as a person wants to read it.
  returned: success
  type: str
  sample: "20261120T030000Z-dump: 3 databases, 1.8 MB in 1.9s"
skipped_because:
  description: Why no set was taken; empty if one was.
  returned: success
  type: str
  sample: backup 20261120T030000Z-dump is 2 h old, younger than max_age 20 h
repositories:
  description: The repositories that have the set.
  returned: success
  type: list
  elements: str
  sample: [local]
databases:
  description: The databases of the set. In check mode only their names and sizes on the server are known.
  returned: success
  type: list
  elements: dict
  sample:
    - {name: app, size: 1843200, plain_size: 9732096, format: custom, tables: 12, rows: 48211, seconds: 0.8}
size:
  description: Stored bytes of the whole set.
  returned: when a set was taken
  type: int
  sample: 1850112
plain_size:
  description: Bytes before compression.
  returned: when a set was taken
  type: int
  sample: 9740288
seconds:
  description: How long the set took.
  returned: when a set was taken
  type: float
  sample: 1.9
server:
  description: Version of the server.
  returned: success
  type: str
  sample: "18.4"
pg_dump:
  description: The program that dumps.
  returned: success
  type: str
  sample: pg_dump (PostgreSQL) 18.4
not_covered:
  description: What no set of this selection holds.
  returned: success
  type: list
  elements: str
  sample: ["postgresql.conf, pg_hba.conf, ALTER SYSTEM and ALTER ROLE ALL settings: no dump holds them"]
not_dumped:
  description: What O(allow_partial) let pass, one error for each database.
  returned: success
  type: list
  elements: str
  sample: []
swept:
  description: Unfinished sets of interrupted runs that were removed.
  returned: success
  type: list
  elements: str
  sample: []
expected_size:
  description: Stored bytes of the last set of this selection, or none.
  returned: success
  type: int
  sample: 1850000
hooks:
  description: The commands that ran before the set was committed, and how long they took.
  returned: when a set was taken
  type: list
  elements: dict
  sample: []
code:
  description: The stable code of an error.
  returned: failure
  type: str
  sample: lock.held
hint:
  description: What to do about an error.
  returned: failure
  type: str
  sample: Wait for it, or look at what it does.
"""

from ansible_collections.restorable.postgres.plugins.module_utils._module import PROGRESS, Call, Plain, run
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.app.report import backup_report, dump_diff
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.app.wire import open_cluster
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.model.text import (
    human_bytes,
    human_duration,
    some,
)
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.ops.backup import back_up

TEXTS = {"type": "list", "elements": "str"}
JOB = {
    "databases": TEXTS, "exclude_databases": TEXTS, "exclude_tables": TEXTS, "exclude_table_data": TEXTS,
    "globals": {"type": "bool"},
    "role_passwords": {"type": "bool", "no_log": False},
    "format": {"type": "str", "choices": ["custom", "directory", "plain"]},
    "jobs": {"type": "int"},
    "compression": {"type": "dict", "options": {
        "method": {"type": "str", "choices": ["zstd", "gzip", "none"]}, "level": {"type": "int"}}},
    "fingerprint": {"type": "str", "choices": ["full", "counts", "none"]},
    "max_age": {"type": "str"}, "lock_timeout": {"type": "str"},
    "allow_partial": {"type": "bool"},
    "pre_command": TEXTS, "post_command": TEXTS,
}


def dump(call: Call) -> Plain:
    """Take a set, and rename the one key that Ansible would read as a failed task."""
    done = back_up(call.world, open_cluster(call.cluster), call.cluster.dump, dry_run=call.dry_run,
                   accept_new_server=call.params["accept_new_server"])
    report = backup_report(done)
    plan = {"diff": dump_diff(call.cluster.name, report)} if call.dry_run and not report["skipped_because"] else {}
    return {**report, "not_dumped": report.pop("failed"), "words": _in_words(report), **plan}


def _in_words(report: Plain) -> str:
    if report["skipped_because"]:
        return report["skipped_because"]
    of = f"{len(report['databases'])} database" + ("" if len(report["databases"]) == 1 else "s")
    if "size" not in report:
        names = some([each["name"] for each in report["databases"]])
        expected = f", about {human_bytes(report['expected_size'])}" if report["expected_size"] else ""
        return f"would dump {of} ({names}) into {', '.join(report['repositories'])}{expected}"
    return f"{report['backup']}: {of}, {human_bytes(report['size'])} in {human_duration(report['seconds'])}"


def main() -> None:
    """Run the module."""
    run(dump, {**JOB, **PROGRESS, "accept_new_server": {"type": "bool", "default": False}},
        job="dump", job_options=tuple(JOB), record="backup")


if __name__ == "__main__":
    main()
