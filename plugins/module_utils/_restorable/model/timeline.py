# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Timelines: history files, ancestry, and which segments lead to a place. Pure.

A history file (timeline.c, readTimeLineHistory) has one line for each ancestor: its number, the place where its child
was switched to, and a reason. Recovery reads each segment from the youngest timeline that had begun there.
"""
from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Iterator, Mapping

from ..errors import Damaged
from .lsn import Lsn
from .wal import SIZE, Segment, history_name

_LINE = re.compile(r"\s*(\d+)\s+([0-9A-Fa-f]+/[0-9A-Fa-f]+)(?:\s+(.*))?")
_STOPPED = re.compile(r"before (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(\.\d+)?([+-]\d\d)(:\d\d)?")   # a recovery to a time


@dataclass(frozen=True)
class Ancestor:
    """A timeline and where it was left."""

    timeline: int
    end: Lsn
    stopped: datetime | None = field(default=None, compare=False)   # when what began at the end was committed, if known


@dataclass(frozen=True)
class Lineage:
    """A timeline with all it came from, oldest first."""

    timeline: int
    ancestors: tuple[Ancestor, ...] = ()

    @classmethod
    def parse(cls, timeline: int, text: str) -> Lineage:
        """Read the history file of a timeline; raise Damaged if it is none."""
        found: list[Ancestor] = []
        for line in text.splitlines():
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            match = _LINE.fullmatch(line)
            if not match:
                raise _broken(timeline, f"has the line {line!r}")
            found.append(Ancestor(int(match[1]), Lsn.parse(match[2]), _stopped(match[3] or "")))
        numbers = [each.timeline for each in found]
        if not found or numbers != sorted(set(numbers)) or numbers[-1] >= timeline:
            raise _broken(timeline, f"names the timelines {numbers}")
        return cls(timeline, tuple(found))

    def text(self) -> str:
        """Return a history file that says the same."""
        return "".join(f"{each.timeline}\t{each.end}\tno reason kept\n" for each in self.ancestors)

    @property
    def begin(self) -> Lsn:
        """Return where the timeline began; the first one began at 0/0."""
        return self.ancestors[-1].end if self.ancestors else Lsn(0)

    def timelines(self) -> tuple[int, ...]:
        """Return the numbers of all timelines, oldest first."""
        return (*(each.timeline for each in self.ancestors), self.timeline)

    def has(self, timeline: int, lsn: Lsn) -> bool:
        """Say whether what stood on a timeline up to lsn is a part of this history."""
        if timeline == self.timeline:
            return True
        return any(each.timeline == timeline and lsn <= each.end for each in self.ancestors)

    def descends(self, other: Lineage) -> bool:
        """Say whether another timeline is an ancestor of this one, and both tell the same of those before it."""
        count = len(other.ancestors)
        return self.ancestors[:count] == other.ancestors and self.timelines()[count:count + 1] == (other.timeline,)

    def parting(self, other: Lineage) -> tuple[Lsn, int] | None:
        """Return the place up to which two histories are one, and this one's timeline that came after it.

        None if they share nothing, or if this one lives on where the other one left it.
        """
        ends = [*(each.end for each in self.ancestors), None]
        theirs = [*(each.end for each in other.ancestors), None]
        shared: Lsn | None = None
        after = 0
        for number, (mine, its) in enumerate(zip(self.timelines(), other.timelines())):
            if mine != its:
                break
            left = [end for end in (ends[number], theirs[number]) if end is not None]
            shared = min(left, default=None)
            after = self.timelines()[number + 1] if ends[number] is not None else 0
            if ends[number] != theirs[number]:
                break
        return (shared, after) if shared is not None and after else None

    def timeline_at(self, number: int, size: int = SIZE) -> int:
        """Return the timeline that recovery reads a segment's number from: the youngest that had begun there."""
        found = self.timelines()[0]
        for before, after in zip(self.ancestors, self.timelines()[1:]):
            if before.end.value // size <= number:
                found = after
        return found

    def part(self, segment: Segment) -> int:
        """Return how many bytes of a segment are of this history.

        PostgreSQL falls back to an ancestor's file where the newer timeline's is missing, and reads on in it behind the
        place where that was left (xlogrecovery.c, XLogFileReadAnyTLI).
        """
        end = next((each.end for each in self.ancestors if each.timeline == segment.timeline), None)
        return segment.size if end is None else min(max(end.value - segment.start.value, 0), segment.size)

    def segments(self, first: Lsn, last: Lsn, size: int = SIZE) -> Iterator[Segment]:
        """Yield the segments that recovery reads from the one with first to the one with the byte before last."""
        for number in range(first.value // size, Segment.before_lsn(1, last, size).number + 1):
            yield Segment(self.timeline_at(number, size), number, size)


def lineage(timeline: int, histories: Mapping[int, str]) -> Lineage:
    """Return a timeline's lineage from the history files by timeline; raise Damaged if its own is missing."""
    if timeline in histories:
        return Lineage.parse(timeline, histories[timeline])
    if timeline == 1:
        return Lineage(1)
    raise Damaged(f"history file {history_name(timeline)} is missing from the archive", code="wal.no_history",
                  hint=f"Run `restorable wal-push pg_wal/{history_name(timeline)}` in the server's data directory, or "
                       "`restorable sync` where another repository has it; docs/recovery.md has a way without either.")


def latest(histories: Mapping[int, str], timelines: Mapping[int, object]) -> int:
    """Return the newest timeline that has a history file or WAL; 1 of an empty archive."""
    return max((*histories, *timelines, 1))


def _stopped(reason: str) -> datetime | None:
    """Return the time of the commit before which a recovery to a time stopped (getRecoveryStopReason)."""
    match = _STOPPED.fullmatch(reason.strip())
    if not match:
        return None
    second, part, hours, minutes = match.groups()
    return datetime.fromisoformat(f"{second}{(part or '.')[:7]:0<7}{hours}{minutes or ':00'}")


def _broken(timeline: int, what: str) -> Damaged:
    return Damaged(f"history file {history_name(timeline)} {what}", code="wal.bad_history",
                   hint="Compare it with the file of that name in pg_wal of the server.")
