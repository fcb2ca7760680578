# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import threading
import time
import tracemalloc

import pytest

from _restorable.errors import Refused, ToolFailed, Unavailable
from _restorable.stream.program import read_from
from _restorable.stream.tee import put_everywhere
from kit.fault import Fault, Faults
from kit.faulty_store import FaultyStore
from kit.leftovers import nothing_left
from kit.memory_store import MemoryStore

KEY = "shop/backup/20261120T030000Z-dump/app.dump"
MIB = 1024 * 1024
FULL = Unavailable("the disk is full", code="store.full")


def three():
    return [MemoryStore(name) for name in ("near", "far", "farther")]


def test_every_store_gets_the_same_bytes_from_one_reading():
    stores = three()
    read = []

    def source():
        for number in range(50):
            read.append(number)
            yield b"%d;" % number

    with nothing_left():
        stored = put_everywhere(stores, KEY, source())
    assert read == list(range(50))
    assert len({each.sha256 for each in stored}) == 1
    assert [store.objects[KEY] for store in stores] == [b"".join(b"%d;" % number for number in range(50))] * 3


def test_one_store_needs_no_thread():
    seen = []

    def source():
        seen.append(threading.active_count())
        yield b"x"

    before = threading.active_count()
    put_everywhere([MemoryStore()], KEY, source())
    assert seen == [before]


@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.parametrize("after", [None, 0, 5 * MIB, 10 * MIB - 1])
def test_one_store_that_fails_fails_all_and_none_shows_the_object(which, after):
    stores = three()
    with Faults(Fault("put", FULL, after_bytes=after)) as faults, nothing_left():
        tried = list(stores)
        tried[which] = FaultyStore(stores[which], faults)
        with pytest.raises(Unavailable, match="the disk is full"):
            put_everywhere(tried, KEY, (bytes(MIB) for _index in range(10)))
    assert [store.objects for store in stores] == [{}, {}, {}]


def test_a_store_that_fails_after_the_others_are_done_takes_the_object_back_from_them():
    class Late(MemoryStore):
        def put(self, key, chunks):
            super().put(key, chunks)
            time.sleep(0.2)
            self.objects.clear()
            raise FULL

    stores = [MemoryStore("near"), Late("far")]
    with nothing_left(), pytest.raises(Unavailable):
        put_everywhere(stores, KEY, [b"x"])
    assert stores[0].objects == {}


def test_an_object_that_was_there_before_stays():
    stores = three()
    stores[1].put(KEY, [b"old"])
    with nothing_left(), pytest.raises(Refused) as caught:
        put_everywhere(stores, KEY, (bytes(MIB) for _index in range(20)))
    assert caught.value.code == "store.exists"
    assert [store.objects for store in stores] == [{}, {KEY: b"old"}, {}]


def test_a_reading_that_fails_leaves_nothing_anywhere_and_its_error_is_told():
    stores = three()
    with nothing_left(), pytest.raises(ToolFailed, match="status 3"):
        put_everywhere(stores, KEY, read_from(["sh", "-c", "head -c 3000000 /dev/zero; exit 3"]))
    assert [store.objects for store in stores] == [{}, {}, {}]


def test_a_reading_that_fails_is_never_visible_in_part_not_even_for_a_moment():
    finished = []

    class Watched(MemoryStore):
        def put(self, key, chunks):
            stored = super().put(key, chunks)
            finished.append(self.name)
            return stored

    def source():
        yield b"half"
        raise KeyError

    with nothing_left(), pytest.raises(KeyError):
        put_everywhere([Watched("near"), Watched("far")], KEY, source())
    assert finished == []


def test_an_error_of_a_store_kills_the_program_that_is_read():
    stores = three()
    with Faults(Fault("put", FULL, after_bytes=MIB)) as faults, nothing_left(), pytest.raises(Unavailable):
        put_everywhere([stores[0], FaultyStore(stores[1], faults)], KEY, read_from(["yes"]))


def test_a_slow_store_holds_the_reading_back_so_memory_stays_small():
    class Slow(MemoryStore):
        def put(self, key, chunks):
            for _chunk in chunks:
                time.sleep(0.005)

    class Fast(MemoryStore):
        def put(self, key, chunks):
            for _chunk in chunks:
                pass

    tracemalloc.start()
    try:
        put_everywhere([Slow("slow"), Fast("fast")], KEY, (bytes(MIB) for _index in range(60)))
        assert tracemalloc.get_traced_memory()[1] < 16 * MIB
    finally:
        tracemalloc.stop()
