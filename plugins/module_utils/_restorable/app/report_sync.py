# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Turn what a synchronisation did into plain values; see report.py."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence

if TYPE_CHECKING:
    from ..ops.sync import Synced


def sync_report(rows: Sequence[Synced], *, dry_run: bool = False) -> dict[str, Any]:
    """Describe what every repository got; made are the sets that came into one."""
    told = [{"repository": row.repository, "sets": list(row.sets), "size": row.size, "marks": row.marks,
             "conflicts": list(row.conflicts), "notes": list(row.notes),
             "error": row.error.as_dict() if row.error else None} for row in rows]
    changed = any(row["sets"] or row["marks"] for row in told)
    return {"changed": changed, "repositories": told,
            "made": [] if dry_run else sorted({each for row in rows for each in row.sets})}
