# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shipper under every fault: nothing lost, nothing acknowledged early, nothing overwritten."""
from __future__ import annotations

import hashlib
import itertools
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from _restorable.errors import Damaged, Refused, RestorableError, Unavailable
from _restorable.host.wal_source import OneFile, PgWal, ServerSpool
from _restorable.model.settings import Settings
from _restorable.model.wal_catalogue import WalCatalogue
from _restorable.model.wal_naming import parse_wal_key, quarantine_prefix, wal_prefix
from _restorable.model.wal_order import Growth, Sample
from _restorable.ops.wal_archive import WalArchive
from _restorable.ops.wal_ship import Shipper
from _restorable.ops.world import World
from _restorable.stream.compress import decompressor
from kit.fault import Fault, Faults
from kit.faulty_store import FaultyStore
from kit.frozen_clock import FrozenClock
from kit.memory_store import MemoryStore
from kit.small_disk import run_in_tmpfs
from kit.wal import MIB, NAMES, SYSTEM, FakeServer, segment_bytes, text_bytes

DOWN = Unavailable("repository memory is away", code="store.unreachable")
FULL = Unavailable("repository memory is full", code="store.full")


def job(**options):
    body = {"repositories": {"local": {"path": "/r"}}, "clusters": {"shop": {"wal": {"method": "push", **options}}}}
    return Settings.of(body).cluster("shop").wal


@pytest.fixture
def server(tmp_path):
    return FakeServer(tmp_path / "data")


@pytest.fixture
def spool(tmp_path, server):
    return ServerSpool(str(tmp_path / "spool"), PgWal(str(server.data)))


def ship(server, spool, *stores, **options):
    """Ship what waits, once, and return what the shipper told."""
    told = []
    world = World("shop", stores, FrozenClock(), None, None, None, None)
    shipper = Shipper(WalArchive(world, job(**options)), PgWal(str(server.data)), spool, world.clock,
                      lambda _seconds: None, told.append)
    shipper.drain()
    return told


def held(store):
    """Return {name: plain bytes} of all WAL that a store holds."""
    found = {}
    for key in list(store.objects):    # a shipper may be at work
        if key.startswith(wal_prefix("shop")) and not key.endswith(".json"):
            name = key.rpartition("/")[2].partition("-")[0]
            packed = [store.objects[key]]
            found[name] = b"".join(decompressor("zstd")(packed)) if key.endswith(".zst") else packed[0]
    return found


def test_what_waits_is_archived_as_it_is_and_only_then_acknowledged(server, spool):
    store, names = MemoryStore(), ["00000002.history", *NAMES[:5], f"{NAMES[6]}.partial", f"{NAMES[1]}.00000028.backup"]
    server.finish(*names)
    ship(server, spool, store)
    assert spool.acknowledged() == set(names)
    assert held(store) == {name: (server.wal / name).read_bytes() for name in names}


def test_history_comes_first_and_then_the_oldest(server, spool):
    server.finish(NAMES[3], NAMES[1], "00000002.history")
    assert PgWal(str(server.data)).ready() == ["00000002.history", NAMES[1], NAMES[3]]


def test_what_postgresql_has_taken_notice_of_is_forgotten(server, spool):
    store = MemoryStore()
    server.finish(*NAMES[:2])
    ship(server, spool, store)
    server.archived(NAMES[0])
    ship(server, spool, store)
    assert spool.acknowledged() == {NAMES[1]}


@pytest.mark.parametrize("verb", ["list", "put"])
@pytest.mark.parametrize("nth", range(1, 7))
def test_a_storage_failure_at_each_call_acknowledges_nothing_early_and_a_rerun_heals(server, spool, verb, nth):
    store = MemoryStore()
    server.finish(*NAMES[:3])
    faults = Faults(Fault(verb, DOWN, nth))
    ship(server, spool, FaultyStore(store, faults), workers=1)
    assert spool.acknowledged() <= set(held(store))
    if faults.planned[0].reached:
        assert len(spool.acknowledged()) < 3
    ship(server, spool, store)
    assert set(held(store)) == set(NAMES[:3]) == spool.acknowledged()
    assert all(held(store)[name] == segment_bytes(name) for name in NAMES[:3])


@pytest.mark.parametrize("after", [0, 10, 100])
def test_a_repository_that_fills_up_in_the_middle_shows_nothing_of_the_segment(server, spool, after):
    store = MemoryStore()
    server.finish(NAMES[0])
    faults = Faults(Fault("put", FULL, nth=3, after_bytes=after))      # after the two bindings
    told = ship(server, spool, FaultyStore(store, faults))
    assert faults.planned[0].reached
    assert not held(store) and not spool.acknowledged()
    assert any("repository memory is full" in line for line in told)
    assert (spool_text(spool, NAMES[0])) == "3 repository memory is full\n"


