# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is locked longer, what is held, and that a lock is no error."""
from __future__ import annotations

from contextlib import nullcontext
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import pytest

from _restorable.errors import Refused, Unavailable
from _restorable.host.clock import SystemClock
from _restorable.host.progress import Silent
from _restorable.model.catalogue import Catalogue
from _restorable.model.naming import BackupId, manifest_key, object_key
from _restorable.model.object_lock import ObjectLock
from _restorable.model.retained import retained
from _restorable.model.retention import Plan, Row
from _restorable.ops.hold import hold
from _restorable.ops.protect import delete_unless_retained, hold_objects, lock_kept
from _restorable.ops.sweep import delete_set
from _restorable.ops.world import World
from kit.memory_store import MemoryStore

OLD = BackupId(datetime(2026, 11, 1, 3, tzinfo=timezone.utc), "dump")
NEW = BackupId(datetime(2026, 11, 20, 3, tzinfo=timezone.utc), "dump")
NOW = datetime(2026, 11, 26, tzinfo=timezone.utc)
UNTIL = datetime(2026, 12, 1, tzinfo=timezone.utc)


class Locks:
    """Notes what it is asked for."""

    def __init__(self, **tiers):
        self.settings = ObjectLock.of({"days": 1, **tiers}, "test")
        self.held, self.extended = {}, {}

    def hold(self, keys, *, on):
        changed = sum(self.held.get(key, False) is not on for key in keys)
        self.held.update(dict.fromkeys(keys, on))
        return changed

    def extend(self, keys, until):
        self.extended.update(dict.fromkeys(keys, until))
        return len(self.extended)


class LockingStore(MemoryStore):
    """A store in memory that locks: keys in `locked` cannot be deleted."""

    def __init__(self, locks=None):
        super().__init__("offsite")
        self.locks, self.locked = locks, set()
        for backup in (OLD, NEW):
            for name in ("app.dump.zst", "manifest.json"):
                self.put(object_key("shop", backup, name), [b"x"])

    def delete(self, key):
        if key in self.locked:
            raise retained(f"offsite:{key}", UNTIL)
        super().delete(key)

    def catalogue(self):
        return Catalogue.of("shop", [(entry.key, entry.size) for entry in self.list("")])


def keys_of(backup):
    return [object_key("shop", backup, name) for name in ("app.dump.zst", "manifest.json")]


def test_a_kept_set_is_locked_as_long_as_its_longest_tier_asks():
    store = LockingStore(Locks(weekly=35, monthly=100))
    plan = Plan((Row(OLD, True, ("weekly#1", "monthly#1")), Row(NEW, True, ("daily#1", "floor:newest"))))
    lock_kept(store, "shop", store.catalogue(), plan, NOW)
    assert store.locks.extended == dict.fromkeys(keys_of(OLD), OLD.time + timedelta(days=100))


def test_a_lock_that_would_be_over_already_is_not_asked_for():
    store = LockingStore(Locks(weekly=24))
    plan = Plan((Row(OLD, True, ("weekly#1",)), Row(NEW, True, ("weekly#2",))))
    assert lock_kept(store, "shop", store.catalogue(), plan, NOW) == {NEW: NEW.time + timedelta(days=24)}
    assert set(store.locks.extended) == set(keys_of(NEW))


def test_a_set_that_is_dropped_is_not_locked_longer():
    store = LockingStore(Locks(weekly=35))
    lock_kept(store, "shop", store.catalogue(), Plan((Row(OLD, False, ("weekly#1",)),)), NOW)
    assert store.locks.extended == {}


def test_a_hold_holds_every_object_of_the_set():
    store = LockingStore(Locks())
    [backup] = [each for each in store.catalogue().committed() if each.id == OLD]
    hold_objects(store, "shop", backup, on=True)
    assert store.locks.held == dict.fromkeys(keys_of(OLD), True)
    hold_objects(store, "shop", backup, on=False)
    assert store.locks.held == dict.fromkeys(keys_of(OLD), False)


def test_a_release_that_broke_off_before_the_lock_was_gone_is_ended_by_the_next_one():
    class Stuck(Locks):
        stuck = True

        def hold(self, keys, *, on):
            if self.stuck and not on:
                raise Unavailable("503", code="store.unavailable", hint="Try again.")
            return super().hold(keys, on=on)

    store = LockingStore(Stuck())
    idle = SimpleNamespace(hold=lambda *_args, **_more: nullcontext())
    world = World("shop", (store,), SystemClock(), Silent(), idle, idle, None)
    assert hold(world, str(OLD))[1]
    with pytest.raises(Unavailable):
        hold(world, str(OLD), release=True)
    store.locks.stuck = False
    assert hold(world, str(OLD), release=True)[1]
    assert store.locks.held == dict.fromkeys(keys_of(OLD), False)
    assert not hold(world, str(OLD), release=True)[1]


@pytest.mark.parametrize("store", [MemoryStore(), LockingStore()], ids=["knows-no-locks", "asks-for-none"])
def test_a_store_without_locks_is_left_alone(store):
    backups = LockingStore().catalogue()
    hold_objects(store, "shop", backups.committed()[0], on=True)
    lock_kept(store, "shop", backups, Plan((Row(OLD, True, ("weekly#1",)),)), NOW)


def test_a_set_whose_manifest_is_locked_stays_whole_and_says_until_when():
    store = LockingStore()
    store.locked.add(manifest_key("shop", OLD))
    assert delete_set(store, "shop", OLD, ("app.dump.zst", "manifest.json")) == UNTIL.isoformat()
    assert set(keys_of(OLD)) <= set(store.objects)


def test_an_object_locked_longer_than_its_manifest_is_an_orphan_and_no_error():
    store = LockingStore()
    store.locked.add(object_key("shop", OLD, "app.dump.zst"))
    assert delete_set(store, "shop", OLD, ("app.dump.zst", "manifest.json")) == ""
    assert [each.id for each in store.catalogue().orphans()] == [OLD]


def test_another_refusal_is_not_taken_for_a_lock():
    class Broken(MemoryStore):
        def delete(self, key):
            raise Refused("no", code="store.exists")

    with pytest.raises(Refused, match="no"):
        delete_unless_retained(Broken(), "shop/x")
