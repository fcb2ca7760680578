# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""restore_command: absence is proven or it is not said; what is damaged, unreachable or forbidden is never the end."""
from __future__ import annotations

import json
import os
import socket
import threading
from contextlib import suppress
from types import SimpleNamespace

import pytest

from _restorable.app.cli import main
from _restorable.app.wal_exit import ABSENT, restore_status
from _restorable.errors import ConfigError, Damaged, Refused, Unavailable
from _restorable.host.wal_ahead import AheadFolder, write_whole
from _restorable.model.settings import WalJob
from _restorable.model.wal import Segment
from _restorable.ops.wal_archive import WalArchive
from _restorable.ops.wal_get import get_wal
from _restorable.ops.wal_hole import later_segment
from _restorable.ops.wal_prefetch import Prefetcher
from _restorable.ops.world import World
from _restorable.store.home import MARKER
from kit.agekeys import make_pair
from kit.command import Command
from kit.fault import Fault, Faults
from kit.faulty_store import FaultyStore
from kit.frozen_clock import FrozenClock
from kit.memory_store import MemoryStore
from kit.wal import MIB, NAMES, SYSTEM, GivenWal, segment_bytes

DOWN = Unavailable("repository memory is away", code="store.unreachable")
SILENT = SimpleNamespace(advance=lambda _count: None, phase=lambda *_words: None)


def world(*stores, clock=None):
    return World("shop", stores, clock or FrozenClock(), SILENT, None, None, None)


def archive(store, *names, fill=b""):
    """Put segments into a store the way the shipper does."""
    source = GivenWal(lambda name: segment_bytes(name, fill=fill))
    for name in names:
        WalArchive(world(store), WalJob()).add(source, name)


def get(name, path, *stores, patience=0.0, pause=lambda _seconds: None, clock=None):
    return get_wal(world(*stores, clock=clock), name, lambda chunks: write_whole(str(path), chunks),
                   patience=patience, pause=pause)


def keys_of(store, name):
    return [key for key in store.objects if f"/{name}-" in key]


def test_a_segment_arrives_whole_and_nothing_is_left_beside_it(tmp_path):
    store = MemoryStore()
    archive(store, *NAMES[:2])
    assert get(NAMES[1], tmp_path / "X", store) == "memory"
    assert (tmp_path / "X").read_bytes() == segment_bytes(NAMES[1])
    assert os.listdir(tmp_path) == ["X"] and (tmp_path / "X").stat().st_mode & 0o777 == 0o600


def test_the_end_of_the_archive_is_proven_by_every_repository(tmp_path):
    one, other = MemoryStore("one"), MemoryStore("other")
    archive(one, *NAMES[:3])
    archive(other, *NAMES[:3])
    assert get(NAMES[3], tmp_path / "X", one, other) == ""
    assert get("00000002.history", tmp_path / "X", one, other) == ""
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("error", [DOWN, ConfigError("closed", code="store.denied"), Refused("no marker"),
                                   Damaged("the disk reports an error", code="store.io")])
@pytest.mark.parametrize("down", [0, 1])
def test_absence_in_one_repository_proves_nothing_while_the_other_cannot_be_listed(tmp_path, error, down):
    stores = [MemoryStore("one"), MemoryStore("other")]
    for store in stores:
        archive(store, NAMES[0])
    stores[down] = FaultyStore(stores[down], Faults(Fault("list", error)))
    with pytest.raises(type(error)) as caught:
        get(NAMES[5], tmp_path / "X", *stores)
    assert caught.value is error


@pytest.mark.parametrize("name", [NAMES[0], NAMES[5], "00000002.history"])
def test_an_empty_place_proves_nothing_since_an_unmounted_disk_is_one(tmp_path, name):
    one = MemoryStore("one")
    archive(one, *NAMES[1:3])
    with pytest.raises(Unavailable, match="repository other holds no WAL of cluster shop at all"):
        get(name, tmp_path / "X", MemoryStore("other"), one)


