# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the project's gates in order and say at the end what ran and what could not: tools/gates.py NAME.

A gate is a list of steps. After the first that fails nothing more begins; the rest is listed as not run.
"""
from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Sequence

import collection_tree
import engine
import lanes
import namespaces
import postgres17
import sanity
from steps import ROOT, Outcome, Step

REPORT = ROOT / ".work" / "pytest.json"      # written by tests/conftest.py
PYTHON = sys.executable


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
HOSTED = (hosted("systemd", "host-systemd"), hosted("cron", "host,bare"), hosted("compose", "debian,postgres"))
POSTGRES17 = Step("PostgreSQL 17 of Debian trixie", (PYTHON, "tools/postgres17.py"), lacks=postgres17.lacking)
DIST = Step("build the collection", (PYTHON, "tools/dist.py"))
DEMO = Step("make demo, in a fresh copy", (PYTHON, "tools/demo_gate.py"), 900, namespaces.notes)
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
    outcomes = run(stages(name, len(os.sched_getaffinity(0))), surroundings())
    print("\n".join(["", *summary(GATES[name], outcomes, report())]), flush=True)
    return 1 if any(outcome.problem for outcome in outcomes) else 0


def run(stages: Sequence[Sequence[Sequence[Step]]], environment: dict[str, str]) -> list[Outcome]:
    """Run stages one after another until a step fails; return the outcomes of the steps that ran."""
    outcomes: list[Outcome] = []
    for stage in stages:
        outcomes += lanes.run(stage, environment)
        if any(outcome.problem for outcome in outcomes):
            break
    return outcomes


def stages(name: str, cores: int) -> list[list[Sequence[Step]]]:
    """Return what runs one after another in a gate: each a list of lanes that run beside each other.

    The scenarios with hosts in containers mostly wait, for a minute to come or for a package. So they cost next to
    nothing beside the rest, where there are two cores; what is quick to fail has failed before they begin.
    """
    if name != "test" or cores < 2:
        return [[GATES[name]]]
    return [[LINT], [[step for step in GATES[name] if step not in (*LINT, *HOSTED)], HOSTED]]


def surroundings() -> dict[str, str]:
    """Return the environment in which Ansible's tools find one another, the checkout and nothing else."""
    path = os.pathsep.join([str(Path(PYTHON).parent), os.environ.get("PATH", os.defpath)])
    # Ansible refuses to start without a UTF-8 locale, and a bare machine sets none
    # result_format=yaml: what a failing task printed stands in lines that a person, and Relay, can read
    return {**os.environ, "PATH": path, "LC_ALL": "C.UTF-8", "ANSIBLE_COLLECTIONS_PATH": str(collection_tree.link()),
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml", "PYTHONUNBUFFERED": "1", "COLUMNS": "240",
            "RESTORABLE_TEST_REPORT": str(REPORT)}


def report() -> dict:
    """Return what tests/conftest.py wrote of the last pytest run, or {}."""
    return json.loads(REPORT.read_text()) if REPORT.exists() else {}


def summary(steps: Sequence[Step], outcomes: Sequence[Outcome], tests: dict) -> list[str]:
    """Return the last lines of a run: what ran, what did not, what this machine could not do, pytest's own line."""
    lines = ["What ran"]
    ran = [outcome.step for outcome in outcomes]
    outcomes = sorted(outcomes, key=lambda outcome: steps.index(outcome.step))
    for outcome in outcomes:
        word = "FAILED" if outcome.problem else "absent" if outcome.absent else "passed"
        lines.append(f"  {word:8}{outcome.step.name:40}{outcome.seconds:7.1f} s  {outcome.problem}".rstrip())
    for folder, counts in tests.get("folders", {}).items():
        lines.append(f"  {'':8}  tests/{folder}: " + ", ".join(f"{count} {word}" for word, count in counts.items()))
    for name, values in tests.get("with", {}).items():
        lines.append(f"  {'':8}  with {name} {', '.join(values)}")
    lines += [f"  {'not run':8}{step.name}, because a step before it failed" for step in steps if step not in ran]
    could_not = [f"{outcome.step.name}: {outcome.absent}" for outcome in outcomes if outcome.absent]
    could_not += [note for outcome in outcomes for note in outcome.step.notes()]
    could_not += [f"{count} x {reason}" for reason, count in tests.get("not_run", {}).items()]
    lines += ["What could not run here, and why", *(f"  {note}" for note in could_not)] if could_not else []
    lines += [f"Why {outcome.step.name} failed, in its own words" for outcome in outcomes if outcome.said]
    lines += [f"  {line}" for outcome in outcomes for line in outcome.said]
    return [*lines, tests["line"]] if "line" in tests else lines


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) == 2 else ""))
