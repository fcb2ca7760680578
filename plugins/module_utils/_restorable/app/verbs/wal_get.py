# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""restorable wal-get."""
from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ...errors import Damaged, RestorableError
from ..call import Call, Result
from ..wal_exit import ABSENT, FAILED

if TYPE_CHECKING:
    from ...ops.wal_get import Write

RECOVERY = "RECOVERYXLOG"          # what PostgreSQL's own recovery calls its target; pg_rewind names the segment


def run(call: Call) -> Result:
    """Fetch one file into its place. Only the proof that it is absent is told apart; all errors are one."""
    from ...host.wal_ahead import write_whole
    from ...ops.wal_get import absent
    name, path, job = call.options.name, call.options.path, call.cluster.wal
    try:
        found = "" if call.options.dry_run else _get(call, name, lambda chunks: write_whole(path, chunks))
        if not found:
            return Result({"changed": False, "name": name}, status=ABSENT,
                          error=None if name.endswith(".history") else absent(name))
        if os.path.basename(path) == RECOVERY and job.prefetch and job.method and len(name) == 24:
            _fetch_ahead(call, name)
    except RestorableError as error:
        return Result({"changed": False, "name": name}, status=FAILED, error=error)
    return Result({"changed": True, "name": name, "repository": found})


def _get(call: Call, name: str, write: Write) -> str:
    """Fetch a file from the repositories, else what a stream has received and could not archive any more."""
    from ...ops.wal_get import get_wal
    from ...ops.wal_received import get_received
    from ..wal import open_stream, pause
    job = call.cluster.wal
    received = job.method == "stream" and os.path.basename(call.options.path) == RECOVERY
    try:
        found = get_wal(call.world(), name, write, patience=job.patience, pause=pause)
    except Damaged as error:
        if error.code != "wal.gap" or not received or \
                not get_received(call.world(), open_stream(call.cluster)[0], name, write):
            raise
        return "the stream's folder"
    if not found and received and get_received(call.world(), open_stream(call.cluster)[0], name, write):
        return "the stream's folder"
    return found


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
