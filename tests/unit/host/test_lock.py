# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading

import pytest

from _restorable.errors import Unavailable
from _restorable.host.lock import FileLock
from kit.frozen_clock import FrozenClock
from kit.small_disk import CORE, run_in_tmpfs


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "shop.lock"


def lock(path, **options):
    return FileLock(str(path), FrozenClock(step=0.1), "cluster shop", **options)


def test_a_second_holder_is_told_who_holds_it_and_since_when(path):
    with lock(path).hold("backup"), pytest.raises(Unavailable) as caught:
        with lock(path).hold("prune"):
            pytest.fail("two holders")
    assert caught.value.code == "lock.held"
    assert re.fullmatch(rf"cluster shop is locked by backup \(pid {os.getpid()}, user \S+ on \S+\) "
                        r"since 2026-11-20T03:00:00Z", caught.value.message)
    assert "`--wait 1h`" in caught.value.hint


def test_a_lock_given_back_can_be_taken_and_its_file_stays(path):
    for purpose in ("backup", "prune"):
        with lock(path).hold(purpose):
            assert json.loads(path.read_text())["purpose"] == purpose
    assert path.read_text() == ""


def test_a_failed_holder_gives_the_lock_back(path):
    with pytest.raises(KeyError), lock(path).hold("backup"):
        raise KeyError
    with lock(path).hold("prune"):
        pass


def test_file_and_folder_are_private(path):
    with lock(path).hold("backup"):
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_waiter_gets_the_lock_when_it_is_free(path):
    held, done = threading.Event(), threading.Event()

    def hold():
        with lock(path).hold("backup"):
            held.set()
            done.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)
    threading.Timer(0.3, done.set).start()
    with lock(path, wait=60).hold("prune"):
        assert json.loads(path.read_text())["purpose"] == "prune"
    holder.join()


def test_a_waiter_gives_up_after_its_time(path):
    with lock(path).hold("backup"), pytest.raises(Unavailable), lock(path, wait=0.15).hold("prune"):
        pytest.fail("two holders")


def test_the_kernel_gives_back_the_lock_of_a_killed_holder_and_no_child_keeps_it(path):
    code = (f"import subprocess, sys, time\nsys.path.insert(0, {str(CORE)!r})\n"
            "from _restorable.host.clock import SystemClock\nfrom _restorable.host.lock import FileLock\n"
            f"with FileLock({str(path)!r}, SystemClock(), 'cluster shop').hold('backup'):\n"
            "    child = subprocess.Popen(['sleep', '20'], close_fds=False)\n"
            "    print(child.pid, flush=True)\n    time.sleep(60)\n")
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    child = int(holder.stdout.readline())
    try:
        with pytest.raises(Unavailable, match="backup"), lock(path).hold("prune"):
            pytest.fail("two holders")
        holder.kill()
        holder.wait()
        with lock(path).hold("prune"):
            pass
    finally:
        holder.stdout.close()
        os.kill(child, 9)


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "shop.lock", tmp_path / "a" / "b" / "c" / "shop.lock"):
        with pytest.raises(Unavailable) as caught, lock(path).hold("backup"):
            pytest.fail("held without a file")
        assert caught.value.code == "lock.unusable"
        assert str(path) in caught.value.message
    assert not (tmp_path / "a").exists()


def test_on_a_full_disk_the_lock_holds_without_its_holders_name(tmp_path):
    told = run_in_tmpfs(tmp_path, """
import os
from _restorable.host.clock import SystemClock
from _restorable.host.lock import FileLock
path = FOLDER + "/state/shop.lock"
with FileLock(path, SystemClock(), "cluster shop").hold("backup"):
    pass
with open(FOLDER + "/fill", "wb", 0) as file:
    try:
        while True:
            file.write(bytes(4096))
    except OSError:
        pass
with FileLock(path, SystemClock(), "cluster shop").hold("backup"):
    try:
        with FileLock(path, SystemClock(), "cluster shop").hold("prune"):
            print("two holders")
    except Exception as error:
        print(error.code, error.message)
""")
    assert told == "lock.held cluster shop is locked by another run\n"


def test_readers_hold_a_lock_together_and_keep_a_writer_out(path):
    with lock(path).hold("drill", shared=True), lock(path).hold("restore", shared=True):
        with pytest.raises(Unavailable, match="locked by restore"), lock(path).hold("prune"):
            pytest.fail("a writer beside readers")
    with lock(path).hold("prune"):
        pass


def test_a_writer_keeps_readers_out(path):
    with lock(path).hold("prune"), pytest.raises(Unavailable, match="locked by prune"):
        with lock(path).hold("drill", shared=True):
            pytest.fail("a reader beside a writer")


def test_the_first_of_two_readers_to_go_leaves_the_name_of_the_other(path):
    with lock(path).hold("drill", shared=True):
        with lock(path).hold("restore", shared=True):
            pass
        assert json.loads(path.read_text())["purpose"] == "restore"
    assert path.read_text() == ""


def test_a_reader_of_a_disk_mounted_read_only_needs_no_lock(path, monkeypatch):
    def read_only(*_given, **_named):
        raise OSError(30, "Read-only file system")

    path.parent.mkdir(mode=0o700)
    monkeypatch.setattr(os, "open", read_only)
    with lock(path).hold("restore", shared=True):
        pass
    with pytest.raises(Unavailable, match="Read-only file system"), lock(path).hold("prune"):
        pytest.fail("a writer without a lock")