def test_a_disk_that_fills_up_keeps_what_is_whole_and_the_rest_follows_once_there_is_room(tmp_path):
    (tmp_path / "small").mkdir()
    out = run_in_tmpfs(tmp_path / "small", f"""
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
import os
from pathlib import Path
from faults.test_wal_shipping import PgWal, ServerSpool, ship
from _restorable.store.local import LocalStore
from kit.wal import NAMES, FakeServer, segment_bytes
server = FakeServer(Path({str(tmp_path / 'data')!r}))
spool = ServerSpool({str(tmp_path / 'spool')!r}, PgWal(str(server.data)))
store = LocalStore('local', FOLDER + '/repository')
for name in NAMES[:2]:                 # one after the other: side by side each may take the other's room
    server.finish(name)
    head = segment_bytes(name)[:4096]
    (server.wal / name).write_bytes(head + os.urandom(2**20 - 4096))
    for said in ship(server, spool, store, workers=1):
        print(said)
print('first', sorted(spool.acknowledged()) == [NAMES[0]], os.listdir(FOLDER + '/repository/.part'))
remount()
ship(server, spool, store)
print('then', sorted(spool.acknowledged()) == list(NAMES[:2]))
""", options="size=1800k", remount="size=8m")
    assert "is full" in out or "No space left" in out
    assert out.splitlines()[-2:] == ["first True []", "then True"]


def spool_text(spool, name):
    with open(os.path.join(spool.folder, f"{name}.error"), encoding="utf-8") as file:
        return file.read()


def test_an_identical_file_again_is_fine(server, spool):
    store = MemoryStore()
    server.finish(NAMES[0])
    ship(server, spool, store)
    before = dict(store.objects)
    ship(server, spool, store)
    assert spool.acknowledged() == {NAMES[0]} and store.objects == before


def test_a_spool_that_was_lost_is_made_again_and_nothing_is_stored_twice(server, spool):
    store = MemoryStore()
    server.finish(*NAMES[:2])
    ship(server, spool, store)
    before = dict(store.objects)
    shutil.rmtree(spool.folder)
    ship(server, spool, store)
    assert spool.acknowledged() == set(NAMES[:2]) and store.objects == before


@pytest.mark.parametrize("name", [NAMES[0], "00000002.history"])
def test_the_same_name_with_other_content_is_refused_and_kept_in_quarantine(server, spool, name):
    store = MemoryStore()
    server.finish(name)
    ship(server, spool, store)
    first = held(store)[name]
    server.archived(name)
    server.finish(name, fill=b"other")
    if name.endswith(".history"):
        (server.wal / name).write_bytes(text_bytes(name, left=4))
    told = ship(server, spool, store)
    assert not spool.acknowledged()
    assert held(store)[name] == first
    [kept] = [key for key in store.objects if key.startswith(quarantine_prefix("shop"))]
    assert name in kept and any("with other content" in line and kept in line for line in told)
    assert spool_text(spool, name).startswith("4 file ")
    ship(server, spool, store)
    assert len([key for key in store.objects if key.startswith(quarantine_prefix("shop"))]) == 1


def test_a_second_primary_on_the_same_repository_is_refused(server, spool, tmp_path):
    store = MemoryStore()
    server.finish(NAMES[0])
    ship(server, spool, store)
    other = FakeServer(tmp_path / "other", system=SYSTEM + 1)
    other.finish(NAMES[1])
    other_spool = ServerSpool(str(tmp_path / "spool2"), PgWal(str(other.data)))
    told = ship(other, other_spool, store)
    assert not other_spool.acknowledged() and NAMES[1] not in held(store)
    assert f"bound to the system identifier {SYSTEM}, this WAL is of {SYSTEM + 1}" in told[0]


def test_another_segment_size_is_refused(server, spool):
    store = MemoryStore()
    server.finish(NAMES[0])
    ship(server, spool, store)
    name = "000000010000000000000009"
    (server.wal / name).write_bytes(segment_bytes(name, size=2 * MIB))
    with pytest.raises(Refused, match="holds segments of 1048576 bytes, this server's have 2097152"):
        push(store, server.wal / name)


def push(store, path, *, pause=time.sleep, **options):
    world = World("shop", (store,), FrozenClock(), None, None, None, None)
    return WalArchive(world, job(**options), pause).add(OneFile(str(path)), os.path.basename(path))


@pytest.mark.parametrize(("content", "words"), [
    (b"", "is empty|does not begin"), (b"\0" * MIB, "does not begin as a WAL segment"),
    (segment_bytes(NAMES[1]), "is not what|begins with place"), (segment_bytes(NAMES[0])[:-8192], "has 1040384 bytes")])
def test_what_is_not_the_segment_its_name_says_is_never_archived(tmp_path, content, words):
    store = MemoryStore()
    (tmp_path / NAMES[0]).write_bytes(content)
    with pytest.raises(Damaged, match=words):
        push(store, tmp_path / NAMES[0])
    assert not store.objects


