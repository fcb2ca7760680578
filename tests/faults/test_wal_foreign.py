# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of another server never get into an archive, those without a system identifier and those of a race included."""
from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from faults.test_wal_shipping import held, push, ship, spool_text

from _restorable.errors import Damaged, Refused
from _restorable.host.wal_source import PgWal, ServerSpool
from _restorable.model.wal_naming import quarantine_prefix
from _restorable.store.local import LocalStore
from kit.memory_store import MemoryStore
from kit.wal import MIB, NAMES, SYSTEM, FakeServer, segment_bytes, text_bytes

BACKUP = f"{NAMES[1]}.00000028.backup"
HISTORY = "00000002.history"


def quarantined(store):
    return [key.rpartition("/")[2].partition("-")[0] for key in store.objects
            if key.startswith(quarantine_prefix("shop"))]


def server_with_spool(folder, system):
    server = FakeServer(folder / "data", system=system)
    return server, ServerSpool(str(folder / "spool"), PgWal(str(server.data)))


class TestAnotherServer:
    """Its files without an identifier come before its first segment."""

    @pytest.mark.parametrize("name", [HISTORY, BACKUP])
    @pytest.mark.parametrize("bound_by", [NAMES[0], HISTORY])
    def test_a_file_that_names_no_server_is_known_by_the_control_file_beside_it(self, tmp_path, name, bound_by):
        store = MemoryStore()
        own, spool = server_with_spool(tmp_path / "own", SYSTEM)
        own.finish(bound_by)
        ship(own, spool, store)
        before = dict(store.objects)
        other, other_spool = server_with_spool(tmp_path / "other", SYSTEM + 1)
        other.finish(name)
        [told] = ship(other, other_spool, store)
        assert f"bound to the system identifier {SYSTEM}, this WAL is of {SYSTEM + 1}" in told
        assert store.objects == before and not other_spool.acknowledged()
        assert spool_text(other_spool, name).startswith("4 ")

    def test_a_push_by_hand_knows_it_too(self, tmp_path):
        store = MemoryStore()
        push(store, self.finished(tmp_path / "own", SYSTEM, NAMES[0]))
        with pytest.raises(Refused, match=f"this WAL is of {SYSTEM + 1}"):
            push(store, self.finished(tmp_path / "other", SYSTEM + 1, HISTORY))

    def test_a_segment_of_another_server_in_pg_wal_is_refused_before_anything_is_bound(self, tmp_path):
        store = MemoryStore()
        path = self.finished(tmp_path / "own", SYSTEM, NAMES[0])
        path.write_bytes(segment_bytes(NAMES[0], system=SYSTEM + 1))
        with pytest.raises(Refused, match=f"the server is bound to the system identifier {SYSTEM}"):
            push(store, path)
        assert not store.objects

    def finished(self, folder, system, name):
        server = FakeServer(folder, system=system)
        server.finish(name)
        return server.wal / name

    def test_of_two_that_come_at_the_same_moment_one_is_bound(self, tmp_path):
        store = MeetingStore("cluster.json")
        paths = [self.finished(tmp_path / str(each), SYSTEM + each, NAMES[each]) for each in (0, 1)]
        done = at_once(store, paths)
        assert [type(each) for each in done].count(Refused) == 1
        bound = list(held(store))
        assert [done[NAMES.index(name)] for name in bound] == ["archived"]


