# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs that begin together, as timers that make up for missed runs do: none is lost, each says whom it waits for."""
from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

import _restorable
from kit.command import Command

CORE = _restorable.__path__[0].rpartition("/")[0]
LIMIT = 120                        # seconds for what takes three on an idle machine


class Job:
    """A job in a process of its own, with a status file as a unit gives it."""

    def __init__(self, shop, name, *words):
        self.status_file, self._err = shop.folder / f"{name}.status", shop.folder / f"{name}.err"
        with open(self._err, "wb") as err, open(shop.folder / f"{name}.out", "wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "_restorable", "--status-file", self.status_file, *words], stdout=out,
                stderr=err, stdin=subprocess.DEVNULL, env={**shop.environment, "PYTHONPATH": CORE})

    @property
    def err(self):
        return self._err.read_text()

    def ended(self):
        return self.process.wait(LIMIT), json.loads(self.status_file.read_text())["state"]


def until(what, failed=""):
    end = time.monotonic() + LIMIT
    while not what():
        assert time.monotonic() < end, failed
        time.sleep(0.05)


@pytest.fixture
def shop(servers, tmp_path):
    """A cluster whose dumps begin with a command that ends when the file `go` is there."""
    server = servers.of(15)
    wait = ["sh", "-c", f"touch '{tmp_path}/begun'; until [ -e '{tmp_path}/go' ]; do sleep 0.1; done"]
    dump = {"databases": ["postgres"], "globals": False, "pre_command": wait}
    return Command(tmp_path, {"shop": {"connection": server.settings, "bin_dir": server.bin_dir,
                                       "jobs": {"dump": dump}}})


@pytest.fixture
def held(shop):
    """A dump that is at work, and holds the lock of its cluster."""
    job = Job(shop, "first", "backup")
    until((shop.folder / "begun").exists, job.err)
    yield job
    (shop.folder / "go").touch()       # a command of the user's outlives us
    job.process.kill()
    job.process.wait()


def test_jobs_that_meet_wait_for_each_other_and_each_is_done(shop, held):
    waiting = [Job(shop, "prune", "--wait", "1h", "prune"), Job(shop, "second", "--wait", "1h", "backup")]
    for each in waiting:
        until(lambda job=each: f"cluster shop is locked by backup (pid {held.process.pid}," in job.err)
        assert "waiting at most 1h" in each.err
    (shop.folder / "go").touch()
    assert [each.ended() for each in (held, *waiting)] == [(0, "done")] * 3, [each.err for each in waiting]
    assert len([each for each in shop.objects() if each.endswith("manifest.json")]) == 2


def test_a_job_that_has_waited_long_enough_fails_and_says_for_whom(shop, held):
    late = Job(shop, "late", "--wait", "1s", "prune")
    assert late.ended() == (3, "failed")
    told = late.err.splitlines()
    assert f"error: cluster shop is locked by backup (pid {held.process.pid}," in told[1]
    assert told[1].endswith("; it did not become free within 1.0s")


def test_without_being_told_to_wait_a_person_is_refused_at_once(shop, held):
    ran = shop("prune")
    assert (ran.status, f"locked by backup (pid {held.process.pid}," in ran.err) == (3, True)
    assert "warning:" not in ran.err


def test_a_wait_that_is_no_duration_is_refused(shop):
    ran = shop("--wait", "soon", "prune")
    assert (ran.status, "--wait is 'soon'" in ran.err) == (2, True)
