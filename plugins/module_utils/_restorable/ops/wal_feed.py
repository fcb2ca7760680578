# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Give a recovering server its WAL: ahead of its requests, in parallel, and never a wrong "there is no more"."""
from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Iterable, Iterator, Protocol, Sequence

from ..errors import Damaged, RestorableError, Unavailable
from ..model.timeline import Lineage
from ..model.wal import Segment, WalFile
from ..ports import Store
from .wal_reading import find_wal, read_wal
from .world import World

WORKERS = 2
AHEAD = 16                         # segments that lie ready or are being fetched
TRIES = 4
BACKOFF = 0.5                      # seconds before the second try; doubled each time
LOOK = 0.01                        # seconds between two looks for requests


class Spool(Protocol):
    """Where a server asks for files and finds them; postgres/wal_spool.py keeps it."""

    def wanted(self) -> list[str]:
        """Return the names that the server waits for."""

    def waiting(self) -> list[str]:
        """Return the names that lie ready."""

    def give(self, name: str, chunks: Iterable[bytes], size: int) -> None:
        """Lay a file ready, whole or not at all; size is what a segment must have, 0 of other files."""

    def tell_absent(self, name: str) -> None:
        """Tell that a listing proved that there is no such file."""

    def fail(self) -> None:
        """Let every request end the server."""


class WalFeed:
    """Runs beside a recovering server; leave its context to end it. planned is what recovery must find, in order."""

    def __init__(self, world: World, store: Store, spool: Spool, planned: Sequence[Segment], size: int,
                 lineage: Lineage | None = None) -> None:
        self._world, self._spool, self._size = world, spool, size
        self._stores = (store, *(each for each in world.stores if each is not store))
        self._planned = {each.name: place for place, each in enumerate(planned)}
        self._names = list(self._planned)
        self._lineage = lineage or Lineage(1)
        self._place = 0
        self._running: dict[str, Future[None]] = {}
        self._end = threading.Event()
        self._pool = ThreadPoolExecutor(WORKERS)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.error: RestorableError | None = None
        self.given = 0

    def __enter__(self) -> WalFeed:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._end.set()
        self._thread.join()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _serve(self) -> None:
        try:
            while not self._end.wait(LOOK):
                self._collect()
                ready = set(self._spool.waiting())
                for name in self._spool.wanted():
                    self._want(name, ready)
                self._ahead(ready)
        except RestorableError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - a thread's top: the server must stop, not take it for the end
            self._fail(Unavailable(f"the WAL could not be given to the server: {error}", code="recover.feed",
                                   hint="Look at the disk of the data directory, then run again."))

    def _want(self, name: str, ready: set[str]) -> None:
        if name in ready or name in self._running:
            return
        if name in self._planned:
            self._place = max(self._place, self._planned[name])
        self._submit(name)

    def _ahead(self, ready: set[str]) -> None:
        while self._place < len(self._names) and len(ready) + len(self._running) < AHEAD:
            if self._names[self._place] not in ready:
                self._submit(self._names[self._place])
            self._place += 1

    def _submit(self, name: str) -> None:
        if name not in self._running:
            self._running[name] = self._pool.submit(self._fetch, name)

    def _collect(self) -> None:
        for name, future in list(self._running.items()):
            if future.done():
                del self._running[name]
                future.result()

    def _fetch(self, name: str) -> None:
        wrong = False
        for attempt in range(TRIES):
            try:
                self._give(name)
                return
            except Damaged:
                if wrong or attempt == TRIES - 1:
                    raise
                wrong = True           # once: a fault of the network passes, damage stays
            except Unavailable:
                if attempt == TRIES - 1 or self._end.wait(BACKOFF * 2 ** attempt):
                    raise

    def _give(self, name: str) -> None:
        """Lay a file ready from the first repository that gives it whole; absent is what every listing proves."""
        first: RestorableError | None = None
        file = WalFile.parse(name)
        size = self._size if file.kind == "segment" else 0
        part = size
        if size and self._lineage.ancestors:
            part = self._lineage.part(file.segment(size))
            if not part:
                self._spool.tell_absent(name)
                return
        for store in self._stores:
            try:
                stored = find_wal(self._world, store, name)
                if stored is not None:
                    chunks = read_wal(self._world, store, stored)
                    self._spool.give(name, _blank_behind(chunks, part) if part < size else chunks, size)
                    self.given += 1
                    return
            except RestorableError as error:
                first = first or error
        if first is not None:
            raise first
        if name in self._planned:
            raise Unavailable(f"WAL {name}, which the plan counted on, is gone from repository {self._stores[0].name}",
                              code="wal.missing", hint="Run again; see with `restorable status` what can be reached.")
        self._spool.tell_absent(name)

    def _fail(self, error: RestorableError) -> None:
        self.error = self.error or error
        self._spool.fail()


def _blank_behind(chunks: Iterable[bytes], kept: int) -> Iterator[bytes]:
    """Yield the bytes, zeros from a place on: to PostgreSQL the WAL ends there."""
    for chunk in chunks:
        yield chunk[:kept].ljust(len(chunk), b"\0")
        kept = max(kept - len(chunk), 0)
