# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The exit status of wal-get, on which a recovery depends. Pure.

PostgreSQL takes 1 to 125 for the end of the WAL and promotes, 143 for its own SIGTERM, the rest for a reason to stop.
"""
from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Sequence

ABSENT, FAILED = 299, 255          # ABSENT is no status a program can have: only the verb itself returns it
STOPPED, TERMINATED = 124, 143


def restore_status(argv: Sequence[str], status: int) -> int:
    """Return what wal-get exits with: 0, the status of proven absence (1, or --absent), 143 or 255."""
    if "wal-get" not in argv:
        return status
    if status == ABSENT:
        wish = argv[argv.index("--absent") + 1:][:1] if "--absent" in argv else []
        return int(wish[0]) if wish and wish[0].isdigit() else 1
    if status == STOPPED:
        return TERMINATED
    return 0 if status == 0 else FAILED
