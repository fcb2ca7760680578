# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""BACKUP_MODE=once: the tasks once, and then the end, even where the engine starts a container that ended again."""
from __future__ import annotations

import time
from typing import Callable, NoReturn, Sequence

from ..model.agenda import Task
from ..model.remembered import Remembered
from ..model.watch import Watch
from ..ports import Clock
from .scheduler import TURN, Memory, Run, Say, run_steps

REST = ("this container has done the one run that BACKUP_MODE=once asks for, and does nothing more; "
        "`docker compose run --rm backup backup` takes another backup")


def run_once(tasks: Sequence[Task], run: Run, log: Say, memory: Memory, container: str) -> int:
    """Run every task and return the worst exit status; remember that this container is done, if we know which it is."""
    statuses: list[int] = []
    failed: dict[str, str] = {}

    def run_and_note(words: Sequence[str], say: Callable[[str], None]) -> int:
        statuses.append(run(words, say))
        return statuses[-1]

    for task in tasks:
        words = run_steps(task, run_and_note, log)
        failed.update({task.name: words} if words else {})
    if container:
        memory.keep(Remembered({}, failed, container))
    return max(statuses)


def is_done(memory: Memory, container: str) -> bool:
    """Return whether this container has had its run: then it was started again by its restart policy."""
    return bool(container) and memory.recall().once == container


def rest(log: Say, memory: Memory, clock: Clock, sleep: Callable[[float], None] = time.sleep) -> NoReturn:
    """Do nothing until a signal comes, and show how the one run went."""
    failed = memory.recall().failed
    log(f"once: {REST}")
    for name, words in failed.items():
        log(f"once: its {name} failed: {words}")
    while True:
        memory.show(Watch(clock.now(), "nothing, the one run is done", failed=failed))
        sleep(TURN)
