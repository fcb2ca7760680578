# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""What of evidence, prune records and events is old enough to go, so that what stays can still be verified. Pure."""
from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Collection, Iterable, Mapping, Sequence

from .journal import Head
from .journal_view import Found
from .naming import event_key, page_key, parse_drill_key, parse_prune_key
from .text import human_duration

EVIDENCE_KEPT = timedelta(days=400)
FAMILIES = ("dump", "base", "wal")         # whose prunes leave records of their own


@dataclass(frozen=True)
class Aged:
    """One object that goes, and why."""

    key: str
    reason: str


@dataclass(frozen=True)
class AgedPlan:
    """What goes of one repository, in the order of deletion, and what the journal must say of it before."""

    before: datetime
    rows: tuple[Aged, ...] = ()
    anchors: Mapping[str, Head] = field(default_factory=dict)     # chain → newest event that is gone after it

    def details(self) -> dict[str, Any]:
        """Return the details of the anchor event."""
        return {"anchors": {chain: head.as_dict() for chain, head in self.anchors.items()},
                "before": self.before.isoformat()}

    def evidence(self) -> tuple[str, ...]:
        """Return the keys of what other events may name."""
        return tuple(row.key for row in self.rows if "/drill/" in row.key)


@dataclass(frozen=True)
class OldEnd:
    """The oldest events of a chain, up to the first young one, and how far the chain reaches."""

    chain: str
    found: Sequence[Found]
    last: int
    anchored: Head = Head()        # what an earlier anchor explains


def plan_aged(cluster: str, keys: Iterable[str], kept: Collection[str], ends: Sequence[OldEnd], now: datetime,
              keep: timedelta) -> AgedPlan:
    """Plan one repository; kept are the ids of its backups that stay.

    Evidence of a backup that is still there stays, since it is what proves it, and so does the newest verdict, which is
    the state of the cluster. The newest record of each family and the newest event of each chain stay. A chain with a
    hole is left as it is, for an audit to tell.
    """
    before = now - keep
    old = f"older than {human_duration(keep)}"
    listed = set(keys)
    drills = {key: drill for key in sorted(listed) for drill in [parse_drill_key(key)] if drill}
    newest = max((drill[0] for drill in drills.values() if drill[2] != "incomplete"), default=None)
    rows = [Aged(key, f"{old}, and its backup is gone") for key, drill in drills.items()
            if drill[0] < before and drill[0] != newest and str(drill[1]) not in kept]
    rows += [Aged(page, row.reason) for row in rows for page in [page_key(row.key)] if page in listed]
    for family in FAMILIES:
        records = sorted((found[0], key) for key in listed if "/prune/" in key
                         for found in [parse_prune_key(key, family)] if found)
        rows += [Aged(key, old) for when, key in records[:-1] if when < before]
    anchors: dict[str, Head] = {}
    for end in ends:
        gone = _sound_until(end, before)
        rows += [Aged(event_key(cluster, end.chain, each.number), old) for each in gone]
        head = Head(gone[-1].number, gone[-1].sha256) if gone else end.anchored
        if head.number:
            anchors[end.chain] = head
    return AgedPlan(before, tuple(rows), anchors)


def _sound_until(end: OldEnd, before: datetime) -> list[Found]:
    """Return the events at the beginning that are old, chained without a hole, and not the newest of their chain."""
    gone: list[Found] = []
    follows = end.anchored
    for each in end.found:
        sound = each.event is not None and each.number <= follows.number + 1 and (
            each.number <= follows.number or each.event.previous == follows.sha256)
        if not sound or each.event is None or each.event.at >= before or each.number >= end.last:
            break
        gone.append(each)
        if each.number > follows.number:
            follows = Head(each.number, each.sha256)
    return gone
