# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prunes that are interrupted, see only a part, or are killed: no set is ever broken, and the next run ends it."""
from __future__ import annotations

import signal
import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from _restorable.errors import RestorableError, Unavailable
from _restorable.host.hooks import CommandHooks
from _restorable.host.lock import FileLock
from _restorable.host.progress import Silent
from _restorable.model.catalogue import Catalogue
from _restorable.model.naming import BackupId, manifest_key, object_key
from _restorable.model.policy import Policy
from _restorable.ops.prune import prune
from _restorable.ops.world import World
from _restorable.store.local import LocalStore
from kit.fault import Fault, Faults
from kit.faulty_store import FaultyStore
from kit.frozen_clock import FrozenClock

NAMES = ("app.dump.zst", "app.fingerprint.json.zst", "globals.sql.zst")
DAYS = 6
POLICY = Policy.of({"daily": 3, "min_keep": 1, "min_age": "1h", "max_delete_percent": 100})
DELETES = (DAYS - 3) * (len(NAMES) + 1)


@pytest.fixture
def world(tmp_path):
    """A cluster with a set of each of the last days in each of two repositories, and a clock that stands still."""
    clock = FrozenClock()
    stores = tuple(LocalStore(name, str(tmp_path / name)) for name in ("near", "far"))
    for store in stores:
        for day in range(DAYS):
            backup = BackupId(clock.now() - timedelta(days=day, hours=2), "dump")
            for name in NAMES:
                store.put(object_key("app", backup, name), [b"x" * 100])
            store.put(manifest_key("app", backup), [b"{}"])
    locks = [FileLock(str(tmp_path / name), clock, "cluster app") for name in ("lock", "reading.lock")]
    return World("app", stores, clock, Silent(), locks[0], locks[1], CommandHooks())


def catalogues(world):
    return [Catalogue.of("app", ((each.key, each.size) for each in store.list("app/"))) for store in world.stores]


def keys(world):
    return [[entry.key for entry in store.list("app/backup/")] for store in world.stores]


def broken(world):
    """Return the sets that have a manifest and lack an object."""
    return [str(each.id) for catalogue in catalogues(world) for each in catalogue.committed()
            if len(each.objects) < len(NAMES) + 1]


def failing(world, *faults, store=0):
    """Return the world with one store that fails as planned."""
    stores = list(world.stores)
    stores[store] = FaultyStore(stores[store], Faults(*faults))
    return replace(world, stores=tuple(stores))


@pytest.mark.parametrize("nth", range(1, DELETES + 1))
def test_a_prune_that_fails_at_any_delete_breaks_no_set_and_the_next_one_ends_it(world, nth):
    error = Unavailable("the disk went away", code="store.unreachable")
    with pytest.raises(Unavailable, match="went away"):
        prune(failing(world, Fault("delete", error, nth=nth)), POLICY)
    assert broken(world) == []
    assert all(len(each.committed()) >= 3 for each in catalogues(world))
    world.clock.move(60)
    prune(world, POLICY)
    assert [[str(each.id.time.date()) for each in catalogue.backups] for catalogue in catalogues(world)] == [
        ["2026-11-18", "2026-11-19", "2026-11-20"]] * 2
    assert keys(world)[0] == keys(world)[1]


def test_what_was_kept_in_an_interrupted_prune_is_what_an_uninterrupted_one_keeps(world):
    planned = [[row.id for row in report.plan.dropped] for report in prune(world, POLICY, dry_run=True)]
    prune(world, POLICY)
    left = [{each.id for each in catalogue.backups} for catalogue in catalogues(world)]
    assert all(not left[at] & set(planned[at]) for at in (0, 1))
    assert len(planned[0]) == DAYS - 3


@pytest.mark.parametrize("store", [0, 1], ids=["the first", "the second"])
def test_a_listing_that_breaks_off_deletes_nothing_anywhere(world, store):
    class HalfListed(FaultyStore):
        def list(self, prefix):
            for number, entry in enumerate(self.inner.list(prefix)):
                if number == 7:
                    raise Unavailable("the network went away", code="store.unreachable")
                yield entry
    before = keys(world)
    stores = list(world.stores)
    stores[store] = HalfListed(stores[store], Faults())
    with pytest.raises(Unavailable, match="network"):
        prune(replace(world, stores=tuple(stores)), POLICY)
    assert keys(world) == before


def test_a_guard_that_fires_in_one_repository_deletes_nothing_in_the_other(world):
    far = world.stores[1]
    for entry in list(far.list("app/backup/")):
        if "20261120" in entry.key:
            far.delete(entry.key)
    newest = BackupId(world.clock.now() - timedelta(hours=1), "dump")
    far.put(manifest_key("app", newest), [b"{}"])      # an anomaly: next to nothing
    before = keys(world)
    with pytest.raises(RestorableError) as caught:
        prune(world, POLICY)
    assert (caught.value.code, "repository far" in caught.value.message) == ("prune.size_anomaly", True)
    assert len(caught.value.details["plans"]) == 2
    assert keys(world) == before


def test_an_unwritable_record_is_told_and_repeated(world):
    full = Unavailable("the disk is full", code="store.full")
    with pytest.raises(Unavailable, match="full"):
        prune(failing(world, Fault("put", full)), POLICY)
    assert broken(world) == []
    world.clock.move(60)
    prune(world, POLICY)
    assert [len(each.backups) for each in catalogues(world)] == [3, 3]


def test_a_prune_that_is_killed_midway_leaves_whole_sets_and_orphans_which_the_next_run_sweeps(good):
    for _again in range(3):
        newest = good.taken().id
    while newest.time > datetime.now(timezone.utc):    # four in one second: the last ones are dated ahead
        time.sleep(0.1)
    good.own["retention"] = {"dump": {"last": 1, "min_keep": 1, "min_age": "0"}}
    assert good.killed("prune", "delete from local", advanced=True) == -signal.SIGKILL
    assert len(good.ids()) == 3
    assert [each.verdict for each in good.verify()] == ["passed"] * 3
    assert good.run("prune")[0] == 0
    assert len(good.ids()) == 1
    assert [path for path in good.files() if "/backup/" in path] == sorted(good.files(good.ids()[0]))


def test_keys_that_no_manifest_names_are_never_deleted(world, tmp_path):
    strange = tmp_path / "near" / "app" / "backup" / "README"
    strange.write_text("mine")
    other = tmp_path / "near" / "app" / "backup" / "notes"
    other.mkdir()
    (other / "a.txt").write_text("mine")
    prune(world, POLICY)
    assert (strange.read_text(), (other / "a.txt").read_text()) == ("mine", "mine")
