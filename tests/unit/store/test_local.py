# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import hashlib
import os
import pwd
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from _restorable.errors import ConfigError, Damaged, Refused, Unavailable
from _restorable.store import parts
from _restorable.store.home import MARKER
from _restorable.store.local import LocalStore
from _restorable.store.readback import AHEAD
from _restorable.store.trouble import Trouble
from _restorable.stream.stage import Pieces
from kit.accounts import as_nobody
from kit.leftovers import nothing_left
from kit.small_disk import CORE, run_in_tmpfs

KEY = "shop/backup/20261120T030000Z-dump/app.dump.zst"


@pytest.fixture
def root(tmp_path):
    return tmp_path / "repository"


@pytest.fixture
def store(root):
    return LocalStore("local", str(root))


def files(root):
    return sorted(str(path.relative_to(root)) for path in Path(root).rglob("*") if path.is_file())


def test_what_root_makes_belongs_to_the_owner_of_the_repository(store, root):
    owner = 65534 if os.geteuid() == 0 else os.geteuid()       # nobody
    root.mkdir()
    os.chown(root, owner, -1)
    store.put(KEY, [b"x"])
    store.put("shop/drill/another.json", [b"y"])
    made = {str(path.relative_to(root)): path.stat().st_uid for path in root.rglob("*")}
    assert {KEY, "shop/drill", MARKER, ".part"} <= set(made)
    assert set(made.values()) == {owner}


def test_files_are_0600_and_folders_0700_whatever_the_umask(store, root):
    before = os.umask(0)
    try:
        store.put(KEY, [b"x"])
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in [root, *root.rglob("*")] if path.is_dir()}
    assert modes == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in root.rglob("*") if path.is_file()} == {0o600}


def test_nothing_is_left_of_a_failed_put(store, root):
    def chunks():
        yield b"x"
        assert len(files(root / ".part")) == 1
        raise KeyError

    with nothing_left(), pytest.raises(KeyError):
        store.put(KEY, chunks())
    assert files(root) == [MARKER]


def test_deleting_removes_the_folders_that_become_empty_but_never_the_clusters(store, root):
    store.put(KEY, [b"x"])
    store.put("shop/cluster.json", [b"x"])
    store.put("other/backup/x/a", [b"x"])
    store.delete(KEY)
    assert not (root / "shop" / "backup").exists()
    store.delete("shop/cluster.json")
    store.delete("other/backup/x/a")
    assert (root / "shop").is_dir()
    assert os.listdir(root / "other") == []


def test_a_folder_removed_under_a_finished_put_is_made_again(store, root, monkeypatch):
    make = parts.make_folders
    calls = []

    def make_and_lose(path, top):
        make(path, top)
        calls.append(path)
        if len(calls) == 1:
            os.rmdir(path)

    monkeypatch.setattr("_restorable.store.local.make_folders", make_and_lose)
    store.put(KEY, [b"x"])
    assert b"".join(store.get(KEY)) == b"x"
    assert len(calls) == 2


def test_a_listing_leaves_foreign_files_out(store, root):
    store.put(KEY, [b"x"])
    (root / ".part" / "left.part").write_bytes(b"x")
    (root / ".snapshot").mkdir()
    (root / ".snapshot" / "old").write_bytes(b"x")
    (root / "lost+found").mkdir(mode=0o000)
    (root / "shop" / "line\nbreak").write_bytes(b"x")
    os.symlink("/nonexistent", root / "shop" / "broken")
    os.mkfifo(root / "shop" / "pipe")
    assert [entry.key for entry in store.list("")] == [KEY]


def test_a_listing_tells_size_and_time(store, root):
    store.put(KEY, [b"12345"])
    os.utime(root / KEY, (0, 86400))
    [entry] = store.list("")
    assert entry.size == 5
    assert entry.modified.isoformat() == "1970-01-02T00:00:00+00:00"


