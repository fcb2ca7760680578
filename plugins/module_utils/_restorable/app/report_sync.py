# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Turn what a synchronisation did into plain values; see report.py."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Mapping, Sequence

from ..model.text import human_bytes

if TYPE_CHECKING:
    from ..ops.sync import Synced


def sync_report(rows: Sequence[Synced], *, dry_run: bool = False) -> dict[str, Any]:
    """Describe what every repository got; made are the sets that came into one, keys their manifests."""
    told = [{"repository": row.repository, "sets": list(row.sets), "size": row.size, "marks": row.marks,
             "conflicts": list(row.conflicts), "damaged": list(row.damaged), "notes": list(row.notes),
             "error": row.error.as_dict() if row.error else None} for row in rows]
    changed = any(row["sets"] or row["marks"] for row in told)
    return {"changed": changed, "repositories": told,
            "made": [] if dry_run else sorted({each for row in rows for each in row.sets}),
            "keys": [] if dry_run else sorted({each for row in rows for each in row.manifests})}


def sync_words(report: Mapping[str, Any]) -> str:
    """Return what was copied, or would be, and who stays behind, as one sentence."""
    sets = sum(len(each["sets"]) for each in report["repositories"])
    size = sum(each["size"] for each in report["repositories"])
    marks = sum(each["marks"] for each in report["repositories"])
    behind = [each["repository"] for each in report["repositories"] if each["error"]]
    more = f", {marks} other objects" if marks else ""
    tail = f"behind: {', '.join(behind)}" if behind else "all repositories are level"
    return f"{sets} backup{'' if sets == 1 else 's'}{more}, {human_bytes(size)} copied; {tail}"
