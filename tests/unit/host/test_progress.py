# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import io
import json
import os
import pty
import threading
from datetime import timezone

import pytest

from _restorable.host import progress
from _restorable.host.clock import SystemClock
from _restorable.host.progress import Silent, StatusFile, TerminalLine, in_words

MIB = 1024 * 1024


def test_the_file_tells_phase_bytes_total_and_who_writes_it(tmp_path):
    path = tmp_path / "status.json"
    status = StatusFile(str(path))
    status.phase("dump app", 100)
    body = json.loads(path.read_text())
    assert (body["phase"], body["bytes"], body["total"], body["pid"]) == ("dump app", 0, 100, os.getpid())
    assert set(body) == {"phase", "bytes", "total", "rate", "elapsed", "eta", "pid", "started", "updated"}
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_file_is_written_now_and_then_and_at_each_phase(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    path = tmp_path / "status.json"
    status = StatusFile(str(path))
    status.phase("dump app", 10 * MIB)
    status.advance(MIB)
    assert json.loads(path.read_text())["bytes"] == 0
    now[0] += 1
    status.advance(MIB)
    body = json.loads(path.read_text())
    assert (body["bytes"], body["rate"], body["eta"], body["elapsed"]) == (2 * MIB, 2 * MIB, 4.0, 1.0)
    status.phase("fingerprint app")
    body = json.loads(path.read_text())
    assert (body["phase"], body["bytes"], body["total"], body["eta"]) == ("fingerprint app", 0, None, None)


def test_more_bytes_than_expected_give_no_estimate(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    status = StatusFile(str(tmp_path / "status.json"))
    status.phase("dump app", 10)
    now[0] += 1
    status.advance(20)
    assert status.facts()["eta"] is None


def test_bytes_may_come_from_any_thread(tmp_path):
    status = StatusFile(str(tmp_path / "status.json"))
    status.phase("dump app")
    threads = [threading.Thread(target=lambda: [status.advance(1) for _index in range(5000)]) for _index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert status.facts()["bytes"] == 20_000


def test_progress_never_stops_the_work(tmp_path):
    for where in (tmp_path / "no" / "folder" / "status.json", tmp_path):
        status = StatusFile(str(where))
        status.phase("dump app")
        status.advance(1)
    closed = io.StringIO()
    closed.close()
    line = TerminalLine(closed)
    line.phase("dump app")
    line.advance(1)
    line.close()
    Silent().phase("dump app", 1)
    Silent().advance(1)


def test_the_line_is_painted_over_and_taken_away():
    master, slave = pty.openpty()
    with os.fdopen(slave, "w") as err:
        line = TerminalLine(err)
        line.phase("dump app", 100)
        line.phase("dump shop", 100)
        line.close()
        seen = ""
        while seen.count("\r\x1b[K") < 3:      # what was written comes in pieces; a lost one hangs until the limit
            seen += os.read(master, 10_000).decode()
    os.close(master)
    assert seen.count("\r\x1b[K") == 3
    assert "dump shop" in seen
    assert seen.endswith("\r\x1b[K")
    assert "\n" not in seen


@pytest.mark.parametrize(("facts", "words"), [
    ({"phase": "dump app", "bytes": 0, "total": None, "rate": None, "elapsed": 2.0, "eta": None}, "dump app  2.0s"),
    ({"phase": "dump app", "bytes": 412_000_000, "total": 1_200_000_000, "rate": 96e6, "elapsed": 4.3, "eta": 8.2},
     "dump app  412 MB of about 1.2 GB, 96 MB/s, 4.3s, 8.2s left"),
    ({"phase": "dump a\x1b[2J\nb", "bytes": 0, "total": None, "rate": None, "elapsed": 2.0, "eta": None},
     r"dump a\x1b[2J\nb  2.0s"),
])
def test_progress_in_words(facts, words):
    assert in_words(facts) == words


def test_the_real_clock_is_aware_and_never_goes_back():
    clock = SystemClock()
    assert clock.now().tzinfo is timezone.utc
    assert clock.elapsed() <= clock.elapsed()
