# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Make a data directory durable at once: one call for each of its disks instead of one for each of its many files."""
from __future__ import annotations

import ctypes
import os

from ..errors import Unavailable


def flush(data: str) -> int:
    """Flush the disks of a data directory and of its tablespaces; return how many, raise Unavailable if one fails.

    It is what PostgreSQL itself does at the begin of a recovery with recovery_init_sync_method = syncfs (syncfs(2)).
    """
    spaces = os.path.join(data, "pg_tblspc")
    folders = [data, *(os.path.join(spaces, name) for name in sorted(os.listdir(spaces)))]
    done: set[int] = set()
    for folder in folders:
        try:
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise _failed(folder, str(error.strerror)) from error
        try:
            disk = os.fstat(handle).st_dev
            if disk not in done:
                _flush_disk(handle, folder)
                done.add(disk)
        finally:
            os.close(handle)
    return len(done)


def _flush_disk(handle: int, folder: str) -> None:
    call = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if call is None:
        os.sync()                      # not Linux: every disk
        return
    if call(handle):
        raise _failed(folder, os.strerror(ctypes.get_errno()))


def _failed(folder: str, why: str) -> Unavailable:
    return Unavailable(f"the disk of {folder} cannot be flushed: {why}", code="recover.no_flush",
                       hint="Look at the disk and at the kernel's log, then run again.")
