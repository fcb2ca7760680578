# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prunes that cover WAL: what a base needs stays, whatever happens in between."""
from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import pytest

from _restorable.errors import Unavailable
from _restorable.model.base import BaseReport
from _restorable.model.manifest import Manifest
from _restorable.model.naming import BackupId, manifest_key, object_key
from _restorable.model.object_lock import ObjectLock
from _restorable.model.policy import Policy
from _restorable.model.wal import Segment
from _restorable.model.wal_naming import binding_key, parse_wal_key, quarantine_key, wal_key
from _restorable.ops.prune import prune
from _restorable.ops.world import World
from kit.fault import Fault, Faults
from kit.faulty_store import FaultyStore
from kit.frozen_clock import FrozenClock
from kit.memory_store import MemoryStore
from kit.wal import MIB

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=timezone.utc)
WINDOW = timedelta(days=7)
KEEP_ONE = Policy.of({"last": 1, "min_keep": 0, "min_age": 0, "max_delete_percent": 100})
KEEP_ALL = Policy.of({"last": 100})
DOWN = Unavailable("repository is away", code="store.unreachable")


def wal_of(store):
    return sorted(found.name for key in store.objects if "/wal/" in key for found in [parse_wal_key(key)] if found)


def names(*numbers, timeline=1):
    return [Segment(timeline, number, MIB).name for number in numbers]


def put_base(store, days, first, last, *, timeline=1, parent=None):
    """Commit a base backup of so many days ago that needs the segments first to last."""
    backup = BackupId(NOW - timedelta(days=days), "incr" if parent else "base")
    report = BaseReport(f"0/{first * MIB + 40:X}", f"0/{(last + 1) * MIB:X}", timeline, backup.time.isoformat(), 1, 1,
                        MIB, parent=str(parent or ""))
    manifest = Manifest(id=backup, cluster="shop", tool="restorable", begun=backup.time, ended=backup.time, server={},
                        items=(), base=report)
    store.objects[object_key("shop", backup, "base.tar.zst")] = b"x"
    store.objects[manifest_key("shop", backup)] = manifest.as_json()
    return backup


@pytest.fixture
def store():
    """A repository with 60 segments, a history file, a refused file, and three bases."""
    store = MemoryStore()
    for name in [*names(*range(60)), "00000002.history", f"{names(3)[0]}.partial"]:
        store.objects[wal_key("shop", name, "ab" * 32, ".zst")] = b"x" * 10
    store.objects[binding_key("shop", MIB)] = json.dumps({"segment_size": MIB}).encode()
    store.objects[quarantine_key("shop", names(5)[0], "cd" * 32, ".zst")] = b"y"
    store.objects["shop/wal/notes of a person.txt"] = b"mine"
    for days, first, last in ((20, 5, 6), (9, 30, 31), (1, 50, 51)):
        put_base(store, days, first, last)
    return store


def world(*stores):
    lock = SimpleNamespace(hold=lambda *_words, **_options: nullcontext())
    silent = SimpleNamespace(phase=lambda *_words: None, advance=lambda _count: None)
    return World("shop", stores, FrozenClock(NOW), silent, lock, lock, None)


def test_the_window_and_the_wal_of_every_kept_base_stay_and_the_rest_goes(store):
    [report] = prune(world(store), KEEP_ALL, bases=KEEP_ALL, window=WINDOW)
    assert wal_of(store) == sorted([*names(5, 6, *range(30, 60)), "00000002.history"])
    assert report.wal.count == 60 - 32 + 1 and report.wal.freed == 290 and report.deleted
    assert "shop/wal/notes of a person.txt" in store.objects
    assert quarantine_key("shop", names(5)[0], "cd" * 32, ".zst") in store.objects


def test_a_dry_run_plans_the_same_and_deletes_nothing(store):
    before = dict(store.objects)
    [planned] = prune(world(store), KEEP_ALL, bases=KEEP_ALL, window=WINDOW, dry_run=True)
    assert store.objects == before and not planned.deleted
    [done] = prune(world(store), KEEP_ALL, bases=KEEP_ALL, window=WINDOW)
    assert done.wal.fates == planned.wal.fates


def test_the_wal_of_a_base_that_goes_in_the_same_run_goes_too(store):
    prune(world(store), KEEP_ALL, bases=KEEP_ONE, window=WINDOW)
    assert wal_of(store) == sorted([*names(*range(50, 60)), "00000002.history"])


def test_without_a_window_everything_since_the_oldest_base_stays(store):
    prune(world(store), KEEP_ALL, bases=KEEP_ALL)
    assert wal_of(store) == sorted([*names(*range(5, 60)), "00000002.history"])


@pytest.mark.parametrize("where", ["cluster", "repository"])
def test_of_a_tier_without_pitr_the_base_backups_own_wal_stays_alone(store, where):
    tiers = {"daily": 2, "min_keep": 0, "min_age": 0, "max_delete_percent": 100}
    alone = Policy.of({**tiers, "monthly": {"keep": 12, "pitr": False}}, bases=True)
    here = world(store) if where == "cluster" else replace(world(store), retentions={store.name: {"base": alone}})
    prune(here, KEEP_ALL, bases=alone if where == "cluster" else KEEP_ALL)
    # the base of October 31 stays for the month's sake, those of this month for their days
    assert wal_of(store) == sorted([*names(5, 6, *range(30, 60)), "00000002.history"])


