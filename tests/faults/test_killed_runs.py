# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two runs at once, runs that are killed in each phase, and runs that are asked to end."""
from __future__ import annotations

import os
import signal
import subprocess
import time

import pytest

from _restorable.errors import Unavailable
from kit.chain import programs
from kit.leftovers import every_process, is_gone

PHASES = ["plan", "pre command", "lock", "dump", "fingerprint", "dump globals", "commit"]


def wait_for(condition, seconds=30.0):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)


def phase_of(phase, database):
    return f"{phase} {database}" if phase in ("lock", "dump", "fingerprint") else phase


def mentioning(text):
    """Return the command lines of all processes but ours in which text stands."""
    found = []
    for pid in every_process():
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                line = file.read().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text in line and pid != os.getpid():
            found.append(line)
    return found


@pytest.mark.parametrize("phase", PHASES)
def test_a_run_that_is_killed_leaves_good_backups_as_they_are_and_the_next_run_sweeps(good, shop, phase):
    before = good.files()
    good.own["jobs"]["dump"]["pre_command"] = ["true"]
    assert good.killed("backup", phase_of(phase, shop)) == -signal.SIGKILL
    sets = good.ids()
    assert len(sets) == 1
    left = good.files()
    assert {path: left[path] for path in before} == before
    wait_for(lambda: not mentioning(f"dbname='{shop}'") and not mentioning(f"dbname={shop}"))
    report = good.back_up()
    assert len(report.swept) == (phase in ("fingerprint", "dump globals", "commit"))
    after = good.files()
    assert {path: after[path] for path in before} == before
    assert {path for path in after if path not in before} == set(good.files(str(report.manifest.id)))
    assert good.verify("latest")[0].verdict == "passed"


@pytest.mark.parametrize("form", ["custom", "directory"])
def test_a_run_that_is_killed_in_the_midst_of_its_dump_leaves_no_half_object_and_no_program(good, shop, pg16, form):
    pg16.sql("CREATE TABLE big AS SELECT repeat(md5(g::text), 30) AS t FROM generate_series(1, 20000) g", database=shop)
    before = good.files()
    good.own["jobs"]["dump"].update(format=form)
    assert good.killed("backup", f"dump {shop}", advanced=True) == -signal.SIGKILL
    wait_for(lambda: not mentioning(f"dbname='{shop}'") and not mentioning(f"dbname={shop}"))
    [half] = [path for path in good.files() if ".part/" in path]
    good.back_up()
    assert half not in good.files()
    assert {path: found for path, found in good.files().items() if path in before} == before


def test_a_second_run_is_refused_and_told_who_holds_the_lock_since_when(good, fails):
    marker = good.folder / "begun"
    good.own["jobs"]["dump"]["pre_command"] = ["sh", "-c", f"touch {marker}; sleep 30"]
    first = good.command("backup")
    wait_for(marker.exists)
    before = good.files()
    for again in (good.back_up, lambda: good.prune(daily=1), good.hold):
        who = rf"locked by backup \(pid {first.pid}, user .* since 20..-..-..T"
        with pytest.raises(Unavailable, match=who) as caught:
            again()
        assert caught.value.code == "lock.held"
    status, _out, err = good.run("backup")
    assert (status, f"pid {first.pid}" in err, "Wait until that run is done" in err) == (3, True, True)
    assert good.files() == before
    first.kill()
    first.communicate()
    assert good.back_up(pre_command=[]).changed


@pytest.mark.parametrize(("one", "phase", "other"), [("prune", "delete from local", "backup"),
                                                     ("backup", "commit", "prune")])
def test_a_backup_and_a_prune_in_two_processes_keep_out_of_each_others_way(good, one, phase, other):
    good.own["retention"] = {"dump": {"last": 1, "min_keep": 0, "min_age": "0"}}
    good.taken()
    first = good.waiting(one, phase)
    try:
        before = good.files()
        status, _out, err = good.run(other)
        assert (status, f"locked by {one} (pid {first.pid}, user" in err) == (3, True), err
        assert good.files() == before
    finally:
        first.kill()
        first.communicate()
    newest = str(good.taken().id)
    status, out, err = good.run("prune")
    assert status == 0, out + err
    assert good.ids() == [newest]
    assert good.verify()[0].verdict == "passed"
    assert sorted({path.split("/")[3] for path in good.files() if "/backup/" in path}) == [newest]


@pytest.mark.parametrize("form", ["custom", "directory"])
def test_a_run_that_is_asked_to_end_in_the_midst_of_its_dump_leaves_nothing(good, shop, form):
    marker = good.folder / "begun"
    good.own["bin_dir"] = programs(good.server, good.folder, pg_dump=(
        f'head -c 300000 /dev/urandom; touch {marker}; sleep 60; exec $REAL "$@"'))
    good.own["jobs"]["dump"].update(format=form)
    before = good.files()
    run = good.command("backup")
    wait_for(marker.exists)
    run.send_signal(signal.SIGTERM)
    _out, err = run.communicate(timeout=30)
    assert (run.returncode, "stopped by SIGTERM" in err) == (124, True)
    assert good.files() == before
    assert os.listdir(good.temporary()) == []
    wait_for(lambda: not mentioning(str(good.folder)))
    assert good.server.sql(f"SELECT pid FROM pg_stat_activity WHERE datname = '{shop}'") == []


@pytest.fixture
def drilling(good):
    """A drill in another process that has restored everything and now waits in its own checks; its scratch folder."""
    marker = good.folder / "begun"
    good.own["jobs"]["drill"]["command"] = ["sh", "-c", f"touch {marker}; sleep 60"]
    run = good.command("drill")
    wait_for(marker.exists)
    [place] = good.scratch.iterdir()
    server = int((place / "data" / "postmaster.pid").read_text().split()[0])
    yield run, place, server
    run.kill()
    run.communicate()


def test_a_drill_that_is_asked_to_end_leaves_no_server_and_no_folder(good, drilling):
    run, place, server = drilling
    before = good.files()
    run.send_signal(signal.SIGTERM)
    _out, err = run.communicate(timeout=30)
    assert (run.returncode, "stopped by SIGTERM" in err) == (124, True)
    assert is_gone(server)
    assert not place.exists()
    assert list(good.scratch.iterdir()) == []
    assert good.files() == before


def test_a_drill_that_was_killed_leaves_no_server_and_the_next_one_removes_its_folder(good, drilling):
    run, place, server = drilling
    before = good.files()
    run.kill()
    run.communicate()
    assert is_gone(server)
    assert place.exists()
    good.own["jobs"]["drill"]["command"] = []
    assert good.drill().verdict == "passed"
    assert list(good.scratch.iterdir()) == []
    assert {path: found for path, found in good.files().items() if path in before} == before


def test_nothing_is_deleted_under_a_drill_but_a_backup_may_be_taken(good, drilling):
    run, _place, _server = drilling
    before = good.files()
    with pytest.raises(Unavailable, match=rf"locked by drill \(pid {run.pid}, user") as caught:
        good.prune(last=1, min_keep=0, min_age="0")
    assert caught.value.code == "lock.held"
    assert good.files() == before
    assert good.back_up().changed


def test_a_command_that_hangs_is_killed_with_all_that_it_started(good):
    evidence = good.drill(command=["sh", "-c", "sleep 61.5 & sleep 61.5"], command_timeout="1s")
    assert (evidence.verdict, "longer than 1 s" in str(evidence.checks)) == ("failed", True)
    wait_for(lambda: subprocess.run(["pgrep", "-f", "sleep 61.5"], stdout=subprocess.DEVNULL,
                                    check=False).returncode == 1)
