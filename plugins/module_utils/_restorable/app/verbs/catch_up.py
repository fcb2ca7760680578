# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""restorable catch-up: begin the scheduled runs that nobody began; for cron, which forgets what it missed."""
from __future__ import annotations

import argparse
import os
from datetime import datetime

from ...errors import RestorableError
from ...host.clock import SystemClock
from ...host.job_file import last_begun
from ...host.jobs import OwnCommand
from ...host.lock import FileLock
from ...host.schedule_files import ScheduleFiles
from ...model.jobs import COMMANDS
from ...model.missed import owed
from ...model.settings import Settings
from ..config import find_config, load_config
from ..console import Console

MEMORY = "missed.json"             # beside the status files: since when each job is on schedule
LOCK = ".missed.lock"


def run(options: argparse.Namespace, console: Console) -> int:
    """Run what is owed, one after another; return the worst exit status. Says nothing if nothing is owed."""
    path = find_config(options.config, console.environment)
    settings, clock = load_config(path), SystemClock()
    if options.dry_run:
        for due, name in _owed(settings, options.status_dir, clock.now(), keep=False):
            console.text(f"dry run: {name} was due at {due:%Y-%m-%dT%H:%M:%SZ} and would run now")
        return 0
    lock = FileLock(os.path.join(options.status_dir, LOCK), clock, "catch-up")
    try:
        with lock.hold("catch-up"):
            return _run_all(path, settings, options, console)
    except RestorableError as error:
        if error.code != "lock.held":      # another one is still at it
            raise
    return 0


def _run_all(path: str, settings: Settings, options: argparse.Namespace, console: Console) -> int:
    """Run what is owed, each once, looking again before each: meanwhile cron or a person may have begun it."""
    worst, clock = 0, SystemClock()
    tried: set[str] = set()                # whether or not a run could write its status file
    while True:
        left = [each for each in _owed(settings, options.status_dir, clock.now(), keep=True) if each[1] not in tried]
        if not left:
            return worst
        due, name = left[0]
        tried.add(name)
        console.text(f"{name} was due at {due:%Y-%m-%dT%H:%M:%SZ} and was missed")
        worst = max(worst, _run(path, name, options, console))


def _owed(settings: Settings, folder: str, now: datetime, *, keep: bool) -> list[tuple[datetime, str]]:
    schedules = {f"{cluster.name}-{job}": schedule for cluster in settings.clusters.values()
                 for job, schedule in cluster.schedules.items()}
    files = ScheduleFiles(os.path.join(folder, MEMORY), "")
    known = files.load()
    seen = {name: known.get(name, now) for name in schedules}
    if keep and seen != known:
        files.save(seen)
    begun = {name: last_begun(os.path.join(folder, f"{name}.json")) or when for name, when in seen.items()}
    return owed(schedules, {name: max(begun[name], when) for name, when in seen.items()}, now)


def _run(config: str, name: str, options: argparse.Namespace, console: Console) -> int:
    cluster, _dash, job = name.rpartition("-")
    words = ("--config", config, "--cluster", cluster, "--wait", options.wait, "--status-file",
             os.path.join(options.status_dir, f"{name}.json"))
    return OwnCommand(console.environment, lambda: None)((*words, *COMMANDS[job]), console.text)
