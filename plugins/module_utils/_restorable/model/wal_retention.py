# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Which WAL is kept: what the kept base backups need, and everything since the recovery window began. Pure.

 1. A kept base keeps its own WAL, from its start to its stop.
 2. The window begins at the newest base that is at least as old as the window is long; where there is none, at the
    oldest base. From each base of the window on, everything is kept, on its own timeline and on later ones.
 3. Without a window every kept base is a beginning of one, but for those that only tiers without PITR keep: of them
    nothing but their own WAL stays.
 4. Timeline history files are always kept, and so is all WAL of a repository that holds no base backup.
"""
from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Iterable, Iterator, Sequence

from .lsn import Lsn
from .timeline import Ancestor
from .wal import SIZE, Segment
from .wal_naming import StoredWal

END = 1 << 64                      # behind every segment there can be


@dataclass(frozen=True)
class BaseSpan:
    """What a kept base backup needs of the WAL; taken is when it ended."""

    id: str
    taken: datetime
    timeline: int                  # at the stop
    start: Lsn
    stop: Lsn
    pitr: bool = True              # False: only tiers keep it that want no later moment
    left: tuple[Ancestor, ...] = ()    # timelines before that one, as far back as the start

    @property
    def first(self) -> int:
        """Return the timeline at the start."""
        return self.left[0].timeline if self.left else self.timeline

    def numbers(self, size: int) -> Iterator[tuple[int, int, int]]:
        """Yield each timeline with the first and the last segment number that is needed of it."""
        start = self.start
        for timeline, end in (*((each.timeline, each.end) for each in self.left), (self.timeline, self.stop)):
            yield timeline, start.value // size, Segment.before_lsn(timeline, end, size).number
            start = end


@dataclass(frozen=True)
class Span:
    """Segment numbers first to last of one timeline; reason says who wants them."""

    timeline: int
    first: int
    last: int
    reason: str


@dataclass(frozen=True)
class Beginning:
    """Everything from a number on, on a timeline and on all later ones."""

    timeline: int
    first: int
    reason: str


@dataclass(frozen=True)
class WalKeep:
    """What must stay. all_of_it is the reason why nothing at all may go, or empty; spans are disjoint and sorted."""

    segment_size: int
    spans: tuple[Span, ...] = ()
    beginnings: tuple[Beginning, ...] = ()
    all_of_it: str = ""

    def reason(self, timeline: int, number: int) -> str:
        """Return why a segment stays, or "" if nothing wants it."""
        return self.stretch(timeline, number)[0]

    def stretch(self, timeline: int, number: int) -> tuple[str, int]:
        """Return why a segment stays, or "", and the first number behind it that may have another fate."""
        if self.all_of_it:
            return self.all_of_it, END
        end = END
        for beginning in self.beginnings:
            if timeline >= beginning.timeline:
                if number >= beginning.first:
                    return beginning.reason, end
                end = min(end, beginning.first)
        firsts, spans = self._by_timeline.get(timeline, ([], []))
        place = bisect_right(firsts, number) - 1
        if place >= 0 and number <= spans[place].last:
            return spans[place].reason, min(end, spans[place].last + 1)
        return "", min([end, *firsts[place + 1:place + 2]])

    @cached_property
    def _by_timeline(self) -> dict[int, tuple[list[int], list[Span]]]:
        found: dict[int, tuple[list[int], list[Span]]] = {}
        for span in self.spans:
            firsts, spans = found.setdefault(span.timeline, ([], []))
            firsts.append(span.first)
            spans.append(span)
        return found

    def judged(self, stored: Iterable[StoredWal]) -> Iterator[tuple[StoredWal, int, str]]:
        """Yield each stored file with its timeline and why it stays, or "" if it may go.

        A listing is sorted, so the fate of one segment is that of the next ones up to the end of a stretch: a
        thousand bases cost a segment no more than one does.
        """
        per_log = 0x100000000 // self.segment_size
        timeline, begin, end, reason = 0, 0, 0, ""
        for each in stored:
            name = each.name
            if name.endswith(".history"):
                yield each, int(name[:8], 16), "history"
                continue
            own, number = int(name[:8], 16), int(name[8:16], 16) * per_log + int(name[16:24], 16)
            if own != timeline or not begin <= number < end:
                timeline, begin = own, number
                reason, end = self.stretch(own, number)
            yield each, own, reason


@dataclass
class WalFate:
    """What a plan does with one run of files of one timeline; names are those of the first and the last one."""

    timeline: int
    first: str
    last: str
    count: int
    size: int
    reason: str                    # empty: dropped


@dataclass(frozen=True)
class WalPlan:
    """What stays and what goes, summed up in runs; the files themselves are listed again when they are deleted."""

    keep: WalKeep
    fates: tuple[WalFate, ...] = field(default=())

    @property
    def dropped(self) -> tuple[WalFate, ...]:
        """Return the runs that go."""
        return tuple(each for each in self.fates if not each.reason)

    @property
    def freed(self) -> int:
        """Return the stored bytes of what goes."""
        return sum(each.size for each in self.dropped)

    @property
    def count(self) -> int:
        """Return how many files go."""
        return sum(each.count for each in self.dropped)


def wal_keep(bases: Sequence[BaseSpan], window: timedelta | None, now: datetime, segment_size: int = SIZE) -> WalKeep:
    """Return what must stay for the kept bases; window is how far back recovery to any moment must reach."""
    if not bases:
        return WalKeep(segment_size, all_of_it="no base backup yet")
    first = _oldest(bases, window, now)
    spans = tuple(Span(*numbers, f"base {each.id}") for each in bases for numbers in each.numbers(segment_size))
    return WalKeep(segment_size, _merged(spans), _fewest(
        Beginning(each.first, each.start.value // segment_size, f"recovery window from {each.id}")
        for each in bases if first is not None and each.taken >= first.taken))


def plan_wal(keep: WalKeep, stored: Iterable[StoredWal]) -> WalPlan:
    """Return the fate of every file of a listing, in runs; the memory grows with the runs and not with the files."""
    fates: list[WalFate] = []
    for each, timeline, reason in keep.judged(stored):
        run = fates[-1] if fates else None
        if run is not None and (run.timeline, run.reason) == (timeline, reason):
            run.last, run.count, run.size = each.name, run.count + 1, run.size + each.size
        else:
            fates.append(WalFate(timeline, each.name, each.name, 1, each.size, reason))
    return WalPlan(keep, tuple(fates))


def to_drop(keep: WalKeep, stored: Iterable[StoredWal]) -> Iterator[StoredWal]:
    """Yield the files of a listing that nothing keeps."""
    return (each for each, _timeline, reason in keep.judged(stored) if not reason)


def _oldest(bases: Sequence[BaseSpan], window: timedelta | None, now: datetime) -> BaseSpan | None:
    """Return the base from which every later moment of the window can be reached; None if no moment is wanted."""
    by_age = sorted(bases, key=lambda each: each.taken)
    old_enough = [] if window is None else [each for each in by_age if each.taken <= now - window]
    if old_enough:
        return old_enough[-1]
    return next((each for each in by_age if each.pitr or window is not None), None)


def _fewest(beginnings: Iterable[Beginning]) -> tuple[Beginning, ...]:
    """Return the beginnings that no other one includes, so that a thousand bases cost as much as a few."""
    kept: list[Beginning] = []
    for each in sorted(beginnings, key=lambda each: (each.timeline, each.first)):
        if not any(one.first <= each.first for one in kept):       # of an earlier or the same timeline
            kept.append(each)
    return tuple(kept)


def _merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    merged: list[Span] = []
    for each in sorted(spans, key=lambda each: (each.timeline, each.first)):
        last = merged[-1] if merged else None
        if last is not None and last.timeline == each.timeline and each.first <= last.last:
            merged[-1] = Span(last.timeline, last.first, max(last.last, each.last), last.reason)
        else:
            merged.append(each)
    return tuple(merged)
