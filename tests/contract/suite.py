# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every store must do. A new store's test is a subclass with a fixture called store."""
from __future__ import annotations

import hashlib
import threading
import tracemalloc

import pytest

from _restorable.errors import ConfigError, NotFound, Refused
from _restorable.host.clock import SystemClock
from _restorable.host.progress import Silent
from _restorable.ops.check import check_repository

KEY = "shop/backup/20261120T030000Z-dump/app.dump.zst"
MIB = 1024 * 1024


class Boom(Exception):
    """An error that no store knows."""


class StoreContract:
    """Subclass as TestX and give a fixture `store`: an empty, usable store."""

    constant_memory = True             # False for a store that is meant to hold everything in memory
    most_memory = 8 * MIB              # of Python's own, for an object of 64 MiB

    def fill(self, store, keys):
        """Store an x under every key; a store in which that takes long may have a shorter way."""
        for key in keys:
            store.put(key, [b"x"])

    def test_what_was_put_comes_back_with_its_size_and_digest(self, store):
        stored = store.put(KEY, [b"one ", b"", b"two"])
        assert read(store, KEY) == b"one two"
        assert (stored.key, stored.size, stored.sha256) == (KEY, 7, hashlib.sha256(b"one two").hexdigest())

    def test_an_object_may_be_empty(self, store):
        assert store.put(KEY, []).size == 0
        assert read(store, KEY) == b""
        assert [(entry.key, entry.size) for entry in store.list("")] == [(KEY, 0)]

    def test_a_listing_sees_a_put_at_once_and_not_before(self, store):
        def chunks():
            yield b"half"
            assert keys(store) == []
            yield b"whole"

        store.put(KEY, chunks())
        assert [(entry.key, entry.size) for entry in store.list("")] == [(KEY, 9)]

    def test_a_put_never_overwrites(self, store):
        store.put(KEY, [b"first"])
        with pytest.raises(Refused) as caught:
            store.put(KEY, [b"second"])
        assert caught.value.code == "store.exists"
        assert KEY in caught.value.message
        assert read(store, KEY) == b"first"

    def test_a_stream_that_fails_leaves_nothing_and_its_error_passes_through(self, store):
        def chunks():
            yield b"x" * MIB
            raise Boom

        with pytest.raises(Boom):
            store.put(KEY, chunks())
        assert keys(store) == []
        with pytest.raises(NotFound):
            read(store, KEY)
        store.put(KEY, [b"later"])
        assert read(store, KEY) == b"later"

    def test_an_error_of_the_operating_system_in_the_stream_is_not_taken_for_the_stores(self, store):
        def chunks():
            yield b"x"
            raise PermissionError(13, "upstream")

        with pytest.raises(PermissionError):
            store.put(KEY, chunks())
        assert keys(store) == []

    def test_a_refused_put_closes_its_stream(self, store):
        closed = []

        def chunks():
            try:
                yield b"second"
            finally:
                closed.append(True)

        store.put(KEY, [b"first"])
        stream = chunks()
        next(stream)
        with pytest.raises(Refused):
            store.put(KEY, stream)
        assert closed == [True]

    def test_deleting_twice_is_fine(self, store):
        store.put(KEY, [b"x"])
        store.delete(KEY)
        store.delete(KEY)
        store.delete("shop/never/was")
        assert keys(store) == []

    def test_a_deleted_key_can_be_put_again(self, store):
        store.put(KEY, [b"x"])
        store.delete(KEY)
        store.put(KEY, [b"y"])
        assert read(store, KEY) == b"y"

    def test_a_missing_object_is_told_before_the_first_byte(self, store):
        store.put(KEY, [b"x"])
        for key in ("shop/missing", "shop/backup", f"{KEY}/below"):
            with pytest.raises(NotFound) as caught:
                next(iter(store.get(key)))
            assert caught.value.code == "store.missing"
            assert key in caught.value.message

    def test_a_cluster_does_not_see_one_whose_name_begins_alike(self, store):
        store.put("shop/a", [b"1"])
        store.put("shop-old/a", [b"2"])
        store.put("shop.x/a", [b"3"])
        assert keys(store, "shop/") == ["shop/a"]

    def test_a_listing_is_sorted_by_key(self, store):
        names = [f"shop/backup/{number:04}-dump/manifest.json" for number in range(996)]
        odd = ["shop/backup-x", "shop/backup.x", "shop/backup/a", "shop/backup0", "shop/backup/a-b"]
        self.fill(store, [*reversed(names), *odd])
        assert len(names + odd) == 1001
        assert keys(store) == sorted(names + odd)
        assert keys(store, "shop/backup/00") == sorted(names)[:100]

    def test_a_prefix_may_end_inside_a_name_or_be_a_whole_key(self, store):
        store.put("shop/backup/20261120T030000Z-dump/a", [b"1"])
        store.put("shop/backup/20261121T030000Z-dump/a", [b"2"])
        assert keys(store, "shop/backup/20261121") == ["shop/backup/20261121T030000Z-dump/a"]
        assert keys(store, "shop/backup/20261121T030000Z-dump/a") == ["shop/backup/20261121T030000Z-dump/a"]
        assert keys(store, "shop/nothing/") == []

    @pytest.mark.parametrize("name", ["%4D%C3%B6bel%2050%25.dump.zst", "a b", "Möbel", "quote'\"", "back\\slash", "a:b",
                                      "-rf", "*", "~", "x" * 200, "manifest.json.part"])
    def test_odd_names_are_names(self, store, name):
        store.put(f"shop/backup/x/{name}", [b"odd"])
        assert keys(store) == [f"shop/backup/x/{name}"]
        assert read(store, f"shop/backup/x/{name}") == b"odd"

    @pytest.mark.parametrize("key", ["", "/etc/passwd", "shop/../x", "shop//x", "shop/", ".hidden/x", "shop/.x", "a\0b",
                                     "a\nb"])
    def test_what_is_no_key_is_refused(self, store, key):
        with pytest.raises(ConfigError) as caught:
            store.put(key, [b"x"])
        assert caught.value.code == "store.key"
        assert keys(store) == []

    def test_of_two_writers_of_one_key_exactly_one_wins(self, store):
        both = threading.Barrier(2, timeout=20)
        outcome = []

        def write(text):
            def chunks():
                yield text
                both.wait()
                yield text

            try:
                outcome.append(store.put(KEY, chunks()).sha256)
            except Refused as error:
                outcome.append(error.code)

        threads = [threading.Thread(target=write, args=(text,)) for text in (b"one", b"two")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert outcome.count("store.exists") == 1
        assert hashlib.sha256(read(store, KEY)).hexdigest() in outcome
        assert keys(store) == [KEY]

    def test_a_big_object_passes_in_constant_memory(self, store):
        if not self.constant_memory:
            return
        tracemalloc.start()
        try:
            store.put(KEY, (bytes(MIB) for _index in range(64)))
            size = sum(len(chunk) for chunk in store.get(KEY))
            assert size == 64 * MIB
            assert tracemalloc.get_traced_memory()[1] < self.most_memory
        finally:
            tracemalloc.stop()

    @pytest.mark.parametrize("move", [False, True])
    def test_a_file_is_stored_like_a_stream(self, store, tmp_path, move):
        path = tmp_path / "backup.sql.gz"
        path.write_bytes(b"dump" * 1000)
        stored = store.put_file(KEY, str(path), move=move)
        assert (stored.size, stored.sha256) == (4000, hashlib.sha256(b"dump" * 1000).hexdigest())
        assert read(store, KEY) == b"dump" * 1000
        assert path.exists() is not move

    def test_a_file_never_overwrites_and_stays_where_it_is(self, store, tmp_path):
        path = tmp_path / "backup.sql.gz"
        path.write_bytes(b"second")
        store.put(KEY, [b"first"])
        with pytest.raises(Refused):
            store.put_file(KEY, str(path), move=True)
        assert read(store, KEY) == b"first"
        assert path.read_bytes() == b"second"

    def test_a_reader_may_stop_early(self, store):
        store.put(KEY, [b"x" * 3 * MIB])
        chunks = store.get(KEY)
        next(chunks)
        chunks.close()
        store.delete(KEY)

    def test_it_can_be_checked_for_reading_before_it_was_ever_used(self, store):
        store.check(write=False)
        assert keys(store) == []

    def test_it_passes_the_check_that_users_run(self, store):
        probes = check_repository(store, SystemClock(), Silent(), "3f2a", size=2 * MIB)
        # the memory of tests has a time of its own
        assert [each for each in probes if each.result == "failed" and each.name != "clock"] == []
        assert keys(store) == []

    def test_it_can_be_checked_and_says_what_fits(self, store):
        store.check()
        assert keys(store) == []
        free = store.free_bytes()
        assert free is None or free > 0


def keys(store, prefix=""):
    return [entry.key for entry in store.list(prefix)]


def read(store, key):
    return b"".join(store.get(key))
