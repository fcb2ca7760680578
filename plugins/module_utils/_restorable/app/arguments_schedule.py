# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The arguments of the verbs that a container runs."""
from __future__ import annotations

from typing import Any

from .arguments_wal import AddVerb


def add_schedule(verbs: Any, verb: AddVerb) -> None:
    """Add schedule and health."""
    parser = verb(verbs, "schedule", "run backups or drills on a schedule, in the foreground, as a container does")
    parser.add_argument("--job", action="append", default=[], choices=("backup", "drill"),
                        help="what to run; backup is the default; may be repeated")
    parser.add_argument("--check", action="store_true", help="read the settings, print the next runs, and end")
    verb(verbs, "health", "tell whether the scheduler of this container lives and its last runs went well")
