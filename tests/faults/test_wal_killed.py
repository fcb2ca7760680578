# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 at every step of the shipper: nothing is acknowledged that is not stored, and a restart loses nothing."""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from _restorable.host.wal_source import PgWal
from _restorable.store.local import LocalStore
from _restorable.stream.compress import decompressor
from kit.wal import NAMES, FakeServer, segment_bytes

TESTS = Path(__file__).parents[1]


def run(folder, last):
    """Run the shipper up to a step; return its exit status."""
    path = os.pathsep.join([str(TESTS), str(TESTS.parent / "plugins" / "module_utils")])
    argv = [sys.executable, "-m", "kit.killed_wal", *(str(folder / name) for name in ("data", "spool", "repository")),
            str(last)]
    return subprocess.run(argv, env={**os.environ, "PYTHONPATH": path}, check=False, timeout=60).returncode


def stored(folder):
    store = LocalStore("local", str(folder / "repository"))
    return {entry.key.rpartition("/")[2].partition("-")[0]: b"".join(decompressor("zstd")(store.get(entry.key)))
            for entry in store.list("shop/wal/") if entry.key.endswith(".zst")}


def believed(folder, server):
    """Return the files that archive_command would say 0 for now."""
    fresh = []
    for name in PgWal(str(server.data)).ready():
        ok = folder / "spool" / f"{name}.ok"
        if ok.exists() and ok.stat().st_mtime_ns > (server.wal / name).stat().st_mtime_ns:
            fresh.append(name)
    return fresh


def test_a_shipper_that_dies_at_any_step_has_lost_nothing_and_promised_nothing(tmp_path):
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
        if last % 4 == 1:              # a restart after every fourth: each takes a second
            assert run(folder, 10_000) == 0
            assert stored(folder) == wanted and set(believed(folder, server)) == set(wanted), last
            assert not list((folder / "repository").rglob("quarantine"))
    assert last > 15