def test_an_absent_repository_is_empty_and_stays_absent(store, root):
    store.check(write=False)
    assert list(store.list("")) == []
    store.delete(KEY)
    assert not root.exists()
    assert store.free_bytes() > 0


def test_the_first_put_makes_the_folder_and_its_marker(store, root):
    store.put(KEY, [b"x"])
    assert (root / MARKER).read_text() == '{"format": 1}\n'


def test_a_folder_whose_parent_is_absent_is_a_slip_and_not_made(tmp_path):
    store = LocalStore("local", str(tmp_path / "slip" / "repository"))
    for work in (store.check, lambda: store.check(write=False), store.create, lambda: store.put(KEY, [b"x"])):
        with pytest.raises(ConfigError) as caught:
            work()
        assert caught.value.code == "store.no_folder"
    assert not (tmp_path / "slip").exists()


def test_a_folder_with_files_and_no_marker_is_used_as_it_is(store, root):
    (root / "shop").mkdir(parents=True)
    (root / "shop" / "old.sql.gz").write_bytes(b"x")
    store.check()
    assert [entry.key for entry in store.list("")] == ["shop/old.sql.gz"]
    assert not (root / MARKER).exists()
    with pytest.raises(Refused) as caught:
        store.create()
    assert caught.value.code == "store.not_empty"


def test_a_relative_path_is_refused():
    with pytest.raises(ConfigError, match="'backups'"):
        LocalStore("local", "backups")


@pytest.mark.parametrize("there", [False, True], ids=["no folder", "an empty mount point"])
def test_a_disk_that_is_not_mounted_is_refused_by_every_verb(root, there, tmp_path):
    if there:
        root.mkdir()
    (tmp_path / "file").write_bytes(b"x")
    store = LocalStore("nas", str(root), require_marker=True)
    for work in (store.check, lambda: store.check(write=False), lambda: store.put(KEY, [b"x"]),
                 lambda: store.put_file(KEY, str(tmp_path / "file")), lambda: list(store.get(KEY)),
                 lambda: list(store.list("")), lambda: store.delete(KEY), store.free_bytes):
        with pytest.raises(Refused) as caught:
            work()
        assert caught.value.code == "store.not_mounted"
        assert str(root) in caught.value.message
        assert "`restorable init`" in caught.value.hint
    assert root.exists() is there
    assert not there or os.listdir(root) == []


def test_a_repository_is_made_once_by_a_humans_command(root):
    store = LocalStore("nas", str(root), require_marker=True)
    store.create()
    store.create()
    store.check()
    store.put(KEY, [b"x"])
    store.create()
    assert b"".join(store.get(KEY)) == b"x"


def test_a_full_disk_is_told_with_its_path_and_what_is_free(tmp_path):
    told = run_in_tmpfs(tmp_path, f"""
import os
from _restorable.store.local import LocalStore
from _restorable.errors import Unavailable
store = LocalStore("small", {str(tmp_path / "repository")!r})
store.put("shop/first", [b"x" * 1000])
try:
    store.put("shop/second", (bytes(100_000) for _index in range(100)))
except Unavailable as error:
    print(error.code, error.message, error.hint, sep="|")
print(sorted(entry.key for entry in store.list("")), os.listdir({str(tmp_path / "repository" / ".part")!r}))
print(b"".join(store.get("shop/first")) == b"x" * 1000)
""").splitlines()
    code, message, hint = told[0].split("|")
    assert code == "store.full"
    assert message.startswith(f"repository small: {tmp_path / 'repository'}")
    assert " is full, " in message
    assert message.endswith(" free")
    assert "restorable prune" in hint
    assert told[1:] == ["['shop/first'] []", "True"]


