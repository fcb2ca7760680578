# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The arguments of the verbs that containers and cron run."""
from __future__ import annotations

from typing import Any

from .arguments_wal import AddVerb


def add_schedule(verbs: Any, verb: AddVerb) -> None:
    """Add schedule, catch-up and health."""
    parser = verb(verbs, "schedule", "run backups or drills on a schedule, in the foreground, as a container does")
    parser.add_argument("--job", action="append", default=[], choices=("backup", "drill"),
                        help="what to run; backup is the default; may be repeated")
    parser.add_argument("--check", action="store_true", help="read the settings, print the next runs, and end")
    parser = verb(verbs, "catch-up", "begin the scheduled runs that were missed; a line of cron does so now and then")
    parser.add_argument("status_dir", metavar="FOLDER", help="where the status files of the jobs are")
    verb(verbs, "health", "tell whether the scheduler of this container lives and its last runs went well")
