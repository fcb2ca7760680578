# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left over after a stream: nothing."""
from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager


@contextmanager
def nothing_left():
    """Fail if the block leaves a child, a thread or a descriptor behind; yields what returns its children.

    Servers that other tests share are children of this process too, and stay out of it.
    """
    before, known = (descriptors(), threading.active_count()), set(children())

    def new_children():
        return [child for child in children() if child not in known]

    yield new_children
    assert new_children() == []
    assert (descriptors(), threading.active_count()) == before


def children(pid=None):
    """Return the ids of a process's children, zombies too."""
    wanted = pid or os.getpid()
    return [child for child in every_process() if parent(child) == wanted]


def is_gone(pid, within=5.0):
    """Wait until a process does not run any more."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        if state(pid) in (None, "Z"):
            return True
        time.sleep(0.01)
    return False


def every_process():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def parent(pid):
    fields = stat(pid)
    return int(fields[1]) if fields else None


def state(pid):
    fields = stat(pid)
    return fields[0] if fields else None


def stat(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def descriptors():
    return len(os.listdir("/proc/self/fd"))
