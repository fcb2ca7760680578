# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The ladder of a drill while it is climbed: checks, measured phases, and what was not reached."""
from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import Iterator, Mapping

from ..errors import ConfigError, RestorableError, ToolFailed, Unavailable
from ..model.drill import LEVELS, Check, verdict
from ..model.machine import is_of_machine
from ..ports import Clock, Progress

REPLAY = "recovery"                # the check that a copy's WAL leads to the target


class Ladder:
    """Collects checks; a rung that raises is a finding or an obstacle, and those above it are reported as not run."""

    def __init__(self, clock: Clock, progress: Progress, optional: frozenset[str],
                 levels: Mapping[str, str] | None = None) -> None:
        self.checks: list[Check] = []
        self.aside: list[Check] = []       # what was found of copies that another copy stands in for
        self.others: set[str] = set()      # names of checks that speak of other backups than the drilled one
        self.notes: list[str] = []
        self.kept: list[str] = []          # notes of this climb's scratch server: where it was kept, or what it died of
        self.rto: float | None = None
        self._clock = clock
        self._progress = progress
        self._optional = optional
        self._levels = levels or LEVELS
        self._began = clock.elapsed()
        self._phases: dict[str, float] = {}
        self._blocked = False

    @property
    def own(self) -> list[Check]:
        """Return the checks that speak of the drilled backup."""
        return [each for each in self.checks if each.name not in self.others]

    @property
    def stopped(self) -> bool:
        """Say whether a check has failed so far, or could not be made by a rung that others stand on."""
        return self._blocked or any(each.result == "failed" for each in self.own)

    def set_aside(self, copy: str) -> None:
        """Begin again with another copy; what was found damaged in this one stays a finding, its server goes."""
        for each in self.checks:
            if each.result == "failed":
                self.aside.append(replace(each, name=f"{each.name} in {copy}"))
            elif (each.level in ("L0", "L1") or each.name == REPLAY) and each.result == "not_run" and not each.optional:
                self.notes.append(f"the copy in {copy} could not be read: {each.name}: {each.detail}")
        self.checks, self.kept, self._blocked = [], [], False

    def begin_again(self) -> None:
        """Forget what was found and measured; the notes stay, but for the one of a server that is not kept now."""
        self.checks, self.kept, self._blocked = [], [], False
        self._began, self._phases = self._clock.elapsed(), {}

    def now(self) -> float:
        """Return the seconds that rungs are measured with."""
        return self._clock.elapsed()

    @contextmanager
    def rung(self, level: str, name: str, detail: str = "") -> Iterator[None]:
        """Run one check; its error, if any, becomes the finding and is not raised."""
        began = self._clock.elapsed()
        try:
            yield
        except RestorableError as error:
            self.found(level, name, error, seconds=self._clock.elapsed() - began)
        else:
            self.ok(level, name, detail, seconds=self._clock.elapsed() - began)

    @contextmanager
    def phase(self, name: str, total: int | None = None) -> Iterator[None]:
        """Measure a phase and show it."""
        self._progress.phase(name, total)
        began = self._clock.elapsed()
        try:
            yield
        finally:
            self._phases[name] = self._phases.get(name, 0.0) + self._clock.elapsed() - began

    def ok(self, level: str, name: str, detail: str = "", *, seconds: float = 0.0) -> None:
        """Add a check that held."""
        self.checks.append(Check(level, name, "ok", detail, seconds=round(seconds, 3)))

    def found(self, level: str, name: str, error: RestorableError, *, seconds: float = 0.0) -> None:
        """Add what an error says: of the backup, or only of this machine, whose lacks are no backup's fault.

        A missing program, a full disk or an unreachable place leaves a backup unproven; it does not make it bad. Nor
        does a restore that fails for want of room, memory or an extension, of an object that L0 found whole.
        """
        words = getattr(error, "stderr", "") or error.message
        if isinstance(error, (ConfigError, Unavailable)) or (level == "L2" and is_of_machine(words)):
            self._blocked = self._blocked or name not in self.others
            why = f"{error.message}. {error.hint}".strip()
            self.checks.append(Check(level, name, "not_run", why, seconds=round(seconds, 3)))
        else:
            self.failed(level, name, error.message, seconds=seconds)

    def failed(self, level: str, name: str, detail: str, *, expected: str = "", actual: str = "",
               seconds: float = 0.0) -> None:
        """Add a finding."""
        self.checks.append(Check(level, name, "failed", detail, expected, actual, seconds=round(seconds, 3)))

    def not_run(self, level: str, name: str, why: str, *, optional: bool = False) -> None:
        """Add a check that could not be made, and why."""
        may = optional or name.split(" ", 1)[0] in self._optional
        self.checks.append(Check(level, name, "not_run", why, optional=may))

    def skip_rest(self, level: str, why: str) -> None:
        """Report every level from this one on as not run."""
        order = list(self._levels)
        for each in order[order.index(level):]:
            if not any(check.level == each for check in self.checks):
                self.not_run(each, self._levels[each].split(":", 1)[0], why)

    def answers(self) -> None:
        """Note that the restored server answers queries now: the end of the recovery time."""
        self.rto = round(self._clock.elapsed() - self._began, 3)

    def phases(self) -> dict[str, float]:
        """Return seconds by phase, in the order they ran, and the total."""
        return {name: round(seconds, 3) for name, seconds in self._phases.items()}

    def raise_to_keep(self, keep: bool) -> None:
        """Leave the scratch server's context by an error if the drill failed and the server is to be kept."""
        if keep and verdict(self.own) == "failed":
            raise ToolFailed("the drill failed", code="drill.failed_kept")

    def explain(self, error: RestorableError) -> None:
        """Turn an error of the scratch server itself into a finding; a kept server's place becomes a note."""
        if error.code == "drill.failed_kept":
            self.kept.append(error.hint or error.message)
            return
        if verdict(self.own) != "failed":
            self.not_run("L2", "scratch", f"{error.message}. {error.hint}".strip())
        else:
            self.kept.append(f"{error.message}. {error.hint}".strip())
        self.skip_rest("L3", "the scratch server could not be used")
