# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""May the host command go: not while a server keeps its WAL for it, which would fill that server's disk."""
from __future__ import annotations

import os
from typing import Mapping

from ..errors import Refused, RestorableError
from ..model.settings import ClusterSettings
from ..model.wal_settings import SPOOL
from .archiving import open_archiver


def check_removal(clusters: Mapping[str, ClusterSettings]) -> None:
    """Raise Refused for the first cluster whose server archives through us, or cannot be asked although it may.

    A spool on this host is the sign that a server may. A slot that nobody receives by keeps WAL, too.
    """
    for cluster in clusters.values():
        spool = cluster.wal.spool or f"{SPOOL}/{cluster.name}"
        if _may_be_there(spool):
            _check(cluster, spool)


def _may_be_there(path: str) -> bool:
    try:
        os.stat(path)
    except PermissionError:
        return True                # the folder of spools is closed to all but the server's account
    except OSError:
        return False
    return True


def _check(cluster: ClusterSettings, spool: str) -> None:
    slot = cluster.wal.slot if cluster.wal.method == "stream" else ""
    server = f"the server of cluster {cluster.name}"
    try:
        found = open_archiver(cluster).facts(slot)
    except RestorableError as error:
        raise Refused(f"{server} cannot be asked whether it archives its WAL through {spool}: {error.message}",
                      hint=f"See to it that the server answers. If it is gone for good, remove the folder {spool}.",
                      code="archiver.unknown") from error
    if f"{spool}/archive.sh" in found.value("archive_command"):
        # archive_mode on with an empty archive_command keeps the WAL as well
        raise Refused(f"{server} archives its WAL through {spool}, and would keep all of it until its disk is full",
                      hint="Run `ALTER SYSTEM SET archive_command = '/bin/true'` and `SELECT pg_reload_conf()` there, "
                           "or change the file that sets it; then stop and remove the shipper's service.",
                      code="archiver.in_use")
    if found.slot:
        raise Refused(f"{server} keeps WAL for the slot {slot}, and would keep all of it until its disk is full",
                      hint="Stop and remove the service that receives by it, then run "
                           f"`SELECT pg_drop_replication_slot('{slot}')`.", code="archiver.in_use")