@pytest.mark.parametrize("missing", range(1, 5))
def test_a_missing_middle_segment_is_no_end(tmp_path, missing):
    store = MemoryStore()
    archive(store, *NAMES[:6])
    for key in keys_of(store, NAMES[missing]):
        store.delete(key)
    with pytest.raises(Damaged, match=f"segment {NAMES[missing]} is missing .* has 0000000100000"):
        get(NAMES[missing], tmp_path / "X", store)


@pytest.mark.parametrize(("have", "wanted", "later"), [
    (5, 4, True), (5, 5, False), (5, 6, False), (0x1000, 4, True), (0x10FFF, 0x200, True), (0x200, 0x10FFF, False),
    (0xFFF, 0xFFE, True), (0x1000, 0xFFF, True), (0xFFF, 0x1000, False), (0x12345678, 0x0FFFFFFF, True)])
def test_a_later_segment_is_found_however_far_away_it_is(have, wanted, later):
    store = MemoryStore()
    archive(store, Segment(1, have, MIB).name)
    found = later_segment(store, "shop", Segment(1, wanted, MIB).name)
    assert (found is not None) == later
    assert later_segment(store, "shop", Segment(2, wanted, MIB).name) is None


def test_a_partial_segment_after_the_end_is_no_later_segment(tmp_path):
    store = MemoryStore()
    archive(store, NAMES[0], f"{NAMES[1]}.partial")
    assert get(NAMES[1], tmp_path / "X", store) == ""


@pytest.mark.parametrize("how", ["flipped", "cut", "emptied", "another"])
def test_a_damaged_segment_is_an_error_and_leaves_nothing(tmp_path, how):
    store = MemoryStore()
    archive(store, *NAMES[:2])
    [key], [next_key] = keys_of(store, NAMES[0]), keys_of(store, NAMES[1])
    good = store.objects[key]
    middle = len(good) // 2
    store.objects[key] = {"flipped": good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1:],
                          "cut": good[:middle], "emptied": b"", "another": store.objects[next_key]}[how]
    with pytest.raises(Damaged, match=f"WAL {NAMES[0]} in repository"):
        get(NAMES[0], tmp_path / "X", store)
    assert not os.listdir(tmp_path)


def test_a_damaged_segment_is_fetched_from_the_other_repository(tmp_path):
    one, other = MemoryStore("one"), MemoryStore("other")
    archive(one, NAMES[0])
    archive(other, NAMES[0])
    one.objects[keys_of(one, NAMES[0])[0]] = b"rotten"
    assert get(NAMES[0], tmp_path / "X", one, other) == "other"
    assert (tmp_path / "X").read_bytes() == segment_bytes(NAMES[0])


def test_a_segment_stored_with_two_contents_is_never_chosen_between(tmp_path):
    store = MemoryStore()
    archive(store, NAMES[0])
    other = MemoryStore()
    archive(other, NAMES[0], fill=b"other")
    store.objects.update(other.objects)
    with pytest.raises(Damaged, match="is stored with 2 different contents"):
        get(NAMES[0], tmp_path / "X", store)


def test_a_failure_is_tried_again_for_as_long_as_patience_lasts_and_no_longer(tmp_path):
    store, clock, slept = MemoryStore(), FrozenClock(), []

    def pause(seconds):
        slept.append(seconds)
        clock.move(seconds)

    archive(store, NAMES[0])
    flaky = FaultyStore(store, Faults(Fault("list", DOWN), Fault("list", DOWN)))
    assert get(NAMES[0], tmp_path / "X", flaky, patience=60, pause=pause, clock=clock) == "memory"
    assert slept == [0.5, 1.0]
    dead = FaultyStore(store, Faults(*(Fault("list", DOWN) for _call in range(99))))
    slept.clear()
    with pytest.raises(Unavailable):
        get(NAMES[0], tmp_path / "Y", dead, patience=60, pause=pause, clock=clock)
    assert 50 < sum(slept) <= 60


def test_a_target_that_cannot_be_written_is_an_error(tmp_path):
    store = MemoryStore()
    archive(store, NAMES[0])
    with pytest.raises(Unavailable, match="cannot be written"):
        get(NAMES[0], tmp_path / "absent" / "X", store)


