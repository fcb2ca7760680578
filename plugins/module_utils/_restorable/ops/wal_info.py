# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Tell how far the archive is behind the server, where it has holes, and between which moments recovery is possible."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Iterator

from ..errors import Damaged, NotFound, RestorableError
from ..model.archiving import Archiver
from ..model.lsn import Lsn
from ..model.timeline import Lineage
from ..model.wal import Segment
from ..model.wal_catalogue import Interval, WalCatalogue
from ..model.wal_retention import BaseSpan
from ..ports import Store
from .wal_bases import base_spans
from .wal_reading import read_lineage, read_wal_catalogue
from .world import World, read_catalogue


@dataclass(frozen=True)
class Window:
    """From a base backup recovery reaches every moment from the end of that backup to the WAL position until."""

    base: str
    since: datetime
    start: Lsn
    until: Lsn
    whole: bool                    # the WAL that makes the base consistent is there


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
        return RepositoryWal(store.name, catalogue, tuple(_windows(world, store, catalogue, spans)),
                             tuple(catalogue.gaps(after=firsts)), _behind(catalogue, found))
    except RestorableError as error:
        return RepositoryWal(store.name, WalCatalogue(0), error=error.message)


def _windows(world: World, store: Store, catalogue: WalCatalogue, spans: list[BaseSpan]) -> Iterator[Window]:
    line = newest_lineage(world, store, catalogue)
    for span in sorted(spans, key=lambda each: each.taken):
        own = line if line.has(span.timeline, span.stop) else Lineage(span.timeline)
        reached = catalogue.reach(own, span.start)
        yield Window(span.id, span.taken, span.start, max(reached, span.stop) if reached >= span.stop else reached,
                     reached >= span.stop)


def newest_lineage(world: World, store: Store, catalogue: WalCatalogue) -> Lineage:
    """Return the newest timeline of the archive with its ancestors; the first one if there is none."""
    numbers = [*catalogue.timelines(), *(each.file.timeline for each in catalogue.histories)]
    try:
        return read_lineage(world, store, catalogue, max(numbers, default=1))
    except (Damaged, NotFound):
        return Lineage(max(numbers, default=1))


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
