# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""restorable schedule: the scheduler of a container, in the foreground."""
from __future__ import annotations

import argparse
import time
from dataclasses import replace
from typing import Sequence

from ...host.clock import SystemClock
from ...host.container import container_id
from ...host.jobs import OwnCommand
from ...host.logfile import LogFile
from ...host.schedule_files import ScheduleFiles, watch_path
from ...model.agenda import BACKUP, Task, tasks_of
from ...model.watch import Watch
from ..cli import Stopped
from ..console import Console
from ..once import is_done, rest, run_once
from ..scheduler import Scheduler
from ..surroundings import load_surroundings
from ..wire import schedule_file

PATIENT = ("--wait", "6h")     # for a run by hand or of the other service, as the jobs of a host wait for each other


def run(options: argparse.Namespace, console: Console) -> int:
    """Run the tasks when they are due, until a signal says stop; return 0 then."""
    surroundings = load_surroundings(options.config, console.environment)
    for each in surroundings.warnings:
        console.warn(each)
    tasks = tasks_of(surroundings, options.job or [BACKUP])
    settings, cluster = surroundings.settings, surroundings.settings.cluster(options.cluster)
    clock = SystemClock()
    if options.check:
        console.text("".join(f"{each.name}: next at {each.schedule.next_after(clock.now()):%Y-%m-%dT%H:%M:%SZ}, on the "
                             f"schedule {each.schedule.text} ({each.schedule.timezone})\n" for each in tasks))
        return 0
    if surroundings.dry_run or options.dry_run:
        return _show(tasks, console)
    log = LogFile(surroundings.log, console.out, clock)
    name = f"{cluster.name}.{'-'.join(each.name for each in tasks)}{'.once' if surroundings.once else ''}.json"
    files = ScheduleFiles(schedule_file(settings, cluster, name), watch_path(console.environment))
    container = container_id(console.environment)
    if surroundings.once and not is_done(files, container):
        working = Watch(clock.now(), "nothing more", running="the one run")
        files.show(working)
        run_verb = OwnCommand(console.environment, lambda: files.show(replace(working, beat=clock.now())), *PATIENT)
        return run_once(tasks, run_verb, log, files, container)

    def beat() -> None:
        scheduler.beat()

    scheduler = Scheduler(tasks, clock, OwnCommand(console.environment, beat, *PATIENT), log, files)
    try:
        if surroundings.once:
            rest(log, files, clock)
        scheduler.start(at_once=surroundings.on_start)
        while True:
            time.sleep(scheduler.turn())
    except (Stopped, KeyboardInterrupt) as signal:
        log(f"stopped by {str(signal) or 'SIGINT'}; nothing unfinished was left behind")
        return 0


def _show(tasks: Sequence[Task], console: Console) -> int:
    """Print when each task would run, and the plan of each step; return the worst status."""
    run_verb, worst = OwnCommand(console.environment, lambda: None), 0
    now = SystemClock().now()
    for task in tasks:
        when = task.schedule.next_after(now)
        console.text(f"dry run: {task.name} would next run at {when:%Y-%m-%dT%H:%M:%SZ}, on the schedule "
                     f"{task.schedule.text} ({task.schedule.timezone})")
        for step in task.steps:
            worst = max(worst, run_verb((*step, "--dry-run"), console.text))
    return worst
