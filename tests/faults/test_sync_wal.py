# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sync brings the WAL that the target keeps, in a memory that grows with neither the files nor their size."""
from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from faults.test_wal_prune import KEEP_ALL, names, put_base, wal_of, world

from _restorable.host.keyfiles import KeyFiles
from _restorable.model.encryption import Encryption
from _restorable.model.reading import Reader
from _restorable.model.wal_naming import binding_key, wal_key
from _restorable.ops.prune import prune
from _restorable.ops.sync_wal import copy_wal
from _restorable.ops.world import read_catalogue
from _restorable.stream.keyring import Keyring
from kit.agekeys import make_pair
from kit.memory_store import MemoryStore
from kit.wal import MIB, NAMES

WINDOW = timedelta(days=7)


def put_wal(store, *numbers):
    for name in [*names(*numbers), "00000002.history"]:
        data = name.encode() * 2
        store.objects[wal_key("shop", name, hashlib.sha256(data).hexdigest(), "")] = data
    store.objects[binding_key("shop", MIB)] = json.dumps({"segment_size": MIB}).encode()


@pytest.fixture
def source():
    """A repository with 60 segments and bases of 20, 9 and 1 days ago."""
    store = MemoryStore("disk")
    put_wal(store, *range(60))
    for days, first, last in ((20, 5, 6), (9, 30, 31), (1, 50, 51)):
        put_base(store, days, first, last)
    return store


@pytest.fixture
def target(source):
    """One that has the same bases, and its WAL from segment 55 on."""
    store = MemoryStore("vault")
    put_wal(store, *range(55, 60))
    store.objects.update({key: data for key, data in source.objects.items() if "/backup/" in key})
    return store


def test_what_the_targets_own_prune_would_delete_does_not_come(source, target):
    done = copy_wal(world(target, source), target, [source], WINDOW, dry_run=False)
    assert wal_of(target) == sorted([*names(5, 6, *range(30, 60)), "00000002.history"])
    assert (done.count, done.damaged, done.conflicts) == (27, [], [])
    [pruned] = prune(world(target), KEEP_ALL, bases=KEEP_ALL, window=WINDOW)
    assert (pruned.wal.count, copy_wal(world(target, source), target, [source], WINDOW, dry_run=False).count) == (0, 0)


def test_without_a_window_all_comes_that_any_base_of_the_target_can_use(source, target):
    copy_wal(world(target, source), target, [source], None, dry_run=False)
    assert wal_of(target) == sorted([*names(*range(5, 60)), "00000002.history"])


def test_without_a_base_in_the_target_all_wal_comes(source):
    target = MemoryStore("vault")
    put_wal(target)
    copy_wal(world(target, source), target, [source], WINDOW, dry_run=False)
    assert len(wal_of(target)) == 61


@pytest.mark.parametrize(("days", "count"), [((20, 9, 1), 33), ((1,), 11)])
def test_a_dry_run_counts_what_the_bases_that_come_will_need_and_no_others(source, days, count):
    target = MemoryStore("vault")
    put_wal(target)
    coming = [each.id for each in read_catalogue(source, "shop").committed()][-len(days):]
    told = copy_wal(world(target, source), target, [source], WINDOW, dry_run=True, coming=coming)
    assert (told.count, len(wal_of(target))) == (count - 1, 1)
    for each in coming:                # as the sync brings them before the WAL
        target.objects.update({key: data for key, data in source.objects.items() if f"/{each}/" in key})
    assert copy_wal(world(target, source), target, [source], WINDOW, dry_run=False).count == told.count


def test_each_file_comes_once_from_the_first_repository_that_has_it_whole(source, target):
    third = MemoryStore("third")
    third.objects.update(source.objects)
    for number, place in ((40, source), (41, third), (42, source), (42, third)):
        data = names(number)[0].encode() * 2
        place.objects[wal_key("shop", names(number)[0], hashlib.sha256(data).hexdigest(), "")] = data[:-1]
    told = copy_wal(world(target, source, third), target, [source, third], WINDOW, dry_run=True)
    done = copy_wal(world(target, source, third), target, [source, third], WINDOW, dry_run=False)
    assert (told.count, done.count, len(done.damaged)) == (27, 26, 1)
    assert done.damaged[0].startswith("third:shop/wal/") and names(42)[0] in done.damaged[0]
    assert names(42)[0] not in wal_of(target)


class Trickling(MemoryStore):
    """Gives an object in pieces, and knows how many of them were asked for."""

    asked = 0

    def get(self, key):
        data = self.objects[key]
        for at in range(0, len(data), 64 * 1024):
            self.asked += 1
            yield data[at:at + 64 * 1024]


class Counting(MemoryStore):
    """Knows how far the source was read when its first piece came."""

    begun = None

    def put(self, key, chunks):
        def passing():
            for chunk in chunks:
                if self.begun is None:
                    self.begun = self.source.asked
                yield chunk
        return super().put(key, passing())


def keyring(**settings):
    return Keyring(KeyFiles(Encryption.of(Reader({"encryption": {"required": False, **settings}}, "settings"))))


@pytest.mark.parametrize("identity", ["none", "another one"])
def test_a_file_that_nobody_opens_here_passes_without_being_held(tmp_path, identity):
    """A segment may be a gigabyte long."""
    key, other = make_pair(tmp_path / "key"), make_pair(tmp_path / "other")
    source, target = Trickling("disk"), Counting("vault")
    target.source = source
    sealing = keyring(recipients=[key.public]).sealing()
    data = b"".join(sealing([bytes(MIB)] * 20))
    source.objects[wal_key("shop", NAMES[0], "ab" * 32, ".age")] = data
    keys = keyring(identity_file=str(other.path)) if identity == "another one" else keyring()
    beside = replace(world(target, source), keys=keys)
    done = copy_wal(beside, target, [source], None, dry_run=False)
    assert (done.count, done.unopened, list(target.objects.values())) == (1, 1, [data])
    assert target.begun <= 8 < source.asked / 10