@pytest.mark.parametrize("size", [16 * MIB, 32 * MIB])
def test_large_segments_are_archived_byte_for_byte(server, spool, size):
    """One of 16 MiB is read once, into a buffer that it fills; a larger one is read again for each repository."""
    near, away = MemoryStore("near"), MemoryStore("away")
    server.finish(NAMES[0])
    content = segment_bytes(NAMES[0], size=size)[:-MIB] + os.urandom(MIB)
    (server.wal / NAMES[0]).write_bytes(content)
    ship(server, spool, near, away)
    assert held(near) == held(away) == {NAMES[0]: content}
    key, = (key for key in near.objects if NAMES[0] in key)
    assert hashlib.sha256(content).hexdigest().startswith(parse_wal_key(key).digest)


def test_the_first_segment_of_a_new_timeline_still_names_its_parent(tmp_path):
    store, name = MemoryStore(), "000000020000000000000005"
    (tmp_path / name).write_bytes(segment_bytes(name, timeline=1))
    assert push(store, tmp_path / name).stored == ("memory",)


class TestTwoRepositories:
    """One of them is down."""

    def stores(self, *, down="list"):
        away = FaultyStore(MemoryStore("away"), Faults(*(Fault(down, DOWN) for _call in range(40))))
        return MemoryStore("near"), away

    def test_durable_all_acknowledges_nothing_and_the_other_repository_has_it_all_the_same(self, server, spool):
        near, away = self.stores()
        server.finish(NAMES[0])
        ship(server, spool, near, away)
        assert set(held(near)) == {NAMES[0]} and not spool.acknowledged()
        ship(server, spool, near, away.inner)
        assert held(near) == held(away.inner) and spool.acknowledged() == {NAMES[0]}

    def test_durable_any_acknowledges_and_says_what_is_lacking(self, server, spool):
        near, away = self.stores()
        server.finish(NAMES[0])
        told = ship(server, spool, near, away, durable="any")
        assert spool.acknowledged() == {NAMES[0]}
        assert told == [f"repository away lacks {NAMES[0]}: repository memory is away"]
        assert "away" in spool.read_report()["behind"]

    def test_durable_any_with_both_down_acknowledges_nothing(self, server, spool):
        server.finish(NAMES[0])
        ship(server, spool, self.stores()[1], self.stores()[1], durable="any")
        assert not spool.acknowledged()

    def test_durable_any_never_forgives_a_conflict(self, server, spool):
        near, away = MemoryStore("near"), MemoryStore("away")
        server.finish(NAMES[0])
        ship(server, spool, near)
        server.finish(NAMES[0], fill=b"other")
        ship(server, spool, away, near, durable="any")
        assert not spool.acknowledged()


def test_the_report_tells_a_monitor_what_waits_and_why(server, spool):
    server.finish(*NAMES[:2])
    ship(server, spool, FaultyStore(MemoryStore(), Faults(*(Fault("put", DOWN) for _call in range(40)))))
    found = spool.read_report()
    assert found["waiting"] == 2 and found["oldest_waiting"] == NAMES[0]
    assert found["refused"][NAMES[0]]["code"] == "store.unreachable"
    assert found["pg_wal_bytes"] == 2 * MIB and found["pg_wal_free"] > 0


def test_a_growing_pg_wal_is_told_before_the_disk_is_full():
    growth = Growth()
    for minute in range(5):
        growth = growth.seen(Sample(minute * 60.0, minute * 100 * MIB, 1000 * MIB - minute * 100 * MIB))
    assert growth.seconds_to_full == pytest.approx(360)
    assert growth.warning(25).startswith("25 WAL files wait to be archived, ")
    assert "full in about 6m00s" in growth.warning(25)
    assert growth.warning(0) == ""
    still = Growth((Sample(0, 100, 1), Sample(100, 100, 1)))
    assert still.seconds_to_full is None and still.warning(5) == ""


def test_any_order_and_repetition_leaves_each_name_once(server, spool):
    store = MemoryStore()
    for names in itertools.permutations(NAMES[:3]):
        server.finish(*names)
        ship(server, spool, store, workers=3)
    listing = sorted((key, len(data)) for key, data in store.objects.items() if key.startswith(wal_prefix("shop")))
    found = WalCatalogue.of(listing)
    assert [(each.first, each.last) for each in found.intervals] == [(1, 3)] and not found.conflicts
    assert found.segment_size == MIB


def test_an_error_that_is_none_of_ours_stops_the_shipper_instead_of_being_swallowed(server, spool):
    server.finish(NAMES[0])
    broken = FaultyStore(MemoryStore(), Faults(Fault("put", RuntimeError("a bug"))))
    with pytest.raises(RuntimeError, match="a bug"):
        ship(server, spool, broken)
    assert not spool.acknowledged()


def test_a_spool_that_others_may_write_to_is_refused(server, spool):
    os.makedirs(spool.folder)
    os.chmod(spool.folder, 0o777)
    with pytest.raises(RestorableError, match="may be written to by others"):
        spool.open()


def test_settings_of_wal_are_read_strictly():
    assert replace(job(), spool="/x").wait == 60.0
    assert job().spool == "/var/spool/restorable/shop"
    with pytest.raises(RestorableError, match=r"clusters\.shop\.wal\.spool is '/a b'"):
        job(spool="/a b")
    with pytest.raises(RestorableError, match=r"clusters\.shop\.wal\.durable"):
        job(durable="most")
