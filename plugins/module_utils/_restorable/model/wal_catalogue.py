# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Which WAL a repository holds, as intervals of segments on each timeline, from its listing alone. Pure.

A million segments in a row are one interval, so the memory grows with the gaps and not with the WAL.
"""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterable, Iterator, Mapping

from .lsn import Lsn
from .timeline import Lineage
from .wal import SIZE, Segment
from .wal_naming import StoredWal, parse_binding_key, parse_wal_key

SHOWN = 100                        # conflicts and strangers that are kept by name


@dataclass(frozen=True)
class Interval:
    """Segments first to last of one timeline, all of them there, and their stored bytes."""

    timeline: int
    first: int
    last: int
    size: int = 0

    @property
    def count(self) -> int:
        """Return how many segments it has."""
        return self.last - self.first + 1


@dataclass(frozen=True)
class WalCatalogue:
    """The WAL of one cluster in one repository."""

    segment_size: int
    intervals: tuple[Interval, ...] = ()       # by timeline, then by place
    histories: tuple[StoredWal, ...] = ()
    partials: tuple[StoredWal, ...] = ()
    backups: tuple[StoredWal, ...] = ()        # backup history files
    conflicts: tuple[str, ...] = ()            # names that are stored with different contents
    sizes: tuple[int, ...] = ()                # segment sizes that the repository was bound to; more than one is wrong

    @classmethod
    def of(cls, listing: Iterable[tuple[str, int]], segment_size: int = SIZE) -> WalCatalogue:
        """Build it from (key, size) pairs of everything under CLUSTER/wal/, sorted by key as Store.list gives them.

        The binding object in the listing overrules segment_size.
        """
        found = _Building(segment_size)
        for key, size in listing:
            found.add(key, size)
        intervals = tuple(found.intervals())
        return cls(found.segment_size, intervals, tuple(found.histories), tuple(found.partials),
                   tuple(found.backups), tuple(found.conflicts), tuple(found.sizes))

    @property
    def count(self) -> int:
        """Return how many segments there are."""
        return sum(each.count for each in self.intervals)

    @property
    def size(self) -> int:
        """Return the stored bytes of all segments."""
        return sum(each.size for each in self.intervals)

    def timelines(self) -> tuple[int, ...]:
        """Return the timelines that have segments, oldest first."""
        return tuple(dict.fromkeys(each.timeline for each in self.intervals))

    def on(self, timeline: int) -> tuple[Interval, ...]:
        """Return a timeline's intervals, oldest first."""
        return tuple(each for each in self.intervals if each.timeline == timeline)

    def has(self, segment: Segment) -> bool:
        """Say whether a segment is there."""
        return any(each.first <= segment.number <= each.last for each in self.on(segment.timeline))

    def last(self, timeline: int) -> Segment | None:
        """Return the newest segment of a timeline."""
        mine = self.on(timeline)
        return Segment(timeline, mine[-1].last, self.segment_size) if mine else None

    def gaps(self, *, after: Mapping[int, int] | None = None) -> Iterator[Interval]:
        """Yield the runs of missing segments between two that are there, on each timeline.

        after names, by timeline, the first segment number that matters: what lies before it may be pruned.
        """
        for before, behind in zip(self.intervals, self.intervals[1:]):
            if before.timeline == behind.timeline:
                first = max(before.last + 1, (after or {}).get(before.timeline, 0))
                if first < behind.first:
                    yield Interval(before.timeline, first, behind.first - 1)

    def missing(self, lineage: Lineage, first: Lsn, last: Lsn) -> Iterator[Segment]:
        """Yield the segments that recovery along a lineage from first to last would not find."""
        for segment in lineage.segments(first, last, self.segment_size):
            if not self.has(segment) and self._left_in(lineage, segment.number) < last:
                yield segment

    def reach(self, lineage: Lineage, first: Lsn) -> Lsn:
        """Return how far recovery along a lineage gets from first without a gap; first itself if not at all."""
        number, reached = first.value // self.segment_size, first
        while True:
            timeline = lineage.timeline_at(number, self.segment_size)
            run = next((each for each in self.on(timeline) if each.first <= number <= each.last), None)
            if run is None:
                return max(reached, self._left_in(lineage, number))
            last = min([run.last, *(switch - 1 for switch in self._switches(lineage) if switch > number)])
            reached, number = Segment(timeline, last, self.segment_size).end, last + 1

    def newest(self, lineage: Lineage) -> Lsn:
        """Return the end of the newest segment that recovery along a lineage would read, gaps or not; 0/0 of none."""
        ends = [Lsn(0), *(each.end for each in map(self.last, [lineage.timeline]) if each)]
        for ancestor in lineage.ancestors:
            switch = ancestor.end.value // self.segment_size
            mine = [min(each.last, switch - 1) for each in self.on(ancestor.timeline) if each.first < switch]
            ends += [Segment(ancestor.timeline, last, self.segment_size).end for last in mine[-1:]]
            ends.append(self._left_in(lineage, switch))
        return max(ends)

    def _left_in(self, lineage: Lineage, number: int) -> Lsn:
        # a parent's own file of the segment in which it was left leads to the switch, and no further
        return max((each.end for each in lineage.ancestors if each.end.value // self.segment_size == number
                    and self.has(Segment(each.timeline, number, self.segment_size))), default=Lsn(0))

    def _switches(self, lineage: Lineage) -> list[int]:
        return [each.end.value // self.segment_size for each in lineage.ancestors]


@dataclass
class _Building:
    segment_size: int
    runs: dict[int, list[list[int]]] = field(default_factory=dict)     # timeline: [first, last, bytes]
    histories: list[StoredWal] = field(default_factory=list)
    partials: list[StoredWal] = field(default_factory=list)
    backups: list[StoredWal] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    _last: tuple[str, str] = ("", "")

    def add(self, key: str, size: int) -> None:
        stored = parse_wal_key(key, size)
        if stored is None:
            bound = parse_binding_key(key)
            if bound:
                self.sizes.append(bound)
            return
        if stored.name == self._last[0] and stored.digest != self._last[1] and len(self.conflicts) < SHOWN:
            self.conflicts.append(stored.name)
        self._last = (stored.name, stored.digest)
        if len(stored.name) == 24:
            self._add_segment(stored.name, size)
        elif stored.name.endswith(".history"):
            self.histories.append(stored)
        else:
            (self.partials if stored.name.endswith(".partial") else self.backups).append(stored)

    def _add_segment(self, name: str, size: int) -> None:
        # The two halves are kept apart by 32 bits until the segment size is known: it sorts behind the timelines.
        halves = int(name[8:], 16)
        runs = self.runs.setdefault(int(name[:8], 16), [])
        if runs and runs[-1][1] == halves:
            runs[-1][2] += size
        elif runs and runs[-1][1] + 1 == halves:
            runs[-1][1] = halves
            runs[-1][2] += size
        else:
            runs.append([halves, halves, size])

    def intervals(self) -> Iterator[Interval]:
        if self.sizes:
            self.segment_size = self.sizes[0]
        per_log = 0x100000000 // self.segment_size
        for timeline, runs in sorted(self.runs.items()):
            open_run: Interval | None = None
            for first, last, size in sorted(runs):
                start = (first >> 32) * per_log + (first & 0xFFFFFFFF)
                end = (last >> 32) * per_log + (last & 0xFFFFFFFF)
                if open_run is not None and start <= open_run.last + 1:
                    open_run = Interval(timeline, open_run.first, max(end, open_run.last), open_run.size + size)
                    continue
                if open_run is not None:
                    yield open_run
                open_run = Interval(timeline, start, end, size)
            if open_run is not None:
                yield open_run
