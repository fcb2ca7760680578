# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The scheduler of a container: runs tasks when they are due, one at a time, and tells how it went."""
from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any, Callable, Mapping, Protocol, Sequence

from ..errors import RestorableError
from ..model.agenda import BACKUP, Task, next_run
from ..model.remembered import KILLED, Remembered
from ..model.watch import Watch
from ..ports import Clock

TURN = 20.0                        # seconds at most between two looks at the clock, which a sleep of the machine moves
AGAIN = timedelta(seconds=60)      # between two checks while something stands in the way
LONG_AGO = datetime(1970, 1, 1, tzinfo=timezone.utc)
CHECK = ("backup", "--dry-run", "--json")

Say = Callable[[str], None]
Run = Callable[[Sequence[str], Say], int]


class Memory(Protocol):
    """What outlives the scheduler, and what the health check reads."""

    def recall(self) -> Remembered:
        """Return what was kept."""

    def keep(self, remembered: Remembered) -> None:
        """Keep it; may fail silently, then a missed run is not caught up."""

    def show(self, watch: Watch) -> None:
        """Let the health check see the state."""


class Scheduler:
    """Call start() once, then turn() again and again, waiting as long as it says in between."""

    def __init__(self, tasks: Sequence[Task], clock: Clock, run: Run, log: Say, memory: Memory) -> None:
        self._tasks = tasks
        self._clock = clock
        self._run = run
        self._log = log
        self._memory = memory
        self._begun: dict[str, datetime] = {}
        self._now_wanted: list[Task] = []
        self._watch = Watch(clock.now())
        self._checked: datetime | None = None
        self._ready = False

    def start(self, *, at_once: bool = False) -> None:
        """Remember what was begun and what failed, and say what comes next; at_once: run every task now.

        What failed is tried again, as a person who restarts us after mending it expects; what killed us is not.
        """
        now, known = self._clock.now(), self._memory.recall()
        self._begun = {each.name: known.begun.get(each.name, now) for each in self._tasks}
        failed = {each.name: known.failed[each.name] for each in self._tasks if each.name in known.failed}
        self._watch = replace(self._watch, failed=failed)
        self._keep()
        for name, words in failed.items():
            self._log(f"schedule: the last {name} failed: {words}")
        self._now_wanted = [each for each in self._tasks if at_once or failed.get(each.name, KILLED) != KILLED]
        when, task = self._next()
        missed = " now, which was missed before" if when <= now else f" at {when:%Y-%m-%dT%H:%M:%SZ}"
        self._log(f"schedule: {task.schedule.text} ({task.schedule.timezone}); next {task.name}{missed}")
        self.beat()

    def turn(self) -> float:
        """Run what is due; return the seconds until the next look."""
        self._check()
        task = self._due()
        if task is not None:
            self._do(task)
        self.beat()
        when, _task = self._next()
        return min(TURN, max(0.0, (when - self._clock.now()).total_seconds()))

    def beat(self) -> None:
        """Show that we live."""
        when, task = self._next()
        self._watch = replace(self._watch, beat=self._clock.now(), next_run=f"{task.name} at {when:%Y-%m-%dT%H:%M:%SZ}")
        self._memory.show(self._watch)

    def _keep(self, failed: Mapping[str, str] | None = None) -> None:
        self._memory.keep(Remembered(self._begun, self._watch.failed if failed is None else failed))

    def _next(self) -> tuple[datetime, Task]:
        now = self._clock.now()
        # a beginning that lies in the future, as after a clock was set back, was now: else its next run never came
        self._begun = {name: min(when, now) for name, when in self._begun.items()}
        return next_run(self._tasks, self._begun)

    def _due(self) -> Task | None:
        if self._now_wanted:
            return self._now_wanted.pop(0)
        when, task = self._next()
        return task if when <= self._clock.now() else None

    def _do(self, task: Task) -> None:
        self._begun[task.name] = self._clock.now()
        self._keep({**self._watch.failed, task.name: KILLED})      # a run that kills us is not begun again at once
        self._watch = replace(self._watch, running=task.name)
        self.beat()
        try:
            words = run_steps(task, self._run, self._log)
        except BaseException:
            self._begun[task.name] = LONG_AGO      # we were told to stop: the next start makes up for this run
            self._keep()
            raise
        self._watch = self._watch.ended(task.name, words)
        self._keep()
        if task.name == BACKUP:
            self._checked = None               # look at once what stands in the way, if something does

    def _check(self) -> None:
        """Ask at the start and after each backup whether another could be taken, and again while it could not.

        A backup that failed is taken once what stood in the way is gone, not only on the next night.
        """
        now = self._clock.now()
        backup = next((each for each in self._tasks if each.name == BACKUP), None)
        if backup is None or self._now_wanted:
            return
        if self._checked is not None and (not self._watch.check or now - self._checked < AGAIN):
            return
        self._checked = now
        lines: list[str] = []
        status = self._run(CHECK, lines.append)
        error = error_of("\n".join(lines), status)
        words = error.get("message", "")
        if words and words != self._watch.check:
            self._log(f"error: {words}\nhint: {error.get('hint', '')}")
        elif not words and (self._watch.check or not self._ready):
            self._ready = True
            self._log("ready: the server can be reached, and the repository can be written to")
            self._now_wanted += [backup] if self._watch.check and BACKUP in self._watch.failed else []
        self._watch = replace(self._watch, check=words)


def _listener(name: str, said: list[str], log: Say) -> Say:
    """Return what takes a step's lines: into said, and under the step's name into the log."""
    def say(line: str) -> None:
        said.append(line)
        log(f"{name}: {line}" if line.strip() else name)

    return say


def run_steps(task: Task, run: Run, log: Say) -> str:
    """Run a task's steps in order; return "" or, of the first that fails, what it said."""
    for step in task.steps:
        said: list[str] = []
        status = run(step, _listener(step[0], said, log))
        if status:
            error = next((line.partition("error: ")[2] for line in said if line.startswith("error: ")), "")
            words = error or next((line for line in reversed(said) if line.strip()), f"exit status {status}")
            log(f"{step[0]}: failed with exit status {status}")
            return f"{step[0]}: {words}" if step[0] != task.name else words
    return ""


def error_of(text: str, status: int) -> Mapping[str, str]:
    """Return the error in what a run with --json printed, {} if it went well."""
    if not status:
        return {}
    try:
        body: Any = json.loads(text[text.index("{"):])
        return dict(body["error"])
    except (ValueError, KeyError, TypeError):
        unknown = RestorableError(f"the check ended with exit status {status}: {text[-300:].strip()}",
                                  hint="Run `restorable backup --dry-run` and read what it says.")
        return unknown.as_dict()
