# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scheduled job leaves how it went, whatever becomes of it; and `config` judges settings and touches nothing."""
from __future__ import annotations

import getpass
import json
import os

import pytest

from _restorable.app import dispatch
from _restorable.app.cli import Stopped
from _restorable.app.render import status_done
from _restorable.host.job_file import JobFile
from _restorable.model.jobs import COMMANDS


def left(path):
    return json.loads(path.read_text())


def test_a_job_that_went_well_says_so_and_when(host):
    path = host.folder / "status" / "shop-status.json"
    host.commit("20261120T030000Z-dump")
    assert host.run("--status-file", str(path), "--cluster", "shop", "prune").status == 0
    found = left(path)
    assert (found["format"], found["cluster"], found["verb"], found["state"]) == (1, "shop", "prune", "done")
    assert (found["exit_status"], found["pid"]) == (0, os.getpid())
    assert found["words"].startswith("done: prune shop")
    assert found["last_success"] == found["ended"] >= found["began"]
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("job", COMMANDS)
def test_every_job_that_can_be_scheduled_leaves_words(host, tmp_path, job):
    host.config({"shop": {"connection": {"host": str(tmp_path / "no-server")}}})
    host.commit("20261120T030000Z-dump")
    host.run("--status-file", str(tmp_path / "job.json"), "--cluster", "shop", *COMMANDS[job])
    assert left(tmp_path / "job.json")["words"]


def test_the_words_of_a_status_are_the_colour_and_the_first_reason(host, tmp_path):
    ran = host.run("--status-file", str(tmp_path / "job.json"), "--cluster", "shop", "status")
    assert ran.status == 1
    first, second = host.run("--json", "status").json["clusters"][0]["reasons"]
    told = f"done: status shop red: {first}, and 1 more"
    assert left(tmp_path / "job.json")["words"] == told
    assert ran.out.splitlines()[-1] == told
    assert f"  {second}\n" in ran.out


@pytest.mark.parametrize(("colour", "reasons", "words"), [
    ("green", [], "green"), ("yellow", ["late"], "yellow: late"), ("red", ["a", "b", "c"], "red: a, and 2 more")])
def test_a_status_closes_with_its_first_reason(colour, reasons, words):
    assert status_done("shop", {"colour": colour, "reasons": reasons}) == f"done: status shop {words}"


def test_a_job_that_failed_says_why_and_keeps_when_it_last_went_well(host, tmp_path):
    path = tmp_path / "job.json"
    host.commit("20261120T030000Z-dump")
    host.run("--status-file", str(path), "prune")
    success = left(path)["last_success"]
    assert success
    assert host.run("--status-file", str(path), "verify").status == 7
    found = left(path)
    assert (found["state"], found["exit_status"], found["last_success"]) == ("failed", 7, success)


def test_settings_that_cannot_be_read_are_a_failure_that_is_left_too(host, tmp_path):
    path = tmp_path / "job.json"
    host.config({"shop": {"jbos": {}}})
    assert host.run("--status-file", str(path), "verify").status == 2
    assert left(path)["words"] == "clusters.shop.jbos is not a known setting"


@pytest.mark.parametrize(("error", "words"), [(Stopped("SIGTERM"), "stopped by SIGTERM"),
                                              (ZeroDivisionError("x"), "ended by ZeroDivisionError")])
def test_a_job_that_is_stopped_or_breaks_does_not_look_as_if_it_ran(host, tmp_path, monkeypatch, error, words):
    def broken(*_arguments):
        raise error
    monkeypatch.setattr(dispatch, "load_surroundings", broken)
    assert host.run("--status-file", str(tmp_path / "job.json"), "verify").status in (70, 124)
    assert (left(tmp_path / "job.json")["state"], left(tmp_path / "job.json")["words"]) == ("failed", words)


def test_a_job_that_was_killed_left_running(tmp_path):
    JobFile(str(tmp_path / "job.json"), "shop", "backup").begin()
    assert (left(tmp_path / "job.json")["state"], left(tmp_path / "job.json")["ended"]) == ("running", None)


def test_a_status_file_that_cannot_be_written_stops_the_job_before_it_begins(host):
    ran = host.run("--status-file", "/proc/none/job.json", "verify")
    assert ran.status == 3
    assert "status file /proc/none/job.json cannot be written" in ran.err


def test_good_settings_are_told_with_what_is_scheduled(host):
    jobs = {"dump": {"schedule": "30 2 * * *"}, "drill": {"schedule": "0 4 * * sun#1"}}
    host.config({"shop": {"timezone": "Europe/Berlin", "jobs": jobs}})
    ran = host.run("config")
    assert (ran.status, "1 cluster, 2 jobs on schedule" in ran.out) == (0, True)
    assert "shop     drill  0 4 * * sun#1  Europe/Berlin  2" in ran.out
    assert "warning: 30 2 * * *: 02:30 does not exist in Europe/Berlin" in ran.err
    body = host.run("--json", "config").json
    assert {row["job"]: row["schedule"] for row in body["jobs"]} == {
        "dump": "30 2 * * *", "drill": "0 4 * * sun#1"}
    assert len(body["warnings"]) == 2


@pytest.mark.parametrize(("mode", "words"), [
    (None, "which cannot be read: No such file or directory"), (0o644, "has mode 0644: others can read the secret"),
    (0o640, "has mode 0640")])
def test_a_secret_that_is_missing_or_open_to_others_is_refused(host, tmp_path, mode, words):
    secret = tmp_path / "secret"
    if mode is not None:
        secret.write_text("x")
        secret.chmod(mode)
    host.config({"shop": {"connection": {"password_file": str(secret)}}})
    ran = host.run("config")
    assert ran.status == 2
    assert f"clusters.shop.connection.password_file is {str(secret)!r}, which" in ran.err
    assert words in ran.err


def test_a_secret_of_another_user_is_refused(host, tmp_path):
    secret = tmp_path / "secret"
    secret.touch(0o600)
    host.config({"shop": {"connection": {"password_file": str(secret)}}})
    assert host.run("config", "--for-user", getpass.getuser()).status == 0
    ran = host.run("config", "--for-user", "nobody")
    assert (ran.status, "which belongs to user id" in ran.err, f"chown nobody {secret}" in ran.err) == (2, True, True)
    assert "no user 'no-such-user'" in host.run("config", "--for-user", "no-such-user").err