class TestAnotherPast:
    """A history file that nothing else is known of."""

    def write(self, folder, name, *left):
        folder.mkdir(exist_ok=True)
        (folder / name).write_text("".join(f"{timeline}\t0/{count * MIB:X}\tno recovery target specified\n"
                                           for timeline, count in left))
        return folder / name

    @pytest.mark.parametrize("order", [(2, 3), (3, 2)])
    @pytest.mark.parametrize("other", [((1, 4), (2, 6)), ((2, 5),)])
    def test_what_contradicts_another_history_file_is_refused_and_kept_in_quarantine(self, tmp_path, order, other):
        store, histories = MemoryStore(), {2: ((1, 3),), 3: other}
        first, second = (self.write(tmp_path, f"0000000{each}.history", *histories[each]) for each in order)
        push(store, first)
        with pytest.raises(Refused, match=f"{second.name} tells another past than {first.name} in repository memory"):
            push(store, second)
        assert list(held(store)) == [first.name] and quarantined(store) == [second.name]

    def test_what_agrees_or_branched_off_elsewhere_is_archived(self, tmp_path):
        store = MemoryStore()
        for name, left in {"00000003.history": ((1, 3), (2, 5)), "00000002.history": ((1, 3),),
                           "00000004.history": ((1, 2),), "00000005.history": ((1, 3), (2, 4))}.items():
            push(store, self.write(tmp_path, name, *left))
        assert len(held(store)) == 4 and not quarantined(store)

    def test_a_backups_history_file_with_other_content_is_kept_in_quarantine(self, tmp_path):
        store = MemoryStore()
        (tmp_path / BACKUP).write_bytes(text_bytes(BACKUP))
        push(store, tmp_path / BACKUP)
        (tmp_path / BACKUP).write_bytes(text_bytes(BACKUP) + b"LABEL: another\n")
        with pytest.raises(Refused, match="with other content"):
            push(store, tmp_path / BACKUP)
        assert held(store) == {BACKUP: text_bytes(BACKUP)} and quarantined(store) == [BACKUP]

    @pytest.mark.parametrize(("name", "content"), [
        (HISTORY, b"nonsense\n"), (HISTORY, b"2\t0/100000\tof itself\n"), (BACKUP, b"nonsense\n"),
        (BACKUP, text_bytes(f"{NAMES[2]}.00000028.backup")), (BACKUP, text_bytes(f"{NAMES[1]}.00000060.backup"))])
    def test_what_is_not_what_its_name_says_is_never_archived(self, tmp_path, name, content):
        store = MemoryStore()
        (tmp_path / name).write_bytes(content)
        with pytest.raises(Damaged, match=name):
            push(store, tmp_path / name)
        assert not store.objects


class MeetingStore(MemoryStore):
    """A store in which two who store a kind of object meet, so that each has looked before the other one stored."""

    def __init__(self, part):
        super().__init__()
        self._part, self._meeting = part, threading.Barrier(2, timeout=60)

    def put(self, key, chunks):
        if self._part in key and "/quarantine/" not in key:
            chunks = list(chunks)
            self._meeting.wait()
        return super().put(key, chunks)


class MeetingDisk(LocalStore):
    """The same in a folder."""

    part, meeting = "", threading.Barrier(2)

    def put(self, key, chunks):
        if self.part in key and "/quarantine/" not in key:
            self.meeting.wait()
        return super().put(key, chunks)


def at_once(store, paths):
    """Push from two threads; return for each the error, or that it is archived."""
    def one(path):
        try:
            push(store, path)
        except Refused as error:
            return error
        return "archived"

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(one, paths))


class TestARace:
    """Two bring other content under one name in the same moment: one is archived, whatever the order."""

    def segments(self, folder, *fills):
        for number, fill in enumerate(fills):
            (folder / str(number)).mkdir()
            (folder / str(number) / NAMES[0]).write_bytes(segment_bytes(NAMES[0], fill=fill))
        return [folder / str(number) / NAMES[0] for number in range(len(fills))]

    @pytest.mark.parametrize("where", ["memory", "disk"])
    def test_exactly_one_of_two_is_archived_and_the_other_kept_in_quarantine(self, tmp_path, where):
        paths = self.segments(tmp_path, b"one", b"other")
        if where == "memory":
            store = MeetingStore(NAMES[0])
        else:
            store = MeetingDisk("local", str(tmp_path / "repository"))
            store.part, store.meeting = NAMES[0], threading.Barrier(2, timeout=60)
        done = at_once(store, paths)
        assert sorted(str(each) for each in done)[0] == "archived"
        [refused] = [each for each in done if each != "archived"]
        assert refused.code == "wal.conflict"
        keys = [entry.key for entry in store.list("shop/") if NAMES[0] in entry.key]
        assert len(keys) == 2 and len([key for key in keys if key.startswith(quarantine_prefix("shop"))]) == 1
        winner = paths[done.index("archived")]
        assert not push(store, winner).stored          # it is there

    def test_the_same_content_from_two_is_archived_once_and_both_are_told_so(self, tmp_path):
        store = MeetingStore(NAMES[0])
        assert at_once(store, self.segments(tmp_path, b"one", b"one")) == ["archived"] * 2
        assert list(held(store)) == [NAMES[0]] and not quarantined(store)

    @pytest.mark.parametrize("late", [0, 1])
    def test_who_looked_before_another_one_was_done_goes_away_again(self, tmp_path, late):
        paths = self.segments(tmp_path, b"one", b"other")
        first = paths[1 - late]

        class Late(MemoryStore):
            def put(self, key, chunks):
                chunks = list(chunks)
                if NAMES[0] in key and not self.done:
                    self.done = True
                    push(self, first)
                return super().put(key, chunks)

        store = Late()
        store.done = False
        with pytest.raises(Refused, match="with other content"):
            push(store, paths[late], pause=lambda _seconds: None)
        assert held(store) == {NAMES[0]: first.read_bytes()} and quarantined(store) == [NAMES[0]]