class TestExitStatus:
    """What PostgreSQL sees."""

    @pytest.fixture
    def command(self, tmp_path):
        (tmp_path / "work").mkdir()
        own = {"method": "push", "spool": str(tmp_path / "spool"), "patience": 0}
        command = Command(tmp_path / "work", {"shop": {"wal": own}})
        path = tmp_path / NAMES[0]
        for name in NAMES[:3]:
            path = tmp_path / name
            path.write_bytes(segment_bytes(name))
            assert command("wal-push", str(path)).status == 0
        return command

    def of(self, command, name, tmp_path, *words):
        return command("wal-get", *words, name, str(tmp_path / "X")).status

    def test_there(self, command, tmp_path):
        assert self.of(command, NAMES[0], tmp_path) == 0
        assert (tmp_path / "X").read_bytes() == segment_bytes(NAMES[0])

    def test_proven_absence(self, command, tmp_path):
        assert self.of(command, NAMES[3], tmp_path) == 1
        assert self.of(command, "00000002.history", tmp_path) == 1
        assert self.of(command, NAMES[3], tmp_path, "--absent", "99") == 99

    @pytest.mark.parametrize("left", ["nothing", "folder", "marker"])
    def test_repository_gone(self, command, tmp_path, left):
        os.rename(tmp_path / "work" / "local", tmp_path / "gone")
        if left != "nothing":
            (tmp_path / "work" / "local").mkdir()
        if left == "marker":
            (tmp_path / "work" / "local" / MARKER).touch()
        assert self.of(command, NAMES[3], tmp_path) == 255
        assert self.of(command, NAMES[0], tmp_path) == 255

    def test_repository_unreadable(self, command, tmp_path):
        root = tmp_path / "work" / "local" / "shop" / "wal" / "00000001"
        os.rename(root, tmp_path / "aside")
        root.symlink_to(root)
        assert self.of(command, NAMES[0], tmp_path) == 255

    def test_damaged(self, command, tmp_path):
        [path] = (tmp_path / "work" / "local").rglob(f"{NAMES[1]}-*")
        path.write_bytes(path.read_bytes()[:-9])
        assert self.of(command, NAMES[1], tmp_path) == 255

    def test_gap(self, command, tmp_path):
        [path] = (tmp_path / "work" / "local").rglob(f"{NAMES[1]}-*")
        path.unlink()
        assert self.of(command, NAMES[1], tmp_path) == 255

    @pytest.mark.parametrize("words", [(), ("--nonsense",), ("--cluster", "other"), ("--all",)])
    def test_usage_and_settings(self, command, tmp_path, words):
        assert command("wal-get", *words, "x" if words else "--bad").status == 255
        assert self.of(command, NAMES[0], tmp_path, *words) in ((255,) if words else (0,))

    def test_no_settings_file(self, command, tmp_path):
        os.unlink(command.config)
        assert self.of(command, NAMES[3], tmp_path) == 255

    @pytest.mark.parametrize("name", ["nonsense", "", "../x", "00000001000000000000000G"])
    def test_names_that_are_none(self, command, tmp_path, name):
        assert self.of(command, name, tmp_path) == 255

    def test_a_repository_that_never_answers(self, command, tmp_path):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            silent.settimeout(0.1)
            body, connections, over = json.loads(command.config.read_text()), [], threading.Event()

            def accept():
                while not over.is_set():
                    with suppress(TimeoutError):
                        connections.append(silent.accept()[0])

            listener = threading.Thread(target=accept)
            listener.start()
            body["repositories"]["local"] = {
                "type": "s3", "bucket": "b", "endpoint_url": f"http://127.0.0.1:{silent.getsockname()[1]}",
                "region": "us-east-1", "addressing": "path", "access_key_id": "id", "secret_access_key": "secret",
                "timeout": "1s", "retries": 0}
            body["clusters"]["shop"]["wal"]["patience"] = 4
            command.config.write_text(json.dumps(body))
            try:
                assert self.of(command, NAMES[3], tmp_path) == 255
            finally:
                over.set()
                listener.join()
                for each in connections:
                    each.close()
        assert len(connections) >= 2       # it was tried again
        assert not (tmp_path / "X").exists()

    def test_what_a_stream_received_is_no_answer_while_the_repositories_are_away(self, command, tmp_path):
        body = json.loads(command.config.read_text())
        body["clusters"]["shop"]["wal"]["method"] = "stream"
        command.config.write_text(json.dumps(body))
        (tmp_path / "spool" / "stream").mkdir(parents=True)
        (tmp_path / "spool" / "stream" / f"{NAMES[3]}.partial").write_bytes(segment_bytes(NAMES[3], fill=b"part"))
        target = tmp_path / "RECOVERYXLOG"
        os.rename(tmp_path / "work" / "local", tmp_path / "gone")
        assert command("wal-get", NAMES[3], str(target)).status == 255
        os.rename(tmp_path / "gone", tmp_path / "work" / "local")
        assert self.of(command, NAMES[3], tmp_path) == 1           # pg_rewind and people get whole segments only
        assert command("wal-get", NAMES[3], str(target)).status == 0
        assert target.read_bytes() == segment_bytes(NAMES[3], fill=b"part")
        assert command("wal-get", NAMES[4], str(target)).status == 1

    @pytest.mark.parametrize("content", ["begun", "another server's", "another place's"])
    def test_what_a_stream_received_must_be_of_this_server_and_place(self, command, tmp_path, content):
        body = json.loads(command.config.read_text())
        body["clusters"]["shop"]["wal"]["method"] = "stream"
        command.config.write_text(json.dumps(body))
        (tmp_path / "spool" / "stream").mkdir(parents=True)
        (tmp_path / "spool" / "stream" / f"{NAMES[3]}.partial").write_bytes(
            {"begun": bytes(MIB), "another server's": segment_bytes(NAMES[3], system=SYSTEM + 1),
             "another place's": segment_bytes(NAMES[5])}[content])
        assert command("wal-get", NAMES[3], str(tmp_path / "RECOVERYXLOG")).status == \
            (255 if content == "another server's" else 1)
        assert not (tmp_path / "RECOVERYXLOG").exists()

    def test_a_hole_in_the_repositories_is_filled_from_what_a_stream_received(self, command, tmp_path):
        body = json.loads(command.config.read_text())
        body["clusters"]["shop"]["wal"]["method"] = "stream"
        command.config.write_text(json.dumps(body))
        (tmp_path / "spool" / "stream").mkdir(parents=True)
        [path] = (tmp_path / "work" / "local").rglob(f"{NAMES[1]}-*")
        path.unlink()
        assert command("wal-get", NAMES[1], str(tmp_path / "RECOVERYXLOG")).status == 255
        (tmp_path / "spool" / "stream" / NAMES[1]).write_bytes(segment_bytes(NAMES[1]))
        assert command("wal-get", NAMES[1], str(tmp_path / "RECOVERYXLOG")).status == 0

    def test_a_defect_is_no_absence(self, command, tmp_path, monkeypatch):
        monkeypatch.setattr("_restorable.ops.wal_get.get_wal", None)
        assert self.of(command, NAMES[3], tmp_path) == 255

    @pytest.mark.parametrize("status", [1, 2, 3, 4, 5, 6, 7, 8, 70, 125])
    def test_every_other_status_of_the_command_is_255(self, status):
        assert restore_status(["wal-get", "X", "Y"], status) == 255
        assert restore_status(["status"], status) == status
        assert (restore_status(["wal-get"], ABSENT), restore_status(["wal-get"], 124)) == (1, 143)

    def test_the_file_reads_the_settings_of_its_own_command(self, command, tmp_path):
        assert main(["wal-get", NAMES[0], str(tmp_path / "Z")], *[open(os.devnull, "w")] * 2,  # noqa: SIM115
                    command.environment) == 0


