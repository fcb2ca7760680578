# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""restorable health: whether the scheduler of this container lives, and whether its last runs went well."""
from __future__ import annotations

import argparse

from ...host.clock import SystemClock
from ...host.schedule_files import read_watch, watch_path
from ..console import Console

UNHEALTHY = 1


def run(options: argparse.Namespace, console: Console) -> int:
    """Print one line; return 1 if something is wrong."""
    console.as_json = options.json
    well, reason = read_watch(watch_path(console.environment)).judge(SystemClock().now())
    if options.json:
        console.object({"healthy": well, "reason": reason})
    console.text(f"{'healthy' if well else 'unhealthy'}: {reason}")
    return 0 if well else UNHEALTHY
