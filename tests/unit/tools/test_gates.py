# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gates: one failing step stops a run, nothing of a step survives it, and the last lines tell the truth."""
from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import gates
import lanes
from steps import Outcome, Step

from kit.leftovers import is_gone

ROOT = Path(__file__).parents[3]
GOOD = Step("good", (sys.executable, "-c", ""))
BAD = Step("bad", (sys.executable, "-c", "raise SystemExit(3)"))
NEVER = Step("never", (sys.executable, "-c", "raise SystemExit('must not run')"))


def run(*steps):
    return lanes.run([steps], dict(os.environ))


def test_a_failing_step_stops_the_run():
    outcomes = run(GOOD, BAD, NEVER)
    assert [(outcome.step.name, outcome.problem) for outcome in outcomes] == [("good", ""), ("bad", "exit status 3")]


def test_the_summary_ends_with_the_lines_that_tell_why_a_step_failed():
    script = ("print('much'); print('\\x1b[31mE   assert 1 == 2\\x1b[0m'); print('more'); "
              "print('error: no server'); raise SystemExit(1)")
    step = Step("telling", (sys.executable, "-c", script))
    outcomes = run(step)
    assert gates.summary([step], outcomes, {})[-3:] == [
        "Why telling failed, in its own words", "  E   assert 1 == 2", "  error: no server"]


def test_a_playbook_of_molecule_is_quoted_without_its_gutter():
    gutter = "  \\x1b[2m│\\x1b[0m "
    script = (f"print('{gutter}TASK [Ask]'); print('{gutter}\\x1b[31mfatal: [shop]: FAILED! =>\\x1b[0m'); "
              f"print('{gutter}    stderr: 2 too many'); print('ERROR    code 2'); raise SystemExit(1)")
    [outcome] = run(Step("molecule", (sys.executable, "-c", script)))
    assert outcome.said == ("fatal: [shop]: FAILED! =>", "    stderr: 2 too many", "ERROR    code 2")


def test_a_step_that_tells_nothing_is_quoted_by_its_last_lines():
    [outcome] = run(Step("mute", (sys.executable, "-c", "print('one'); print('two'); raise SystemExit(1)")))
    assert outcome.said == ("one", "two")


def test_a_step_that_passes_is_not_quoted():
    [outcome] = run(Step("good", (sys.executable, "-c", "print('error: none')")))
    assert outcome.said == ()


def test_a_program_left_behind_by_a_step_does_not_hold_up_the_run():
    script = "import subprocess, sys; subprocess.Popen(['sleep', '20'], start_new_session=True); sys.exit(1)"
    [outcome] = run(Step("leaver", (sys.executable, "-c", script)))
    assert outcome.problem == "exit status 1"
    assert outcome.seconds < 15


def test_a_step_that_this_machine_cannot_run_is_named_with_its_reason(monkeypatch):
    monkeypatch.delenv("RESTORABLE_NO_SKIPS", raising=False)
    step = Step("hosted", NEVER.argv, lacks=lambda: "no engine")
    outcomes = run(step, GOOD)
    lines = gates.summary([step, GOOD], outcomes, {})
    assert [line.split()[:2] for line in lines[:3]] == [["What", "ran"], ["absent", "hosted"], ["passed", "good"]]
    assert lines[3:] == ["What could not run here, and why", "  hosted: no engine"]


def test_a_step_that_cannot_run_where_everything_must_is_a_failure(monkeypatch):
    monkeypatch.setenv("RESTORABLE_NO_SKIPS", "1")
    outcomes = run(Step("hosted", NEVER.argv, lacks=lambda: "no engine"), GOOD)
    assert [(each.step.name, each.problem) for each in outcomes] == [("hosted", "no engine")]


def test_a_program_that_is_not_there_is_a_failure_with_its_name():
    [outcome] = run(Step("lost", ("no-such-program",)))
    assert outcome.problem == "no-such-program cannot be started: No such file or directory"


