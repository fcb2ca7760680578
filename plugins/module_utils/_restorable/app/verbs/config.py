# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""restorable config: are the settings good, and what is scheduled. It goes through no cluster and touches nothing."""
from __future__ import annotations

import argparse
from datetime import datetime
from typing import Any

from ...host.clock import SystemClock
from ...model.jobs import COMMANDS
from ...model.settings import Settings
from ...model.text import table
from ...model.timers import warnings
from ..config import find_config, load_config, read_body
from ..console import Console
from ..render import counted
from ..secret_files import check_secret_files


def run(options: argparse.Namespace, console: Console) -> int:
    """Print every scheduled job with its next run; raise ConfigError for a secret's file that is not right."""
    path = find_config(options.config, console.environment)
    settings = load_config(path)
    if options.for_removal:
        from ..removal import check_removal
        check_removal(settings.clusters)
        console.closing("done: no server archives its WAL through this host's command")
        return 0
    check_secret_files(read_body(path), options.for_user)
    now = SystemClock().now()
    rows = _rows(settings, now)
    told = [text for cluster in settings.clusters.values() for each in cluster.schedules.values()
            for text in warnings(each, now)]
    if console.as_json:
        console.object({"config": path, "clusters": list(settings.clusters),
                        "repositories": list(settings.repositories), "jobs": rows, "warnings": told})
        return 0
    header = [["cluster", "job", "schedule", "time zone", "next run"]] if rows else []
    console.text("\n".join(table([*header, *([str(cell) for cell in row.values()] for row in rows)])))
    for text in told:
        console.warn(text)
    console.closing(f"done: config {path} is good: {counted(len(settings.clusters), 'cluster')}, "
                    f"{counted(len(rows), 'job')} on schedule")
    return 0


def _rows(settings: Settings, now: datetime) -> list[dict[str, Any]]:
    return [{"cluster": cluster.name, "job": job, "schedule": cluster.schedules[job].text,
             "timezone": cluster.schedules[job].timezone,
             "next": cluster.schedules[job].next_after(now).strftime("%Y-%m-%dT%H:%M:%SZ")}
            for cluster in settings.clusters.values() for job in COMMANDS if job in cluster.schedules]
