# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Put a local file into a store that has no links: as a stream, and never one that is written to meanwhile."""
from __future__ import annotations

import os

from ..errors import Refused
from ..ports import Store, Stored
from ..stream.stage import CHUNK


def put_whole_file(store: Store, key: str, path: str, *, move: bool) -> Stored:
    """Store a file by the store's own put; raise Refused("store.changing") if it changes. See Store.put_file."""
    with open(path, "rb") as file:
        before = os.fstat(file.fileno())
        stored = store.put(key, iter(lambda: file.read(CHUNK), b""))
        after = os.fstat(file.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        store.delete(key)
        raise Refused(f"file {path} changes while it is stored", code="store.changing",
                      hint="Wait until its writer is done, then run this again.")
    if move:
        os.unlink(path)
    return stored