def test_a_read_only_disk_is_told_and_can_still_be_read(tmp_path):
    told = run_in_tmpfs(tmp_path, f"""
from _restorable.store.local import LocalStore
from _restorable.errors import Unavailable
store = LocalStore("disk", {str(tmp_path / "repository")!r})
store.put("shop/first", [b"here"])
remount()
for work in (store.check, lambda: store.put("shop/second", [b"x"]), lambda: store.delete("shop/first")):
    try:
        work()
        print("no error")
    except Unavailable as error:
        print(error.code)
print(b"".join(store.get("shop/first")))
""", remount="ro").splitlines()
    assert told == ["store.read_only"] * 3 + ["b'here'"]


def test_a_closed_folder_is_told_with_the_account_that_was_refused():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        root = Path(folder) / "repository"
        root.mkdir(mode=0o700 if os.geteuid() == 0 else 0o000)
        store = LocalStore("local", str(root))
        told = as_nobody(lambda: [refusal(work) for work in (
            store.check, lambda: store.put(KEY, [b"x"]), lambda: list(store.list("")))])
    me = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    assert [each.split("|")[0] for each in told] == ["store.denied"] * 3
    assert all(f"closed to user {me}" in each and f"chown -R {me} {root}" in each for each in told)


def refusal(work):
    try:
        work()
    except ConfigError as error:
        return f"{error.code}|{error.message}|{error.hint}"
    return "no error"


def test_an_error_of_the_disk_is_damage_and_a_lost_network_disk_is_unavailable(store):
    trouble = Trouble("local", "/srv")
    assert isinstance(trouble.explain(OSError(5, "Input/output error")), Damaged)
    for number in (116, 110, 107, 112):
        error = trouble.explain(OSError(number, os.strerror(number)))
        assert isinstance(error, Unavailable)
        assert error.code == "store.unreachable"
    assert "repository local: /srv/x is over its quota" in trouble.explain(OSError(122, "quota", "/srv/x")).message


@pytest.mark.parametrize("form", [list, Pieces])
@pytest.mark.parametrize("size", [1000, AHEAD + 1000], ids=["small", "read back while it is written"])
def test_what_reads_back_otherwise_is_never_shown(store, root, monkeypatch, form, size):
    real = os.pread

    def faulty(handle, size, place):
        data = real(handle, size, place)
        return bytes([data[0] ^ 1]) + data[1:] if data else data

    monkeypatch.setattr(os, "pread", faulty)
    with pytest.raises(Damaged) as caught:
        store.put(KEY, form([b"x" * size]))
    assert caught.value.code == "store.readback"
    assert files(root) == [MARKER]


@pytest.mark.parametrize("sizes", [(), (1000, 10), (AHEAD, 5000)])
def test_pieces_are_stored_whole_and_digested_only_where_they_cannot_be_compared(store, sizes):
    pieces = Pieces(os.urandom(size) for size in sizes)
    stored = store.put(KEY, pieces)
    assert b"".join(store.get(KEY)) == b"".join(pieces) and stored.size == sum(sizes)
    assert stored.sha256 == (hashlib.sha256(b"".join(pieces)).hexdigest() if sum(sizes) > AHEAD else "")


def test_a_name_that_is_not_known_to_be_durable_is_taken_back(store, root, monkeypatch):
    def fails(_path):
        raise OSError(5, "Input/output error")

    store.put("shop/backup/20261120T030000Z-dump/other", [b"x"])
    monkeypatch.setattr(parts, "flush_folder", fails)
    with pytest.raises(Damaged):
        store.put(KEY, [b"x"])
    assert files(root) == [MARKER, "shop/backup/20261120T030000Z-dump/other"]


def killed_writer(root, verb):
    """Start a put in another process, kill it in the middle, return its part."""
    code = (f"import sys, time\nsys.path.insert(0, {str(CORE)!r})\nfrom _restorable.store.local import LocalStore\n"
            "def chunks():\n    yield b'x' * 100000\n    print('half', flush=True)\n    time.sleep(60)\n"
            f"LocalStore('local', {str(root)!r}).put({KEY!r}, chunks())\n")
    writer = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert writer.stdout.readline() == b"half\n"
    [part] = [path for path in (root / ".part").iterdir() if path.suffix == ".part"]
    try:
        if verb is not None:
            writer.send_signal(verb)
            writer.wait()
        yield part
    finally:
        writer.kill()
        writer.wait()
        writer.stdout.close()


