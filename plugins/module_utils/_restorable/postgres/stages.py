# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Private folders for plaintext that vanish; those of killed runs do when the next one is made beside them.

Its maker holds a lock on the folder itself; the kernel gives the lock back when the maker dies, however it dies.
"""
from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from contextlib import contextmanager
from typing import Iterator

_MAKING = "making-"                # still without its lock, so never taken for left over


@contextmanager
def new_stage(prefix: str, base: str | None) -> Iterator[str]:
    """Give a new folder of mode 0700 below base, after those of dead runs with this prefix are removed."""
    base = base or tempfile.gettempdir()
    sweep_stages(prefix, base)
    making = tempfile.mkdtemp(prefix=_MAKING + prefix, dir=base)      # made with mode 0700
    folder, handle = making, os.open(making, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _lock(handle)
        folder = os.path.join(base, os.path.basename(making)[len(_MAKING):])
        os.rename(making, folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def sweep_stages(prefix: str, base: str) -> list[str]:
    """Remove the folders of this account whose makers are dead; return them. Those of living ones stay."""
    swept = []
    for name in sorted(os.listdir(base)):
        folder = os.path.join(base, name)
        if name.startswith(prefix) and _left_over(folder):
            swept.append(folder)
    return swept


def _left_over(folder: str) -> bool:
    """Remove a folder whose lock can be had."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return False                   # gone meanwhile, or no folder of ours
    try:
        state = os.fstat(handle)
        if state.st_uid != os.geteuid() or not stat.S_ISDIR(state.st_mode) or not _lock(handle):
            return False
        shutil.rmtree(folder, ignore_errors=True)
        return True
    finally:
        os.close(handle)


def _lock(handle: int) -> bool:
    """Lock a folder; False if another has the lock, or its file system knows none, and then nothing is swept there."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
