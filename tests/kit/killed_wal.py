# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A shipper that dies by SIGKILL at its nth step: each line DATA SPOOL REPOSITORIES N that comes in is a run.

A run is a process of its own, forked from one that has nothing but its modules, so that it takes no second to begin.
What comes out is the status of each: -9, or 0 if there was no nth step.

A step is each call of the store, before it, in the middle of what it stores, and after it, and each word left in or
taken from the spool, before and after.
"""
from __future__ import annotations

import os
import signal
import sys

from _restorable.host.clock import SystemClock
from _restorable.host.wal_source import PgWal, ServerSpool
from _restorable.model.wal_settings import WalJob
from _restorable.ops.wal_archive import WalArchive
from _restorable.ops.wal_ship import Shipper
from _restorable.ops.world import World
from _restorable.store.local import LocalStore


class Steps:
    """Counts, and is the end of us."""

    def __init__(self, last: int) -> None:
        self.left = last

    def step(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class DeadlyStore:
    """A Store that steps around every call."""

    def __init__(self, inner, steps):
        self._inner, self._steps, self.name = inner, steps, inner.name

    def put(self, key, chunks):
        self._steps.step()
        stored = self._inner.put(key, self._stepping(chunks))
        self._steps.step()
        return stored

    def _stepping(self, chunks):
        for chunk in chunks:
            yield chunk[:len(chunk) // 2]
            self._steps.step()
            yield chunk[len(chunk) // 2:]

    def list(self, prefix):
        self._steps.step()
        yield from self._inner.list(prefix)

    def get(self, key):
        self._steps.step()
        yield from self._inner.get(key)

    def delete(self, key):
        self._steps.step()
        self._inner.delete(key)


class DeadlySpool(ServerSpool):
    """A spool that steps around everything that is said in it."""

    steps: Steps

    def acknowledge(self, name, *, after=0.0):
        self._around(super().acknowledge, name, after=after)

    def refuse(self, name, status, message):
        self._around(super().refuse, name, status, message)

    def forget(self, name):
        self._around(super().forget, name)

    def report(self, facts):
        self._around(super().report, facts)

    def _around(self, say, *words, **more):
        self.steps.step()
        say(*words, **more)
        self.steps.step()


def main(data: str, spool: str, repositories: str, last: str) -> None:
    steps, source, clock = Steps(int(last)), PgWal(data), SystemClock()
    said = DeadlySpool(spool, source)
    said.steps = steps
    said.open()
    stores = tuple(DeadlyStore(LocalStore(os.path.basename(path), path), steps) for path in repositories.split(":"))
    world = World("shop", stores, clock, None, None, None, None)
    job = WalJob("push", spool=spool, workers=1, durable="any" if len(stores) > 1 else "all")
    Shipper(WalArchive(world, job), source, said, clock, lambda _seconds: None).drain()


def serve() -> None:
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            main(*line.split())
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    serve()