def test_a_killed_writer_leaves_no_object_and_its_part_is_swept_by_the_next_run(store, root):
    for part in killed_writer(root, signal.SIGKILL):
        assert part.stat().st_size == 100_000
        assert list(store.list("")) == []
        store.check()
        assert not part.exists()
        store.put(KEY, [b"again"])


def test_the_part_of_a_running_writer_is_never_swept(store, root):
    for part in killed_writer(root, None):
        assert store.sweep_parts() == []
        assert part.exists()


def test_a_sweep_between_the_making_and_the_locking_of_a_part_loses_nothing(store, root, monkeypatch):
    real, swept = parts._lock, []

    def sweep_first(handle):
        if not swept:
            swept.append(True)
            swept.extend(parts.sweep(str(root)))
        return real(handle)

    monkeypatch.setattr(parts, "_lock", sweep_first)
    store.put(KEY, [b"x"])
    assert len(swept) == 2
    assert b"".join(store.get(KEY)) == b"x"
    assert os.listdir(root / ".part") == []


def test_without_locks_nothing_is_swept(store, root, monkeypatch):
    store.put("shop/a", [b"x"])
    (root / ".part" / "old.part").write_bytes(b"x")
    monkeypatch.setattr(parts, "_lock", lambda _handle: None)
    assert store.sweep_parts() == []
    store.put(KEY, [b"x"])
    assert (root / ".part" / "old.part").exists()


def test_a_linked_file_shares_its_bytes_and_a_moved_one_becomes_private(store, root, tmp_path):
    kept, moved = tmp_path / "kept.sql", tmp_path / "moved.sql"
    for path in (kept, moved):
        path.write_bytes(b"dump")
        path.chmod(0o644)
    store.put_file("shop/kept", str(kept))
    store.put_file("shop/moved", str(moved), move=True)
    assert (root / "shop" / "kept").samefile(kept)
    assert stat.S_IMODE((root / "shop" / "moved").stat().st_mode) == 0o600
    assert not moved.exists()
    assert os.listdir(root / ".part") == []


def test_a_file_on_another_disk_is_copied(store, root, tmp_path):
    if os.stat("/dev/shm").st_dev == tmp_path.stat().st_dev:
        pytest.skip("/dev/shm lies on the same disk as the temporary folder")
    path = Path(f"/dev/shm/restorable-test-{os.getpid()}")
    path.write_bytes(b"dump")
    try:
        assert store.put_file(KEY, str(path)).size == 4
        assert b"".join(store.get(KEY)) == b"dump"
        assert path.exists()
    finally:
        path.unlink()


def test_a_file_that_changes_while_it_is_stored_is_refused(store, root, tmp_path, monkeypatch):
    path = tmp_path / "growing.sql"
    path.write_bytes(b"dump")
    real = parts.digest

    def grow(handle):
        found = real(handle)
        path.write_bytes(b"dump and more")
        return found

    monkeypatch.setattr("_restorable.store.local.digest", grow)
    with pytest.raises(Refused) as caught:
        store.put_file(KEY, str(path), move=True)
    assert caught.value.code == "store.changing"
    assert list(store.list("")) == []
    assert path.read_bytes() == b"dump and more"


def test_a_path_that_is_a_file_is_called_one(tmp_path):
    (tmp_path / "backups").write_text("notes")
    for work in (lambda store: store.check(), lambda store: store.put(KEY, [b"x"]), lambda store: list(store.list(""))):
        with pytest.raises(ConfigError, match="backups is a file, not a folder"):
            work(LocalStore("disk", str(tmp_path / "backups")))
