#!/usr/bin/python
# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copy a whole running server into every repository."""
from __future__ import annotations

DOCUMENTATION = r"""
module: pg_basebackup
short_description: Copy a whole running server into every repository
version_added: 0.1.0
author:
  - restorable contributors (@restorable)
description:
  - Takes a base backup of the server that O(connection) reaches, primary or standby, with every tablespace, by
    PostgreSQL's replication protocol. It streams into every repository at once and is never staged on a disk.
  - It is done only when it can be made consistent, with its WAL inside or verified in every repository. On any failure
    nothing is committed, and what was stored is removed.
  - An incremental one (PostgreSQL 17 or newer) is refused unless the whole chain that it stands on is there.
  - PostgreSQL 15 or newer.
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
    support: partial
    details:
      - With O(max_age) a second run does nothing while the newest base backup is young enough.
options:
  kind:
    description:
      - V(full) copies everything, V(incremental) what changed since O(parent).
    type: str
    choices: [full, incremental]
    default: full
  parent:
    description: The base backup that an incremental one stands on, an id or V(latest). The default is V(latest).
    type: str
  self_contained:
    description:
      - Whether the WAL that makes the backup consistent is inside, so that it needs no archive and reaches no later
        moment. The default is V(true) unless the cluster's C(wal) is set in O(settings).
    type: bool
  checkpoint:
    description: Begin with an immediate checkpoint, or wait for a gentle one. The default is V(fast).
    type: str
    choices: [fast, spread]
  max_rate:
    description: The most kB a second that the server sends, V(0) for no limit. The default is V(0).
    type: int
  compression:
    description: How the archives are compressed, by the server where its build has zstd, otherwise by this host.
    type: dict
    suboptions:
      method:
        description: The method. The default is V(zstd).
        type: str
        choices: [zstd, gzip, none]
      level:
        description: The method's own level. The default is V(1).
        type: int
      workers:
        description: Threads of the server. The default is V(2).
        type: int
  max_age:
    description: Do nothing if the newest base backup of any kind is younger, a duration such as V(20h).
    type: str
  wal_timeout:
    description:
      - How long to wait until the backup's WAL is in every repository, a duration. The default is V(10m).
    type: str
  accept_new_server:
    description: Bind the cluster to this server although another one is known.
    type: bool
    default: false
seealso:
  - module: restorable.postgres.pg_recover
  - module: restorable.postgres.pg_dump
"""

EXAMPLES = r"""
- name: Copy the whole server
  restorable.postgres.pg_basebackup:
    cluster: shop
    repositories:
      local: {type: local, path: /var/backups/restorable}
    connection: {host: /run/postgresql, user: postgres}

- name: Copy it at most once a day, gently
  restorable.postgres.pg_basebackup:
    cluster: shop
    repositories:
      local: {type: local, path: /var/backups/restorable}
    connection: {host: /run/postgresql, user: postgres}
    max_age: 20h
    checkpoint: spread
    max_rate: 51200
"""

