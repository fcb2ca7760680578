# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The folders of scratch servers: made so that the next run knows which ones a killed run has left behind.

Whoever made a folder holds a lock on its file `lock` as long as it lives; the kernel gives the lock back when it
dies. A folder whose lock can be had is a leftover, unless its file `kept` says that it was kept on purpose.
"""
from __future__ import annotations

import fcntl
import os
import shutil
import signal
import stat
import tempfile
import time
from contextlib import contextmanager
from typing import Iterator

PREFIX = "restorable-scratch-"
_MAKING = "restorable-making-"
LOCK, KEPT, SOCKET = "lock", "kept", "socket"
SOCKET_LIMIT = 90                  # bytes of a socket folder's path; sun_path in sys/un.h has 108 with the name
_PATIENCE = 10.0                   # seconds a server gets to end after each signal


@contextmanager
def new_folder(base: str, group: int | None) -> Iterator[tuple[str, int]]:
    """Make a locked folder below base; give its path and the lock's descriptor. It is removed unless it was kept.

    group, where given, may pass through it and sees no names. The folder gets its final name only with the lock
    held, so that nobody takes a new one for a leftover.
    """
    making = tempfile.mkdtemp(prefix=_MAKING, dir=base)
    handle = os.open(os.path.join(making, LOCK), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    folder = ""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        os.write(handle, f"{os.getpid()}\n".encode())
        if group is not None:
            os.chown(making, -1, group)
            os.chmod(making, 0o710)
        name = os.path.join(base, PREFIX + os.path.basename(making)[len(_MAKING):])
        os.rename(making, name)
        folder = name
        yield folder, handle
    finally:
        if not os.path.exists(os.path.join(folder or making, KEPT)):
            remove_folder(folder or making)
        os.close(handle)


def socket_folder(folder: str, owner: tuple[int, int] | None) -> str:
    """Make the folder for the server's socket: inside, or where that path is too long, below /tmp."""
    path = os.path.join(folder, "run")
    if len(os.fsencode(path)) <= SOCKET_LIMIT:
        os.mkdir(path, 0o700)
    else:
        path = tempfile.mkdtemp(prefix="restorable-", dir="/tmp")
        os.symlink(path, os.path.join(folder, SOCKET))
    if owner:
        os.chown(path, *owner)
    return path


def remove_folder(folder: str) -> None:
    """Remove a scratch folder and the socket folder that it names."""
    link = os.path.join(folder, SOCKET)
    if os.path.islink(link) and os.path.basename(os.readlink(link)).startswith("restorable-"):
        shutil.rmtree(os.readlink(link), ignore_errors=True)
    for _attempt in range(3):
        # a server that is just ending may still remove files of its own
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.exists(folder):
            return
        time.sleep(0.1)


def sweep(base: str) -> list[str]:
    """End the servers and remove the folders that killed runs of this account left below base; return the folders."""
    swept = []
    for name in sorted(os.listdir(base)):
        folder = os.path.join(base, name)
        if name.startswith((PREFIX, _MAKING)) and _ours(folder) and _take_over(folder):
            swept.append(folder)
    return swept


def end_server(data: str, pid: int) -> None:
    """End a server whose data folder this is, at once, and wait until it is gone. No other process is touched."""
    for how in (signal.SIGQUIT, signal.SIGKILL):
        if not _serves(pid, data):
            return
        os.kill(pid, how)
        deadline = time.monotonic() + _PATIENCE
        while _serves(pid, data) and time.monotonic() < deadline:
            time.sleep(0.02)


def _ours(folder: str) -> bool:
    state = os.lstat(folder)
    return stat.S_ISDIR(state.st_mode) and state.st_uid == os.geteuid()


def _take_over(folder: str) -> bool:
    try:
        handle = os.open(os.path.join(folder, LOCK), os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        if time.time() - os.lstat(folder).st_mtime < 3600 or os.path.exists(os.path.join(folder, LOCK)):
            return False               # it may just be made
        remove_folder(folder)
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.exists(os.path.join(folder, KEPT)):
            return False
        data = os.path.join(folder, "data")
        end_server(data, _postmaster(data))
        remove_folder(folder)
        return True
    except BlockingIOError:
        return False                   # its maker lives
    finally:
        os.close(handle)


def _postmaster(data: str) -> int:
    """Return the process id in postmaster.pid, or 0."""
    try:
        with open(os.path.join(data, "postmaster.pid"), encoding="ascii", errors="replace") as file:
            first = file.readline().strip()
    except OSError:
        return 0
    return int(first) if first.isdigit() else 0


def _serves(pid: int, data: str) -> bool:
    """Say whether that process runs in this data folder: process ids are used again, working folders tell."""
    if pid <= 1:
        return False
    try:
        return os.path.realpath(os.readlink(f"/proc/{pid}/cwd")) == os.path.realpath(data)
    except OSError:
        return False
