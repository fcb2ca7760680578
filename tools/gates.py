# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the project's gates in order and say at the end what ran and what could not: tools/gates.py NAME.

A gate is a list of steps. The first step that fails stops the run; the rest is listed as not run.
"""
from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Sequence

import collection_tree
import engine
import postgres17
import sanity
from telling import Relay

ROOT = Path(__file__).resolve().parents[1]
REPORT = ROOT / ".work" / "pytest.json"      # written by tests/conftest.py
PYTHON = sys.executable


@dataclass(frozen=True)
class Step:
    """One command; limit is the number of seconds after which it is killed."""

    name: str
    argv: tuple[str, ...]
    limit: int = 300
    notes: Callable[[], list[str]] = list    # what it could not do on this machine, in words
    lacks: Callable[[], str] = str           # why it cannot run here at all; "" if it can


@dataclass(frozen=True)
class Outcome:
    """What became of a step; problem is empty if it passed, absent says why it could not run here."""

    step: Step
    seconds: float
    problem: str = ""
    absent: str = ""
    said: tuple[str, ...] = ()      # the lines of its output that tell why it failed


def pytest(*folders: str, limit: int = 3600) -> Step:
    """Return the step that runs the tests in some folders of tests/, a file at a time on each core, at most four."""
    spread = ("--numprocesses", "logical", "--maxprocesses", "4", "--dist", "loadfile")
    paths = (f"tests/{name}" for name in folders)
    return Step("pytest " + " ".join(folders), (PYTHON, "-m", "pytest", *spread, *paths), limit)


def molecule(scenario: str, limit: int = 900) -> Step:
    """Return the step that runs a scenario; its state lies in this checkout, apart from other checkouts' runs."""
    folder = ROOT / ".work" / "molecule" / scenario
    return Step(f"molecule {scenario}", ("env", f"MOLECULE_EPHEMERAL_DIRECTORY={folder}", "molecule", "test",
                                         "--scenario-name", scenario), limit)


def hosted(scenario: str, images: str, limit: int = 1800) -> Step:
    """Return the step that runs a scenario with a Docker engine and the images that it names."""
    inner = molecule(scenario)
    return Step(inner.name, (PYTHON, "tools/engine.py", "with", images, "--", *inner.argv), limit, lacks=engine.lacking)


RUFF = Step("ruff", ("ruff", "check", "."))
MYPY = Step("mypy on the core", (PYTHON, "-m", "mypy"))
LINT = (
    RUFF,
    MYPY,
    Step("shellcheck", ("shellcheck", ".ci/run", "tools/bootstrap.sh")),
    Step("ansible-lint, profile production", ("ansible-lint", "--offline")),
    Step("antsibull-docs", ("antsibull-docs", "lint-collection-docs", "--plugin-docs",
                            "--validate-collection-refs", "self", ".")),
    Step("antsibull-changelog", ("antsibull-changelog", "lint")),
    Step("antsibull-changelog, releases", ("antsibull-changelog", "lint-changelog-yaml", "changelogs/changelog.yaml")),
)
SANITY = Step("ansible-test sanity", (PYTHON, "tools/sanity.py"), 900, sanity.missing)
MOLECULE = molecule("default")
PHYSICAL = molecule("physical")
HOSTED = (hosted("systemd", "host-systemd"), hosted("cron", "host"), hosted("compose", "debian,postgres"))
POSTGRES17 = Step("PostgreSQL 17 of Debian trixie", (PYTHON, "tools/postgres17.py"), lacks=postgres17.lacking)
DIST = Step("build the collection", (PYTHON, "tools/dist.py"))
DEMO = Step("make demo, in a fresh copy", (PYTHON, "tools/demo_gate.py"), 900)
TESTS = ("unit", "contract", "integration", "faults")

GATES: dict[str, tuple[Step, ...]] = {
    "check": (RUFF, MYPY, pytest("unit")),
    "lint": LINT,
    "sanity": (SANITY,),
    "molecule": (MOLECULE, PHYSICAL, *HOSTED),
    "dist": (DIST,),
    **{name: (pytest(name),) for name in TESTS},
    # pytest last: its summary line is what a reader looks for at the end
    "test": (*LINT, SANITY, DIST, DEMO, MOLECULE, PHYSICAL, *HOSTED, POSTGRES17, pytest(*TESTS)),
}


