# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where tests put their servers and repositories: in memory if this machine has a place for that, or on disk.

Each CREATE DATABASE makes some 300 files, and a disk's file system spends more on making and removing them than the
server on the rest. The bench and the scenarios, which measure or show real ones, stay on disk.

Paths are short, since a socket's must stay under 107 bytes: not below pytest's long folders.
"""
from __future__ import annotations

import os
import pathlib
import tempfile

IN_MEMORY, ON_DISK = "/dev/shm", "/tmp"
ROOM = 6 << 30      # bytes; a run of two processes was seen to use less than one


def new_place(prefix: str) -> pathlib.Path:
    """Make a folder of mode 0700 with a short name; whoever asks removes it."""
    return pathlib.Path(tempfile.mkdtemp(prefix=prefix, dir=base()))


def base() -> str:
    """Return the folder in which places are made: RESTORABLE_TEST_PLACE, which tests/conftest.py sets, or /tmp."""
    return os.environ.get("RESTORABLE_TEST_PLACE") or ON_DISK


def best(memory: str = IN_MEMORY) -> str:
    """Return the place in memory if there is room in it, and in memory itself, and if programs may be started there."""
    try:
        place = os.statvfs(memory)
        lines = pathlib.Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return ON_DISK
    available = [int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:")]
    fits = min([place.f_bavail * place.f_frsize, *available]) > ROOM and not place.f_flag & os.ST_NOEXEC
    return memory if fits and os.access(memory, os.W_OK) else ON_DISK
