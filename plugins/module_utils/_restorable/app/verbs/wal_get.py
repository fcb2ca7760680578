# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""restorable wal-get."""
from __future__ import annotations

import os

from ...errors import RestorableError
from ..call import Call, Result
from ..wal_exit import ABSENT, FAILED

RECOVERY = "RECOVERYXLOG"          # what PostgreSQL's own recovery calls its target; pg_rewind names the segment


def run(call: Call) -> Result:
    """Fetch one file into its place. Only the proof that it is absent is told apart; all errors are one."""
    from ...host.wal_ahead import write_whole
    from ...ops.wal_get import absent, get_wal
    from ..wal import pause
    name, path, job = call.options.name, call.options.path, call.cluster.wal
    try:
        found = "" if call.options.dry_run else get_wal(
            call.world(), name, lambda chunks: write_whole(path, chunks), patience=job.patience, pause=pause)
        if not found:
            return Result({"changed": False, "name": name}, status=ABSENT,
                          error=None if name.endswith(".history") else absent(name))
        if os.path.basename(path) == RECOVERY and job.prefetch and job.method and len(name) == 24:
            _fetch_ahead(call, name)
    except RestorableError as error:
        return Result({"changed": False, "name": name}, status=FAILED, error=error)
    return Result({"changed": True, "name": name, "repository": found})


def _fetch_ahead(call: Call, name: str) -> None:
    """Leave a process behind that fetches what recovery asks for next; where one is at work it is only told."""
    from ..wal import fetch_ahead_folder
    folder = fetch_ahead_folder(call.cluster)
    if folder is None:
        return
    folder.want(name)
    if not folder.busy() and os.fork() == 0:
        status = 1
        try:
            _detach()
            from ...ops.wal_prefetch import Prefetcher
            from ..wal import pause
            if folder.claim():
                try:
                    Prefetcher(call.world(), folder, call.cluster.wal.prefetch, call.cluster.wal.workers, pause).run()
                finally:
                    folder.give_up()
            status = 0
        finally:
            os._exit(status)           # the child of a fork: none of the parent's cleaning up is its business


def _detach() -> None:
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