class TestPrefetch:
    """Segments come ahead, and whatever is wrong with them is left to restore_command."""

    @pytest.fixture
    def ahead(self, tmp_path):
        folder = AheadFolder(str(tmp_path / "get"))
        folder.want(NAMES[0])
        assert folder.claim()
        return folder

    def run(self, ahead, *stores, rounds=100, take=""):
        """Fetch ahead for some rounds; recovery takes one segment when it has come."""
        clock, seen = FrozenClock(), []

        def pause(_seconds):
            threading.Event().wait(0.01)
            seen.append(sorted(ahead.here()))
            if take in seen[-1]:
                os.unlink(os.path.join(ahead.folder, take))
            if len(seen) > rounds:
                clock.move(100)

        Prefetcher(world(*stores, clock=clock), ahead, 3, 2, pause).run()
        return seen

    def test_the_next_ones_come_and_no_more_than_was_asked_for(self, ahead):
        store = MemoryStore()
        archive(store, *NAMES[:10])
        seen = self.run(ahead, store)
        assert sorted(NAMES[1:4]) in seen
        assert all(set(names) <= set(NAMES[1:4]) for names in seen)
        assert sorted(os.listdir(ahead.folder)) == ["lock", "pid", "want"]

    def test_what_is_taken_is_followed_by_the_next(self, ahead):
        store = MemoryStore()
        archive(store, *NAMES[:10])
        assert sorted(NAMES[2:5]) in self.run(ahead, store, take=NAMES[1])

    def test_a_damaged_segment_never_comes(self, ahead):
        store = MemoryStore()
        archive(store, *NAMES[:4])
        store.objects[keys_of(store, NAMES[1])[0]] = b"rotten"
        assert all(NAMES[1] not in names for names in self.run(ahead, store, rounds=40))

    def test_only_one_fetches_ahead_and_a_dead_one_is_followed(self, ahead):
        assert ahead.busy() and not AheadFolder(ahead.folder).claim()
        ahead.give_up()
        ahead.writer(NAMES[7])([b"left over"])
        ahead.coming(NAMES[8])
        with open(os.path.join(ahead.folder, "pid"), "w", encoding="ascii") as file:
            file.write(f"{os.getpid()}\n")    # of a dead one, and used again
        following = AheadFolder(ahead.folder)
        assert not following.busy() and following.claim() and following.busy()
        assert not following.here() and sorted(os.listdir(ahead.folder)) == ["lock", "pid", "want"]
        following.give_up()


