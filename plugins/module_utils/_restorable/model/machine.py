# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""What PostgreSQL's programs say when the machine lacks something, and the backup nothing. Pure."""
from __future__ import annotations

LACKS = (
    "no space left on device", "out of memory", "cannot allocate memory", "disk quota exceeded",
    # a server's process that was killed, as the kernel does where memory is short
    "server closed the connection unexpectedly", "terminated by signal", "is in recovery mode", "worker process died",
    # extensions are files of the machine (src/backend/commands/extension.c, src/backend/utils/fmgr/dfmgr.c)
    "extension control file", "is not available", "shared_preload_libraries", 'could not access file "$libdir',
    "could not load library",
)


def is_of_machine(words: str) -> bool:
    """Say whether a program failed for want of room, memory, a process or an extension.

    >>> is_of_machine('ERROR:  extension "citext" is not available')
    True
    >>> is_of_machine('ERROR:  relation "app.orders" already exists')
    False
    """
    told = words.lower()
    return any(each in told for each in LACKS)
