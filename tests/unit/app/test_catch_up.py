# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""catch-up begins what was missed, in processes of its own, and leaves their status files as cron would."""
from __future__ import annotations

import io
import json
import os
import signal
from datetime import datetime, timedelta, timezone

import pytest

from _restorable.host.clock import SystemClock
from _restorable.host.lock import FileLock

NOW = datetime.now(timezone.utc)
NEVER_NOW = f"0 {(NOW.hour + 12) % 24} * * *"      # half a day away from any hour in which this test runs


@pytest.fixture
def status(host, tmp_path):
    """Settings with two jobs that need no server, and the folder of their status files."""
    host.config({"shop": {"jobs": {"prune": {"schedule": NEVER_NOW}, "verify": {"schedule": NEVER_NOW}}}})
    host.commit("20261120T030000Z-dump")
    folder = tmp_path / "status"
    folder.mkdir()
    return folder


def missed(folder, *names):
    """Say that jobs are on schedule since two days ago."""
    (folder / "missed.json").write_text(json.dumps({name: (NOW - timedelta(days=2)).isoformat() for name in names}))


def test_a_job_that_is_new_on_schedule_is_not_owed(host, status):
    ran = host.run("catch-up", str(status))
    assert (ran.status, ran.out, ran.err) == (0, "", "")
    assert sorted(json.loads((status / "missed.json").read_text())) == ["shop-prune", "shop-verify"]


def test_what_was_missed_is_run_once_and_then_no_more(host, status):
    missed(status, "shop-prune", "shop-verify")
    told = host.run("--dry-run", "catch-up", str(status))
    assert told.out.count("and would run now") == 2
    assert not (status / "shop-prune.json").exists()
    ran = host.run("catch-up", str(status))
    # the backup that verify reads is no dump, so one of the two fails, and the other is tried all the same
    assert ran.status == 7
    assert "shop-prune was due at" in ran.out
    assert "done: prune shop" in ran.out
    assert "shop-verify was due at" in ran.out
    assert [json.loads((status / f"shop-{job}.json").read_text())["state"] for job in ("prune", "verify")] == [
        "done", "failed"]
    again = host.run("catch-up", str(status))
    assert (again.status, again.out) == (0, "")


def test_a_job_that_is_killed_is_told_and_the_exit_status_stays_within_what_shells_leave_to_programs(host, tmp_path):
    state, status = tmp_path / "state", tmp_path / "status"
    status.mkdir()
    host.config({"shop": {"jobs": {"prune": {"schedule": NEVER_NOW}}}}, state_dir=str(state))
    missed(status, "shop-prune")

    class Killing(io.StringIO):
        """Kills the job, as a machine without memory does, once it says that it waits."""

        def write(self, text):
            if "waiting at most 1h" in text:
                os.kill(json.loads((status / "shop-prune.json").read_text())["pid"], signal.SIGKILL)
            return super().write(text)

    with FileLock(str(state / "shop.lock"), SystemClock(), "cluster shop").hold("a test"):
        ran = host.run("--wait", "1h", "catch-up", str(status), stream=Killing)
    assert ran.status == 124
    assert " prune was killed by SIGKILL\n" in ran.out


def test_a_job_that_somebody_began_while_another_was_made_up_for_is_not_run_again(host, status):
    missed(status, "shop-prune", "shop-verify")

    class Beginning(io.StringIO):
        """Runs the other job, as cron or a person does, while the first one is being made up for."""

        def write(self, text):
            if "prune was due at" in text:
                one = host.run("--status-file", str(status / "shop-verify.json"), "verify")
                assert one.status == 7
            return super().write(text)

    ran = host.run("catch-up", str(status), stream=Beginning)
    assert (ran.status, "done: prune shop" in ran.out) == (0, True)
    assert "shop-verify was due at" not in ran.out


def test_a_job_that_left_the_schedule_and_comes_back_makes_up_for_nothing(host, status):
    missed(status, "shop-prune", "shop-verify")
    jobs = {"prune": {"schedule": NEVER_NOW}, "verify": {"schedule": NEVER_NOW}}
    host.config({"shop": {"jobs": {}}})
    assert host.run("catch-up", str(status)).out == ""
    host.config({"shop": {"jobs": jobs}})
    assert host.run("catch-up", str(status)).out == ""


def test_a_second_catch_up_leaves_the_first_one_alone(host, status):
    missed(status, "shop-prune")
    with FileLock(str(status / ".missed.lock"), SystemClock(), "catch-up").hold("catch-up"):
        ran = host.run("catch-up", str(status))
    assert (ran.status, ran.out, ran.err) == (0, "", "")


def test_settings_that_cannot_be_read_are_told(host, status):
    host.config({"shop": {"jbos": {}}})
    ran = host.run("catch-up", str(status))
    assert (ran.status, "clusters.shop.jbos is not a known setting" in ran.err) == (2, True)
