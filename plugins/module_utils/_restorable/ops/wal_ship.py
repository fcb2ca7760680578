# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The shipper: looks ahead at what the server has finished, archives it in parallel, and says when it is durable.

Nothing is kept here that matters: PostgreSQL keeps a segment until archive_command has said 0, which it says when an
acknowledgement younger than the segment stands in the spool, and that is written after the repositories have it.
So the shipper may be killed anywhere; what it starts again finds what is stored by its name.
"""
from __future__ import annotations

from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Callable, Iterator

from ..errors import NotFound, RestorableError
from ..model.wal_order import Growth, Sample
from ..ports import Clock
from .wal_archive import Archived, WalArchive
from .wal_level import Level, bring_level
from .wal_ports import Pause, Spool, WalSource

LOOK = 0.05                        # seconds between two looks while nothing waits
RETRY = (1.0, 2.0, 5.0, 10.0, 30.0)      # seconds before a file that failed is tried again
REPORT = 5.0                       # seconds between two reports
LEVEL = 30.0                       # seconds before a repository that was away is tried again
# Files that are being stored, which is waiting for a disk, beside those that are being packed. 100 segments on two
# busy processors: 1: 6.6 s, 2: 6.5 s, 3: 5.6 s.
STORING = 3


@dataclass
class _Trouble:
    error: RestorableError
    count: int
    again: float                   # when the file is tried again, on the clock's elapsed scale


@dataclass
class Shipper:
    """Ships one cluster's WAL; step() does one round, run() goes on until it is told to stop."""

    archive: WalArchive
    source: WalSource
    spool: Spool
    clock: Clock
    pause: Pause
    tell: Callable[[str], None] = lambda _text: None     # one line for the journal
    window: timedelta | None = None    # of the WAL's retention: what a repository need not be brought back
    held: Callable[[], int] | None = None      # bytes that the server keeps for a slot
    shipped: int = 0
    last: str = ""
    _last_at: datetime | None = None
    _running: dict[str, Future[Archived]] = field(default_factory=dict)
    _trouble: dict[str, _Trouble] = field(default_factory=dict)
    _behind: dict[str, str] = field(default_factory=dict)    # repository: why it lacks something that others have
    _unlevel: dict[str, float] = field(default_factory=dict)     # repository: when it may be brought level
    _levelling: dict[str, Future[Level]] = field(default_factory=dict)
    _stopping: bool = False
    _growth: Growth = Growth()
    _reported: float = -REPORT
    _told: str = ""
    _oldest: tuple[str, float] = ("", 0.0)     # the file that waits longest, and since when

    def run(self, stopped: Callable[[], bool]) -> None:
        """Ship until stopped says so; what is on its way then is finished."""
        self._start()
        with self._pool() as pool:
            while not stopped():
                if not self.step(pool):
                    self.pause(LOOK)
            self._collect(everything=True)

    def drain(self) -> None:
        """Try to ship everything that waits now, each file once, and bring every repository level.

        What failed is told in the spool.
        """
        self._start()
        with self._pool() as pool:
            while self.step(pool):
                continue
            for name in list(self._unlevel):
                self._unlevel[name] = self.clock.elapsed()
            while self.step(pool) or self._levelling:
                wait(self._levelling.values(), LOOK)
        self._report(self.source.ready(), now=True)

    def step(self, pool: ThreadPoolExecutor) -> bool:
        """Begin what can be begun, wait for one file to be done, and say whether anything was on its way."""
        ready = self.source.ready()
        acknowledged = self.spool.acknowledged()
        for name in (acknowledged | set(self._trouble)).difference(ready):
            self.spool.forget(name)    # PostgreSQL has taken notice; a later file of this name must not find it
            self._trouble.pop(name, None)
        waiting = [name for name in ready if name not in acknowledged]
        self._begin(pool, waiting)
        self._level(pool)
        busy = bool(self._running)
        self._collect(everything=False)
        self._report(waiting)
        return busy

    def refused(self) -> dict[str, RestorableError]:
        """Return what could not be archived so far, by name, and why."""
        return {name: each.error for name, each in sorted(self._trouble.items())}

    def _start(self) -> None:
        # what an earlier run said may be of other bytes; the repositories know
        for name in self.spool.acknowledged():
            self.spool.forget(name)
        # what an earlier run could not store somewhere, it alone knew
        if self._any_is_enough():
            self._unlevel = {store.name: self.clock.elapsed() for store in self.archive.world.stores}

    @contextmanager
    def _pool(self) -> Iterator[ThreadPoolExecutor]:
        self._stopping = False
        with ThreadPoolExecutor(self.archive.job.workers + STORING + self._any_is_enough(), "ship") as pool:
            try:
                yield pool
            finally:
                self._stopping = True  # whom we bring level goes on the next time; what is being stored is finished

    def _any_is_enough(self) -> bool:
        return self.archive.job.durable == "any" and len(self.archive.world.stores) > 1

    def _begin(self, pool: ThreadPoolExecutor, waiting: list[str]) -> None:
        now = self.clock.elapsed()
        room = 2 * self.archive.job.workers + STORING - len(self._running)
        for name in waiting:
            if room <= 0:
                return
            trouble = self._trouble.get(name)
            if name in self._running or (trouble is not None and trouble.again > now):
                continue
            self._running[name] = pool.submit(self.archive.add, self.source, name)
            room -= 1

    def _level(self, pool: ThreadPoolExecutor) -> None:
        """Bring the repositories level that were away, one at a time, beside the shipping."""
        for name in [name for name, future in self._levelling.items() if future.done()]:
            self._levelled(name, self._levelling.pop(name).result())
        due = [name for name, when in self._unlevel.items() if when <= self.clock.elapsed()]
        if due and not self._levelling and not self._stopping:
            del self._unlevel[due[0]]      # a failure from now on puts it there again
            world = self.archive.world
            target = next(store for store in world.stores if store.name == due[0])
            self._levelling[target.name] = pool.submit(bring_level, world, target, self.window,
                                                       lambda: self._stopping)

    def _levelled(self, name: str, done: Level) -> None:
        if done.copied:
            self.tell(f"repository {name} was brought {done.copied} WAL files that it lacked")
        if done.error is not None:
            self._behind.setdefault(name, done.error.message)
        if done.error is not None or self._stopping:
            self._unlevel[name] = self.clock.elapsed() + LEVEL
        elif name not in self._unlevel:
            self._behind.pop(name, None)
            if done.damaged:
                self._behind[name] = f"lacks {len(done.damaged)} files whose other copies are damaged, first " + \
                    done.damaged[0]
                self.tell(f"repository {name} {self._behind[name]}")

    def _collect(self, *, everything: bool) -> None:
        if self._running:
            wait(self._running.values(), None if everything else LOOK,
                 ALL_COMPLETED if everything else FIRST_COMPLETED)
        for name in [name for name, future in self._running.items() if future.done()]:
            self._finish(name, self._running.pop(name))

    def _finish(self, name: str, future: Future[Archived]) -> None:
        try:
            done = future.result()
        except NotFound:
            return                     # recycled meanwhile: somebody else has archived it
        except RestorableError as error:
            self._fail(name, error)
            return
        self._trouble.pop(name, None)
        for repository, failure in done.failed.items():
            self._behind[repository] = f"{failure.message} (lacks {name})"
            self._unlevel.setdefault(repository, self.clock.elapsed() + LEVEL)
            self.tell(f"repository {repository} lacks {name}: {failure.message}")
        self.source.archived(name)
        self.spool.acknowledge(name)
        self.shipped += 1
        self.last, self._last_at = name, self.clock.now()

    def _fail(self, name: str, error: RestorableError) -> None:
        known = self._trouble.get(name)
        count = known.count + 1 if known else 1
        self._trouble[name] = _Trouble(error, count, self.clock.elapsed() + RETRY[min(count, len(RETRY)) - 1])
        self.spool.refuse(name, error.exit_status, error.message)
        if known is None or known.error.message != error.message:
            self.tell(f"{name} is not archived: {error.message}" + (f" ({error.hint})" if error.hint else ""))

    def _report(self, waiting: list[str], *, now: bool = False) -> None:
        at = self.clock.elapsed()
        if not now and at - self._reported < REPORT:
            return
        self._reported = at
        used, free = self.source.usage()
        if free is not None:
            self._growth = self._growth.seen(Sample(at, used, free))
        warning = self._growth.warning(len(waiting))
        if warning and not self._told:
            self.tell(warning)
        self._told = warning
        oldest = waiting[0] if waiting else ""
        if oldest != self._oldest[0]:
            self._oldest = (oldest, at)
        self.spool.report({
            "format": 1, "updated": self.clock.now().isoformat(), "waiting": len(waiting), "shipped": self.shipped,
            "oldest_waiting": oldest, "oldest_age": at - self._oldest[1] if oldest else 0.0, "last": self.last,
            "last_at": self._last_at.isoformat() if self._last_at else None, "pg_wal_bytes": used, "pg_wal_free": free,
            "slot_bytes": self.held() if self.held else None,
            "seconds_to_full": self._growth.seconds_to_full, "warning": warning, "behind": dict(self._behind),
            "refused": {name: each.error.as_dict() for name, each in sorted(self._trouble.items())[:20]}})