RETURN = r"""
backup:
  description: The id of the backup, in check mode the one it would get; empty if none was needed.
  returned: success
  type: str
  sample: 20261122T020000Z-base
kind:
  description: V(base) or V(incr).
  returned: success
  type: str
  sample: base
words:
  description: The result as a person wants to read it.
  returned: success
  type: str
  sample: "20261122T020000Z-base: 1.8 GB as 312 MB in 3.4s"
skipped_because:
  description: Why none was needed, or empty.
  returned: success
  type: str
  sample: ""
parent:
  description: The backup that an incremental one stands on.
  returned: success
  type: str
  sample: ""
self_contained:
  description: Whether its WAL is inside.
  returned: success
  type: bool
  sample: false
repositories:
  description: Where it is stored.
  returned: success
  type: list
  elements: str
  sample: [local]
server:
  description: Version of the server.
  returned: success
  type: str
  sample: "18.4"
from_standby:
  description: Whether the server is a standby.
  returned: success
  type: bool
  sample: false
size:
  description: Stored bytes.
  returned: when a backup was taken
  type: int
  sample: 312000000
data_size:
  description: Bytes of the files as they will lie on the disk; of an incremental one, of its own files.
  returned: when a backup was taken
  type: int
  sample: 1800000000
file_count:
  description: How many files it has.
  returned: when a backup was taken
  type: int
  sample: 6312
start_lsn:
  description: Where recovery of it begins.
  returned: when a backup was taken
  type: str
  sample: 0/2000028
stop_lsn:
  description: What recovery of it must reach.
  returned: when a backup was taken
  type: str
  sample: 0/2000100
timeline:
  description: The timeline it was taken on.
  returned: when a backup was taken
  type: int
  sample: 1
stop_time:
  description: When it had ended, by the server's clock; the first moment that can be recovered.
  returned: when a backup was taken
  type: str
  sample: "2026-11-22T02:00:03.412000+00:00"
checksums:
  description: Whether the server's pages have checksums, which it has checked.
  returned: when a backup was taken
  type: bool
  sample: true
tablespaces:
  description: The tablespaces that have archives of their own.
  returned: when a backup was taken
  type: list
  elements: dict
  sample: [{oid: 16385, path: /mnt/fast/space}]
seconds:
  description: How long it took.
  returned: when a backup was taken
  type: float
  sample: 3.4
not_covered:
  description: What it does not hold.
  returned: when a backup was taken
  type: list
  elements: str
  sample: ["configuration files outside the data directory, as Debian's in /etc/postgresql: copy them yourself"]
expected_size:
  description: Stored bytes of the last one of its kind, or none.
  returned: success
  type: int
  sample: 310000000
server_size:
  description: Bytes of all databases.
  returned: success
  type: int
  sample: 1790000000
swept:
  description: Unfinished backups of interrupted runs that were removed.
  returned: success
  type: list
  elements: str
  sample: []
code:
  description: The stable code of an error.
  returned: failure
  type: str
  sample: base.chain_broken
hint:
  description: What to do about an error.
  returned: failure
  type: str
  sample: Take a full one first with `restorable backup --kind base`.
"""

from ansible_collections.restorable.postgres.plugins.module_utils._module import PROGRESS, Call, Plain, run
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.app.report_base import base_report
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.app.wire import archives_wal, open_source
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.model.base_job import base_job
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.model.reading import Reader
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.model.text import (
    human_bytes,
    human_duration,
)
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.ops.base import back_up_base

TEXT = {"type": "str"}
JOB = {
    "self_contained": {"type": "bool"}, "checkpoint": {"type": "str", "choices": ["fast", "spread"]},
    "max_rate": {"type": "int"}, "max_age": TEXT, "wal_timeout": TEXT,
    "compression": {"type": "dict", "options": {
        "method": {"type": "str", "choices": ["zstd", "gzip", "none"]}, "level": {"type": "int"},
        "workers": {"type": "int"}}},
}


def back_up(call: Call) -> Plain:
    """Take a full base backup, or an incremental one, whose settings are those of its own job."""
    given = {key: _given(call.params[key]) for key in (*JOB, "parent") if call.params[key] is not None}
    settled = call.cluster.incremental if call.params["kind"] == "incremental" else call.cluster.base
    if call.params["kind"] == "incremental" and given:
        settled = base_job(Reader(given, "incremental"), incremental=True)
    done = back_up_base(call.world, open_source(call.cluster), settled, archived=archives_wal(call.cluster),
                        dry_run=call.dry_run, accept_new_server=call.params["accept_new_server"])
    report = base_report(done)
    return {**report, "words": _in_words(report)}


def _given(value: object) -> object:
    return {key: inner for key, inner in value.items() if inner is not None} if isinstance(value, dict) else value


def _in_words(report: Plain) -> str:
    if report["skipped_because"]:
        return report["skipped_because"]
    if "size" not in report:
        return f"would copy {human_bytes(report['server_size'])}" + (
            f" on top of {report['parent']}" if report["parent"] else "")
    return (f"{report['backup']}: {human_bytes(report['data_size'])} as {human_bytes(report['size'])} "
            f"in {human_duration(report['seconds'])}")


def main() -> None:
    """Run the module."""
    run(back_up, {**JOB, **PROGRESS, "kind": {"type": "str", "choices": ["full", "incremental"], "default": "full"},
                  "parent": TEXT, "accept_new_server": {"type": "bool", "default": False}},
        job="base", job_options=tuple(JOB), record="backup")


if __name__ == "__main__":
    main()
