# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps in lanes: beside each other, each output in one piece, nothing begun after a failure or left by a signal."""
from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import lanes
import pytest
from steps import Step

from kit.leftovers import is_gone

TOOLS = Path(__file__).parents[3] / "tools"
NEVER = Step("never", (sys.executable, "-c", "raise SystemExit('must not run')"))
# wait for a file, and say so if it never comes: the two lanes of a test wait for one another, never for a time
AWAIT = """
import pathlib, sys, time
def wait(path):
    until = time.monotonic() + 60
    while not pathlib.Path(path).exists():
        if time.monotonic() > until:
            sys.exit(f"{path} never came")
        time.sleep(0.02)
def put(path):
    pathlib.Path(path).touch()
"""


def step(name, script):
    return Step(name, (sys.executable, "-c", AWAIT + script))


def run(*of_each_lane):
    return lanes.run(of_each_lane, dict(os.environ))


def test_lanes_run_beside_each_other_and_a_lanes_steps_one_after_another(tmp_path):
    first = step("first", f"put('{tmp_path}/first'); wait('{tmp_path}/beside')")
    second = step("second", f"put('{tmp_path}/second')")
    beside = step("beside", f"wait('{tmp_path}/first'); assert not pathlib.Path('{tmp_path}/second').exists(); "
                            f"put('{tmp_path}/beside')")
    outcomes = run([first, second], [beside])
    assert {outcome.step.name: outcome.problem for outcome in outcomes} == {"first": "", "second": "", "beside": ""}


def test_the_output_of_a_step_beside_the_rest_comes_in_one_piece(tmp_path, capfdbinary):
    loud = step("loud", f"print('one'); wait('{tmp_path}/go'); print('three')")
    quiet = step("quiet", f"print('two'); put('{tmp_path}/go'); print('four', end='')")
    after = step("after", "print('five')")
    run([loud, after], [quiet])
    lines = [line for line in capfdbinary.readouterr().out.decode().splitlines() if line]
    piece = lines.index("── quiet")
    assert lines[piece:piece + 3] == ["── quiet", "two", "four"]
    assert [line for line in lines if line in ("one", "three", "five")] == ["one", "three", "five"]
    assert "── quiet begins beside the rest; what it prints comes when it ends" in lines[:piece]


@pytest.mark.parametrize("failing", [0, 1])
def test_after_a_failure_in_one_lane_what_runs_may_end_and_nothing_begins(failing, tmp_path, capfdbinary):
    bad = step("bad", f"wait('{tmp_path}/begun'); sys.exit(3)")
    begun = step("begun", f"put('{tmp_path}/begun'); wait('{tmp_path}/failed')")
    pair = [[begun, NEVER], [bad, NEVER]] if failing else [[bad, NEVER], [begun, NEVER]]

    def seen(text):
        write(text)
        if "── bad FAILED: exit status 3; begun still runs".encode() in text:
            (tmp_path / "failed").touch()
    write = lanes._write
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lanes, "_write", seen)
        outcomes = run(*pair)
    assert [(each.step.name, each.problem) for each in outcomes] == [("bad", "exit status 3"), ("begun", "")]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_every_lane_with_all_that_it_started_and_shows_what_was_cut_off(number, tmp_path):
    script = f"""
import os, sys
sys.path.insert(0, {str(TOOLS)!r})
import lanes
from steps import Step
child = "import pathlib, subprocess, sys; print(sys.argv[1], flush=True); child = subprocess.Popen(['sleep', '600']); "
child += "pathlib.Path(sys.argv[1] + '.new').write_text(str(child.pid)); "
child += "pathlib.Path(sys.argv[1] + '.new').rename(sys.argv[1]); child.wait()"
steps = [Step(name, (sys.executable, "-c", child, {str(tmp_path)!r} + "/" + name)) for name in ("first", "beside")]
lanes.run([[steps[0], Step("never", ("false",))], [steps[1], Step("never", ("false",))]], dict(os.environ))
"""
    gate = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    wait_for(tmp_path / "first", tmp_path / "beside")
    gate.send_signal(number)
    said = gate.communicate(timeout=90)[0].splitlines()
    assert gate.returncode == 128 + number
    assert said[said.index("── beside, cut off by a signal") + 1] == f"{tmp_path}/beside"
    assert "── first, cut off by a signal" in said and not any("never" in line for line in said)
    for name in ("first", "beside"):
        assert is_gone(int((tmp_path / name).read_text()), within=10)


def wait_for(*paths):
    """Return once files are there; fail after a minute."""
    until = time.monotonic() + 60
    while not all(path.exists() for path in paths):
        assert time.monotonic() < until, paths
        time.sleep(0.02)