def main(name: str) -> int:
    """Run one gate; return 0 if every step passed."""
    if name not in GATES:
        print(f"error: there is no gate {name!r}\nhint: Choose one of {', '.join(GATES)}.", file=sys.stderr)
        return 2
    REPORT.unlink(missing_ok=True)
    outcomes = run_until_one_fails(GATES[name], surroundings())
    print("\n".join(["", *summary(GATES[name], outcomes, report())]), flush=True)
    return 1 if outcomes[-1].problem else 0


def run_until_one_fails(steps: Sequence[Step], environment: dict[str, str]) -> list[Outcome]:
    """Run the steps in order; return the outcomes of those that ran."""
    outcomes: list[Outcome] = []
    for step in steps:
        print(f"\n── {step.name}", flush=True)
        outcomes.append(run(step, environment))
        if outcomes[-1].problem:
            break
    return outcomes


def surroundings() -> dict[str, str]:
    """Return the environment in which Ansible's tools find one another, the checkout and nothing else."""
    path = os.pathsep.join([str(Path(PYTHON).parent), os.environ.get("PATH", os.defpath)])
    # Ansible refuses to start without a UTF-8 locale, and a bare machine sets none
    # result_format=yaml: what a failing task printed stands in lines that a person, and Relay, can read
    return {**os.environ, "PATH": path, "LC_ALL": "C.UTF-8", "ANSIBLE_COLLECTIONS_PATH": str(collection_tree.link()),
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml", "PYTHONUNBUFFERED": "1", "RESTORABLE_TEST_REPORT": str(REPORT)}


def run(step: Step, environment: dict[str, str]) -> Outcome:
    """Run one step in a process group of its own, so that nothing of it survives its limit or an interrupt."""
    absent = step.lacks()
    if absent:
        return Outcome(step, 0.0, absent if os.environ.get("RESTORABLE_NO_SKIPS") == "1" else "", absent)
    begun = time.monotonic()
    try:
        child = subprocess.Popen(step.argv, cwd=ROOT, env=environment, start_new_session=True, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT)
    except OSError as error:
        return Outcome(step, 0.0, f"{step.argv[0]} cannot be started: {error.strerror}")
    relay = Relay(child.stdout)
    try:
        status = child.wait(step.limit)
        problem = f"exit status {status}" if status else ""
    except subprocess.TimeoutExpired:
        problem = f"killed after {step.limit} s"
    finally:
        stop(child)
    return Outcome(step, time.monotonic() - begun, problem, said=tuple(relay.end()) if problem else ())


def stop(child: subprocess.Popen) -> None:
    """End a running step's process group: first so that tests can stop their servers, then for good."""
    for number, patience in ((signal.SIGINT, 30), (signal.SIGKILL, None)):
        if child.poll() is None:
            os.killpg(child.pid, number)
            try:
                child.wait(patience)
            except subprocess.TimeoutExpired:
                continue


def report() -> dict:
    """Return what tests/conftest.py wrote of the last pytest run, or {}."""
    return json.loads(REPORT.read_text()) if REPORT.exists() else {}


def summary(steps: Sequence[Step], outcomes: Sequence[Outcome], tests: dict) -> list[str]:
    """Return the last lines of a run: what ran, what did not, what this machine could not do, pytest's own line."""
    lines = ["What ran"]
    for outcome in outcomes:
        word = "FAILED" if outcome.problem else "absent" if outcome.absent else "passed"
        lines.append(f"  {word:8}{outcome.step.name:40}{outcome.seconds:7.1f} s  {outcome.problem}".rstrip())
    for folder, counts in tests.get("folders", {}).items():
        lines.append(f"  {'':8}  tests/{folder}: " + ", ".join(f"{count} {word}" for word, count in counts.items()))
    for name, values in tests.get("with", {}).items():
        lines.append(f"  {'':8}  with {name} {', '.join(values)}")
    lines += [f"  {'not run':8}{step.name}, because a step before it failed" for step in steps[len(outcomes):]]
    could_not = [f"{outcome.step.name}: {outcome.absent}" for outcome in outcomes if outcome.absent]
    could_not += [note for outcome in outcomes for note in outcome.step.notes()]
    could_not += [f"{count} x {reason}" for reason, count in tests.get("not_run", {}).items()]
    lines += ["What could not run here, and why", *(f"  {note}" for note in could_not)] if could_not else []
    lines += [f"Why {outcome.step.name} failed, in its own words" for outcome in outcomes if outcome.said]
    lines += [f"  {line}" for outcome in outcomes for line in outcome.said]
    return [*lines, tests["line"]] if "line" in tests else lines


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as an exception, so that run() stops its child
    sys.exit(main(sys.argv[1] if len(sys.argv) == 2 else ""))
