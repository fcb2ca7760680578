# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""What history files say of themselves: of a timeline, and of a base backup. Pure."""
from __future__ import annotations

import re

from ..errors import Damaged
from .lsn import Lsn
from .timeline import Lineage
from .wal import WalFile

TEXTS = ("history", "backup")      # kinds of files that are small texts, without any word of whose they are

_START = re.compile(rb"START WAL LOCATION: ([0-9A-F]+/[0-9A-F]+) \(file ([0-9A-F]{24})\)")
_LEAST = 2**20                     # bytes of the smallest segment: the place in a segment agrees at least so far


def check_text(file: WalFile, content: bytes) -> Lineage | None:
    """Return the lineage of a timeline's history file; raise Damaged for a file that is not what its name says."""
    if file.kind == "history":
        return Lineage.parse(file.timeline, content.decode(errors="replace"))
    found = _START.match(content)
    if not found or found[2].decode() != file.name[:24] or \
            Lsn.parse(found[1].decode()).value % _LEAST != int(file.name[25:33], 16) % _LEAST:
        first = content[:80].splitlines()[:1]
        raise Damaged(f"file {file.name} begins with {(first or [b''])[0]!r}", code="wal.bad_backup_history",
                      hint="It is not the history file of the backup that its name says; look at it in pg_wal.")
    return None