def test_a_step_over_its_limit_is_stopped_with_everything_it_started(tmp_path):
    script = ("import subprocess; child = subprocess.Popen(['sleep', '600']); "
              f"open('{tmp_path}/pid', 'w').write(str(child.pid)); child.wait()")
    [outcome] = run(Step("slow", (sys.executable, "-c", script), limit=2))
    assert outcome.problem == "killed after 2 s"
    assert outcome.seconds < 300
    assert is_gone(int((tmp_path / "pid").read_text()), within=10)


def test_the_summary_names_what_failed_and_what_did_not_run():
    lines = gates.summary([GOOD, BAD, NEVER], [Outcome(GOOD, 1.0), Outcome(BAD, 2.0, "exit status 3")], {})
    assert [line.split() for line in lines] == [
        ["What", "ran"],
        ["passed", "good", "1.0", "s"],
        ["FAILED", "bad", "2.0", "s", "exit", "status", "3"],
        ["not", "run", "never,", "because", "a", "step", "before", "it", "failed"],
    ]


def test_the_summary_ends_with_pytests_own_line_after_what_could_not_run():
    step = Step("pytest", ("true",), notes=lambda: ["something else: no such program"])
    tests = {"folders": {"unit": {"passed": 7, "skipped": 2}}, "with": {"PostgreSQL": ["15.18", "18.4"]},
             "not_run": {"PostgreSQL 16 is not installed": 2}, "line": "==== 7 passed, 2 skipped in 1.00s ===="}
    lines = gates.summary([step], [Outcome(step, 1.0)], tests)
    assert [line.strip() for line in lines[2:]] == [
        "tests/unit: 7 passed, 2 skipped",
        "with PostgreSQL 15.18, 18.4",
        "What could not run here, and why",
        "something else: no such program",
        "2 x PostgreSQL 16 is not installed",
        "==== 7 passed, 2 skipped in 1.00s ====",
    ]


def test_the_summary_keeps_the_gates_order_whatever_ended_first_and_begun_last():
    outcomes = [Outcome(BAD, 2.0, "exit status 3"), Outcome(GOOD, 9.0)]
    lines = gates.summary([GOOD, NEVER, BAD], outcomes, {})
    assert [line.split()[:3] for line in lines[1:4]] == [
        ["passed", "good", "9.0"], ["FAILED", "bad", "2.0"], ["not", "run", "never,"]]


def test_a_stage_that_fails_is_the_last():
    outcomes = gates.run([[[GOOD], [BAD]], [[NEVER]]], dict(os.environ))
    assert {outcome.step.name for outcome in outcomes} == {"good", "bad"}


def test_the_scenarios_in_containers_run_beside_the_rest_where_there_are_two_cores():
    lint, [rest, beside] = gates.stages("test", 2)
    assert (lint, beside) == ([gates.LINT], gates.HOSTED)
    assert [*gates.LINT, *rest] == [step for step in gates.GATES["test"] if step not in gates.HOSTED]


def test_every_step_has_one_lane_on_one_core_and_in_every_other_gate():
    assert gates.stages("test", 1) == [[gates.GATES["test"]]]
    assert [gates.stages(name, 8) for name in ("molecule", "lint")] == [
        [[gates.GATES["molecule"]]], [[gates.GATES["lint"]]]]


def test_an_unknown_gate_is_refused(capsys):
    assert gates.main("tset") == 2
    assert "there is no gate 'tset'" in capsys.readouterr().err


def test_the_makefile_offers_every_gate():
    [line] = re.findall(r"^GATES := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(line.split()) == set(gates.GATES)


def test_the_full_gate_holds_every_step_of_the_others_and_runs_pytest_last():
    full = gates.GATES["test"]
    assert {step.argv for name in ("lint", "sanity", "molecule", "dist") for step in gates.GATES[name]} <= {
        step.argv for step in full}
    assert gates.DEMO in full and (ROOT / gates.DEMO.argv[1]).is_file()
    assert full[-1].argv[-4:] == tuple(f"tests/{name}" for name in gates.TESTS)