class TestSealed:
    """Segments are sealed like every other object, and a wrong key is no end of the WAL."""

    @pytest.fixture
    def command(self, tmp_path):
        command = Command(tmp_path, {"shop": {"wal": {"spool": str(tmp_path / "spool"), "patience": 0}}})
        self.pair = make_pair(tmp_path / "key")
        self.seal(command, tmp_path / "key")
        (tmp_path / NAMES[0]).write_bytes(segment_bytes(NAMES[0]))
        assert command("wal-push", str(tmp_path / NAMES[0])).status == 0
        return command

    def seal(self, command, identity):
        body = json.loads(command.config.read_text())
        own = {"identity_file": str(identity)} if identity else {}
        body["encryption"] = {"recipients": [self.pair.public], **own}
        command.config.write_text(json.dumps(body))

    def test_the_right_key_gives_the_segment_back(self, command, tmp_path):
        [path] = (tmp_path / "local").rglob(f"{NAMES[0]}-*")
        assert path.name.endswith(".age") and path.read_bytes().startswith(b"age-encryption.org/v1")
        assert command("wal-get", NAMES[0], str(tmp_path / "X")).status == 0
        assert (tmp_path / "X").read_bytes() == segment_bytes(NAMES[0])

    def test_the_same_segment_again_is_fine_although_every_sealing_differs(self, command, tmp_path):
        again = command("--json", "wal-push", str(tmp_path / NAMES[0]))
        assert again.status == 0 and not again.json["changed"]

    @pytest.mark.parametrize("key", ["another", "none"])
    def test_a_wrong_key_stops_recovery_and_leaves_nothing(self, command, tmp_path, key):
        make_pair(tmp_path / "another")
        self.seal(command, tmp_path / key if key == "another" else None)
        assert command("wal-get", NAMES[0], str(tmp_path / "X")).status == 255
        assert not (tmp_path / "X").exists()
        assert command("wal-get", NAMES[1], str(tmp_path / "X")).status == 1
