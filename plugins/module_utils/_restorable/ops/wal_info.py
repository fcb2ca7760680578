# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Tell how far the archive is behind the server, where it has holes, and between which moments recovery is possible."""
from __future__ import annotations

from dataclasses import dataclass

from ..errors import Damaged, NotFound, Refused, RestorableError
from ..model.archiving import Archiver
from ..model.recovery import Window
from ..model.wal import Segment
from ..model.wal_catalogue import Interval, WalCatalogue
from ..model.wal_retention import BaseSpan
from ..ports import Store
from .wal_bases import base_spans
from .wal_reading import read_wal_catalogue
from .windows import recoverable
from .world import World, read_catalogue


@dataclass(frozen=True)
class RepositoryWal:
    """The WAL of one repository; error is set where it could not be read."""

    name: str
    catalogue: WalCatalogue
    windows: tuple[Window, ...] = ()
    gaps: tuple[Interval, ...] = ()
    behind: int | None = None      # finished segments of the server that are not here; None if it could not be asked
    error: str = ""


def wal_info(world: World, found: Archiver | None) -> tuple[RepositoryWal, ...]:
    """Return the state of the archive in every repository; found are the server's facts if it could be asked."""
    return tuple(_repository(world, store, found) for store in world.stores)


def _repository(world: World, store: Store, found: Archiver | None) -> RepositoryWal:
    try:
        store.check(write=False)
        catalogue = read_wal_catalogue(world, store)
        spans, _unreadable = base_spans(world, store, read_catalogue(store, world.cluster).committed())
        firsts = _firsts(spans, catalogue.segment_size)
        return RepositoryWal(store.name, catalogue, _windows(world, store, spans),
                             tuple(catalogue.gaps(after=firsts)), _behind(catalogue, found))
    except RestorableError as error:
        return RepositoryWal(store.name, WalCatalogue(0), error=error.message)


def _windows(world: World, store: Store, spans: list[BaseSpan]) -> tuple[Window, ...]:
    """Return what can be recovered from each base: along the newest timeline, or along its own if it lies elsewhere."""
    found: dict[str, Window] = {}
    if spans:
        for timeline in (0, *sorted({span.timeline for span in spans}, reverse=True)):
            if any(span.id not in found and timeline in (0, span.timeline) for span in spans):
                found.update({str(each.backup): each for each in _along(world, store, timeline)
                              if str(each.backup) not in found})
    return tuple(sorted(found.values(), key=lambda each: each.begin))


def _along(world: World, store: Store, timeline: int) -> tuple[Window, ...]:
    try:
        return recoverable(world, store, timeline=timeline).windows
    except (Damaged, NotFound, Refused):
        return ()                      # no base lies there, or its history is lost


def _behind(catalogue: WalCatalogue, found: Archiver | None) -> int | None:
    if found is None or not found.current:
        return None
    current = Segment.parse(found.current, found.segment_size)
    last = catalogue.last(current.timeline)
    return max(0, current.number - 1 - last.number) if last else None


def _firsts(spans: list[BaseSpan], size: int) -> dict[int, int]:
    """Return, by timeline, the first segment that a base needs: holes before it are nobody's loss."""
    firsts: dict[int, int] = {}
    for span in spans:
        number = span.start.value // size
        firsts[span.timeline] = min(firsts.get(span.timeline, number), number)
    return firsts
