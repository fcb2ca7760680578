# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""What a scheduler runs next: tasks, when each was last begun, and the time now. Pure."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Mapping, Sequence

from ..errors import ConfigError
from .environment import Surroundings
from .schedule import Schedule

BACKUP, DRILL = "backup", "drill"


@dataclass(frozen=True)
class Task:
    """Something done on a schedule. A step, the words of one command, runs only if the one before it succeeded."""

    name: str
    schedule: Schedule
    steps: tuple[tuple[str, ...], ...]


def tasks_of(surroundings: Surroundings, jobs: Sequence[str]) -> tuple[Task, ...]:
    """Return the tasks of those jobs; raise ConfigError for a schedule that cannot be."""
    return tuple(_task(surroundings, job) for job in jobs)


def _task(surroundings: Surroundings, job: str) -> Task:
    text, variable, steps = {
        BACKUP: (surroundings.schedule, "BACKUP_SCHEDULE",
                 (("backup",), ("prune",)) if surroundings.prune else (("backup",),)),
        DRILL: (surroundings.drill_schedule, "DRILL_SCHEDULE", (("drill",),)),
    }[job]
    if not text:
        raise ConfigError(f"job {job} has no schedule", code="schedule.none",
                          hint=f"Set RESTORABLE_CONFIG=environment and {variable}; on a host use a timer or cron.")
    where = f"environment variable {variable}"
    return Task(job, Schedule.parse(text, timezone=surroundings.timezone, where=where), steps)


def next_run(tasks: Sequence[Task], begun: Mapping[str, datetime]) -> tuple[datetime, Task]:
    """Return the earliest run that is still owed, which may have been missed long ago, and its task.

    However many runs of a task were missed, one makes up for all.
    """
    return min(((each.schedule.next_after(begun[each.name]), each) for each in tasks), key=_when)


def _when(run: tuple[datetime, Task]) -> datetime:
    return run[0]
