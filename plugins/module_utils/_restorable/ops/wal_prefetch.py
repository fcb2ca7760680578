# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Fetch the segments that a recovery will ask for next, in parallel, into a folder outside the data directory.

Only ever a help: whatever goes wrong here ends in silence, and restore_command asks the repositories itself.
"""
from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from ..errors import RestorableError
from ..model.wal import SIZE, Segment
from ..model.wal_naming import binding_prefix, parse_binding_key
from .wal_get import Write
from .wal_ports import Pause
from .wal_reading import find_wal, read_wal
from .world import World

LOOK = 0.02                        # seconds between two looks whether a segment was taken
IDLE = 15.0                        # seconds without one after which nobody needs us


class Ahead(Protocol):
    """The folder of fetched segments; a name that is coming is there until the segment is, or until it is not."""

    def wanted(self) -> str:
        """Return the segment that recovery was last given by somebody else, after which we begin."""

    def here(self) -> set[str]:
        """Return the names of the segments that are fetched and not taken yet."""

    def coming(self, name: str) -> None:
        """Say that a segment is being fetched."""

    def not_coming(self, name: str) -> None:
        """Take that back."""

    def writer(self, name: str) -> Write:
        """Return what puts a segment there."""

    def drop(self, name: str) -> None:
        """Remove a segment that nobody will take."""


@dataclass
class Prefetcher:
    """Keeps the next segments ready while somebody takes them."""

    world: World
    ahead: Ahead
    count: int
    workers: int
    pause: Pause
    _begun: dict[str, Future[bool]] = field(default_factory=dict)
    _here: set[str] = field(default_factory=set)
    _ended: bool = False           # a segment was not there

    def run(self, idle: float = IDLE) -> None:
        """Fetch ahead until nothing was taken for idle seconds."""
        size, wanted = self._segment_size(), ""
        base = Segment(1, 0, size)
        quiet = self.world.clock.elapsed()
        with ThreadPoolExecutor(self.workers, "fetch") as pool:
            while self.world.clock.elapsed() - quiet < idle:
                if self.ahead.wanted() != wanted:
                    wanted = self.ahead.wanted()
                    base, quiet, self._ended = Segment.parse(wanted, size), self.world.clock.elapsed(), False
                    self._drop_others(base)
                taken = self._taken()
                if taken:
                    base, quiet = max(base, *(Segment.parse(name, size) for name in taken)), self.world.clock.elapsed()
                self._begin(pool, base)
                self.pause(LOOK)
        for name in [*self.ahead.here(), *self._begun]:
            self.ahead.not_coming(name)
            self.ahead.drop(name)

    def _begin(self, pool: ThreadPoolExecutor, base: Segment) -> None:
        for name in [name for name, future in self._begun.items() if future.done()]:
            self._ended = not self._begun.pop(name).result() or self._ended
        for step in range(1, self.count + 1):
            name = base.next(step).name
            if self._ended or name in self._begun or name in self._here:
                continue
            self.ahead.coming(name)
            self._begun[name] = pool.submit(self._fetch, name)

    def _fetch(self, name: str) -> bool:
        """Fetch one segment from the first repository that has it whole; say whether it is there."""
        try:
            for store in self.world.stores:
                try:
                    stored = find_wal(self.world, store, name)
                    if stored is not None:
                        self.ahead.writer(name)(read_wal(self.world, store, stored))
                        self._here.add(name)
                        return True
                except RestorableError:
                    continue           # who needs it asks again, and hears why
            return False
        finally:
            self.ahead.not_coming(name)

    def _taken(self) -> set[str]:
        here = self.ahead.here()
        taken = self._here - here - set(self._begun)
        self._here -= taken
        return taken

    def _drop_others(self, base: Segment) -> None:
        keep = {base.next(step).name for step in range(1, self.count + 1)}
        for name in self.ahead.here() - keep:
            self.ahead.drop(name)
            self._here.discard(name)

    def _segment_size(self) -> int:
        for store in self.world.stores:
            try:
                for entry in store.list(binding_prefix(self.world.cluster)):
                    return parse_binding_key(entry.key) or SIZE
            except RestorableError:
                continue
        return SIZE
