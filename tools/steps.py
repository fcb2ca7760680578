# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One step of a gate: a command that runs in a process group of its own and leaves nothing of it behind."""
from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Sequence

from telling import Relay, Sink

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 30       # seconds in which an interrupted step must have stopped what it started


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


class Running:
    """A step that was begun. It begins in its constructor; outcome() is asked until it has one."""

    def __init__(self, step: Step, environment: dict[str, str], sink: Sink) -> None:
        self.step = step
        self.child: subprocess.Popen[bytes] | None = None
        self._begun = time.monotonic()
        self._outcome: Outcome | None = None
        absent = step.lacks()
        if absent:
            needed = os.environ.get("RESTORABLE_NO_SKIPS") == "1"
            self._outcome = Outcome(step, 0.0, absent if needed else "", absent)
            return
        try:
            self.child = subprocess.Popen(step.argv, cwd=ROOT, env=environment, start_new_session=True,
                                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        except OSError as error:
            self._outcome = Outcome(step, 0.0, f"{step.argv[0]} cannot be started: {error.strerror}")
            return
        self._relay = Relay(self.child.stdout, sink)

    def outcome(self) -> Outcome | None:
        """Return what became of it, or None while it runs; one that is over its limit is stopped here."""
        if self._outcome or not self.child:
            return self._outcome
        problem, status = "", self.child.poll()
        seconds = time.monotonic() - self._begun
        if status:
            problem = f"exit status {status}"
        elif status is None:
            if seconds < self.step.limit:
                return None
            stop([self])
            problem = f"killed after {self.step.limit} s"
        said = self._relay.end()
        self._outcome = Outcome(self.step, time.monotonic() - self._begun, problem, said=tuple(said) if problem else ())
        return self._outcome


def stop(steps: Sequence[Running]) -> None:
    """End the process groups of steps that run: first so that tests can stop their servers, then for good."""
    for number, patience in ((signal.SIGINT, PATIENCE), (signal.SIGKILL, None)):
        alive = [step.child for step in steps if step.child and step.child.poll() is None]
        for child in alive:
            os.killpg(child.pid, number)
        until = time.monotonic() + (patience or 0)
        for child in alive:
            try:
                child.wait(patience and max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                continue