def test_without_a_base_nothing_goes(store):
    for key in [key for key in store.objects if "/backup/" in key]:
        store.delete(key)
    [report] = prune(world(store), KEEP_ALL, bases=KEEP_ALL, window=WINDOW)
    assert report.wal.count == 0 and len(wal_of(store)) == 62


def test_a_base_whose_manifest_cannot_be_read_keeps_all_wal(store):
    [key] = [key for key in store.objects if "20261119" in key and key.endswith("manifest.json")]
    store.objects[key] = b"rotten"
    [report] = prune(world(store), KEEP_ALL, bases=KEEP_ALL, window=WINDOW)
    assert report.wal.count == 0 and "cannot be read" in report.wal.fates[0].reason


@pytest.mark.parametrize("nth", range(1, 30, 4))
def test_an_interrupted_prune_goes_on_and_ends_at_the_same(store, nth):
    whole = MemoryStore()
    whole.objects = dict(store.objects)
    prune(world(whole), KEEP_ALL, bases=KEEP_ALL, window=WINDOW)
    faults = Faults(Fault("delete", DOWN, nth))
    with pytest.raises(Unavailable):
        prune(world(FaultyStore(store, faults)), KEEP_ALL, bases=KEEP_ALL, window=WINDOW)
    assert set(names(5, 6, *range(30, 60))) <= set(wal_of(store))
    prune(world(store), KEEP_ALL, bases=KEEP_ALL, window=WINDOW)
    assert wal_of(store) == wal_of(whole)


def test_wal_that_arrives_between_plan_and_deletion_stays(store):
    class Arriving(MemoryStore):
        def delete(self, key):
            super().delete(key)
            self.objects[wal_key("shop", names(60)[0], "ab" * 32, ".zst")] = b"new"

    arriving = Arriving()
    arriving.objects = store.objects
    prune(world(arriving), KEEP_ALL, bases=KEEP_ALL, window=WINDOW)
    assert names(60)[0] in wal_of(arriving)


def test_each_repository_is_judged_by_its_own_bases(store):
    other = MemoryStore("other")
    other.objects = {key: data for key, data in store.objects.items() if "20261031" not in key}
    reports = prune(world(store, other), KEEP_ALL, bases=KEEP_ALL, window=WINDOW)
    assert set(names(5, 6)) <= set(wal_of(store)) and not set(names(5, 6)) & set(wal_of(other))
    assert [each.wal.count for each in reports] == [29, 31]


class Locks:
    """Notes until when what is locked; no lock is made shorter."""

    settings = ObjectLock.of({"days": 1, "daily": 10, "weekly": 35}, "test")

    def __init__(self):
        self.until = {}

    def extend(self, keys, until):
        self.until.update((key, max(until, self.until.get(key, until))) for key in keys)
        return len(keys)


def locked_days(store, names):
    """Return for how many days from now the files are locked."""
    return [round((until - NOW).total_seconds() / 86400) if until else 0 for name in names
            for until in [next((store.locks.until.get(key) for key in store.objects if f"/{name}-" in key), None)]]


def test_the_wal_and_the_parent_of_a_base_are_locked_as_long_as_it_and_other_wal_is_not_locked_longer(store):
    store.locks = Locks()
    put_base(store, 0.25, 55, 56, parent=BackupId(NOW - timedelta(days=1), "base"))
    put_base(store, 8.5, 35, 35, timeline=2)
    store.objects[wal_key("shop", names(35, timeline=2)[0], "ab" * 32, ".zst")] = b"x"
    [report] = prune(world(store), KEEP_ALL, window=WINDOW, bases=Policy.of(
        {"daily": 2, "weekly": 3, "min_keep": 0, "min_age": 0, "max_delete_percent": 100}))
    kept = {str(row.id): row.reasons[0] for row in report.plan.kept}
    assert kept == {"20261119T210000Z-incr": "daily#1", "20261119T030000Z-base": "parent of 20261119T210000Z-incr",
                    "20261111T150000Z-base": "daily#2", "20261031T030000Z-base": "weekly#2"}
    sets = {key.split("/")[2]: round((until - NOW).total_seconds() / 3600) / 24
            for key, until in store.locks.until.items() if "/backup/" in key}
    # a day's tier locks for 10 days, a week's for 35; a parent is locked as long as what stands on it
    assert sets == {"20261119T210000Z-incr": 9.75, "20261119T030000Z-base": 9.75, "20261111T150000Z-base": 26.5,
                    "20261031T030000Z-base": 15}
    assert locked_days(store, names(5, 6)) == [15, 15]             # of the oldest base
    assert locked_days(store, [*names(35, timeline=2), "00000002.history"]) == [26, 26]
    assert locked_days(store, names(50, 51, 55, 56)) == [10] * 4   # of the parent, and of the incremental
    assert locked_days(store, names(52, 57, 36)) == [0] * 3        # later moments
    assert store.locks.until[binding_key("shop", MIB)] == max(store.locks.until.values())


def test_where_no_tier_asks_for_a_lock_no_wal_is_locked(store):
    store.locks = Locks()
    prune(world(store), KEEP_ALL, bases=KEEP_ALL, window=WINDOW)
    assert store.locks.until == {}
