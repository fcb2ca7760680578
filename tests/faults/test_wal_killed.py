# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 at every step of the shipper: nothing is acknowledged that is not stored, and a restart loses nothing."""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from _restorable.host.clock import SystemClock
from _restorable.host.wal_source import PgWal
from _restorable.ops.wal_get import get_wal
from _restorable.ops.world import World
from _restorable.store.local import LocalStore
from kit.killed_wal import main
from kit.wal import NAMES, FakeServer, segment_bytes

TESTS = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def run():
    """Give what runs the shipper up to a step, and returns its exit status."""
    path = os.pathsep.join([str(TESTS), str(TESTS.parent / "plugins" / "module_utils")])
    with subprocess.Popen([sys.executable, "-m", "kit.killed_wal"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True, env={**os.environ, "PYTHONPATH": path}) as process:
        def run(folder, last, *repositories):
            where = ":".join(str(folder / name) for name in repositories or ("repository",))
            process.stdin.write(f"{folder / 'data'} {folder / 'spool'} {where} {last}\n")
            process.stdin.flush()
            return int(process.stdout.readline())

        yield run
        process.stdin.close()


def restart(folder, *repositories):
    """Run a shipper that lives."""
    main(str(folder / "data"), str(folder / "spool"),
         ":".join(str(folder / name) for name in repositories or ("repository",)), "1000000")


def stored(folder, repository="repository"):
    """Return what a recovery is given, by name: whatever is listed is fetched as restore_command does."""
    store = LocalStore("local", str(folder / repository))
    silent = SimpleNamespace(advance=lambda _count: None, phase=lambda *_words: None)
    world = World("shop", (store,), SystemClock(), silent, None, None, None)
    found = {}
    for name in {entry.key.rpartition("/")[2].partition("-")[0] for entry in store.list("shop/wal/")}:
        if len(name) == 24:
            get_wal(world, name, lambda chunks, name=name: found.update({name: b"".join(chunks)}), patience=0,
                    pause=lambda _seconds: None)
    return found


def believed(folder, server):
    """Return the files that archive_command would say 0 for now."""
    fresh = []
    for name in PgWal(str(server.data)).ready():
        ok = folder / "spool" / f"{name}.ok"
        if ok.exists() and ok.stat().st_mtime_ns > (server.wal / name).stat().st_mtime_ns:
            fresh.append(name)
    return fresh


def test_a_shipper_that_dies_at_any_step_has_lost_nothing_and_promised_nothing(run, tmp_path):
    wanted, last = {name: segment_bytes(name) for name in NAMES[:2]}, 0
    while True:
        last += 1
        folder = tmp_path / str(last)
        (folder / "spool").mkdir(parents=True, mode=0o700)
        server = FakeServer(folder / "data")
        server.finish(*NAMES[:2])
        status = run(folder, last)
        held = stored(folder)
        assert all(held[name] == wanted[name] for name in held), last
        assert set(believed(folder, server)) <= set(held), last
        if status == 0:
            break
        assert status == -9
        restart(folder)
        assert stored(folder) == wanted and set(believed(folder, server)) == set(wanted), last
        assert not list((folder / "repository").rglob("quarantine"))
    assert last > 20


def test_a_shipper_that_dies_while_it_brings_a_repository_level_has_damaged_nothing_and_goes_on(run, tmp_path):
    wanted, last = {name: segment_bytes(name) for name in (NAMES[0], NAMES[2])}, 0
    before = FakeServer(tmp_path / "before" / "data")
    before.finish(NAMES[0])
    (tmp_path / "before" / "spool").mkdir(mode=0o700)
    restart(tmp_path / "before")
    while True:
        last += 1
        folder = tmp_path / str(last)
        (folder / "spool").mkdir(parents=True, mode=0o700)
        server = FakeServer(folder / "data")
        server.finish(NAMES[2])            # the other one is recycled long since
        shutil.copytree(tmp_path / "before" / "repository", folder / "repository")
        status = run(folder, last, "repository", "other")
        held = stored(folder, "other") if (folder / "other").exists() else {}
        assert all(bytes(held[name]) == segment_bytes(name) for name in held), last
        assert set(believed(folder, server)) <= set(stored(folder)) | set(held), last
        if status == 0:
            break
        assert status == -9
        restart(folder, "repository", "other")
        assert stored(folder, "other") == stored(folder) == wanted, last
    assert last > 12
