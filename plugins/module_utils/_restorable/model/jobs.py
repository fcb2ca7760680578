# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Which jobs a cluster can have on schedule, and the words of the host command that do each. Pure."""
from __future__ import annotations

from .buckets import zone
from .reading import Reader
from .schedule import Schedule

COMMANDS = {    # a job is here once the host command can do it
    "dump": ("backup",),
    "base": ("backup", "--kind", "base"),
    "incremental": ("backup", "--kind", "incremental"),
    "prune": ("prune",),
    "verify": ("verify",),
    "drill": ("drill",),
    "check": ("check",),
    "status": ("status",),
    "witness": ("witness",),
}
WITHOUT_SETTINGS = ("prune", "verify", "check", "status", "witness")     # take a schedule and nothing else


def read_schedules(cluster: Reader, jobs: Reader) -> dict[str, Schedule]:
    """Return the schedule of every job that has one, in the cluster's time zone; raise ConfigError for a wrong one."""
    timezone = cluster.text("timezone", "UTC")
    zone(timezone, f"{cluster.where}.timezone")
    found: dict[str, Schedule] = {}
    for name in COMMANDS:
        job = jobs.inner(name)
        text = job.text("schedule")
        if job.raw("schedule") is not None:
            found[name] = Schedule.parse(text, timezone=timezone, where=f"{job.where}.schedule")
        if name in WITHOUT_SETTINGS:
            job.done()
    return found
