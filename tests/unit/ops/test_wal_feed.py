# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Giving a recovering server its WAL: what cannot be had is an error, never silence."""
from __future__ import annotations

import threading

from _restorable.errors import Damaged, Unavailable
from _restorable.host.clock import SystemClock
from _restorable.host.progress import Silent
from _restorable.ops import wal_feed
from _restorable.ops.wal_feed import TRIES, WalFeed
from _restorable.ops.world import World
from kit.memory_store import MemoryStore

NAME = "000000010000000000000001"


class Failing(MemoryStore):
    """Fails each listing with the next of these errors."""

    def __init__(self, *errors):
        super().__init__()
        self.errors = list(errors)

    def list(self, prefix):
        raise self.errors.pop(0)


class Asking:
    """A spool with one request that nobody meets."""

    def __init__(self):
        self.failed = threading.Event()

    def wanted(self):
        return [NAME]

    def waiting(self):
        return []

    def fail(self):
        self.failed.set()


def test_the_first_damage_in_the_last_try_is_an_error(monkeypatch):
    monkeypatch.setattr(wal_feed, "BACKOFF", 0)
    damage = Damaged("two contents", code="wal.damaged")
    store = Failing(*(Unavailable("away", code="store.away") for _try in range(TRIES - 1)), damage)
    spool = Asking()
    world = World("app", (store,), SystemClock(), Silent(), None, None, None)
    with WalFeed(world, store, spool, [], 0) as feed:
        assert spool.failed.wait(60)
    assert feed.error is damage
