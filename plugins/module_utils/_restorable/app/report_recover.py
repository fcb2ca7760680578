# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Turn a recovery's plan and outcome into plain values; report.py says the rules."""
from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .report import iso, plain_mapping

if TYPE_CHECKING:
    from ..model.recovery import Window
    from ..ops.recover import Recovered
    from ..ops.recover_plan import RecoverPlan

Plain = dict[str, Any]


def recover_report(plan: RecoverPlan, done: Recovered | None) -> Plain:
    """Describe a recovery: its plan, and where it ended unless it was a dry run."""
    body: Plain = {
        "changed": done is not None, "backup": str(plan.base.id), "chain": [str(each.id) for each in plan.chain],
        "repository": plan.store.name, "target": str(plan.target), "target_kind": plan.target.kind,
        "target_value": plan.target.value, "timeline": plan.timeline, "server": plan.server,
        "data_directory": plan.data, "tablespaces": {str(oid): path for oid, path in plan.places.items()},
        "window": window_row(plan.window), "size": plan.size, "needed": plan.needed, "free": plan.free,
        "segments": [plan.segments[0].name, plan.segments[-1].name] if plan.segments else [],
        "segment_count": len(plan.segments), "moved_aside": list(plan.moved_aside),
        "expected_seconds": plan.expected_seconds, "notes": list(plan.notes)}
    if done is not None:
        found = asdict(done)
        body.update({key: found[key] for key in ("reached", "replayed", "last_commit", "seconds", "answers_after",
                                                 "asides")})
        body.update(new_timeline=done.timeline, segments_fetched=done.segments)
    return plain_mapping(body)


def window_row(window: Window) -> Plain:
    """Describe what can be reached from one base backup."""
    return {"backup": str(window.backup), "from_time": iso(window.begin), "from_lsn": str(window.start),
            "to_lsn": str(window.reach if window.reach > window.start else window.start),
            "to_time": iso(window.until), "gap_behind": window.beyond, "whole": window.whole}
