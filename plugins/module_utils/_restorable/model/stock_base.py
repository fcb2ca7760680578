# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The stock commands that restore a base backup without this software. Pure."""
from __future__ import annotations

import shlex
from typing import Iterable

from .base import BaseReport
from .manifest import Item
from .stock import unpack


def base_commands(items: Iterable[Item], report: BaseReport, major: int) -> tuple[str, ...]:
    """Return shell lines, run in the set's folder as the server's account, that make a data directory."""
    lines = ["mkdir -m 0700 data"]
    for item in items:
        if item.role == "base":
            lines.append(f"{unpack(item)} tar -x -C data")
        elif item.role == "tablespace":
            place = next((each.path for each in report.tablespaces
                          if str(each.oid) == item.name.partition(".")[0]), "/its/place")
            lines.append(f"mkdir -p {shlex.quote(place)} && {unpack(item)} tar -x -C {shlex.quote(place)}"
                         "    # data/tablespace_map names this place; change both for another one")
        elif item.role == "file_list":
            lines.append(f"{unpack(item)} cat > data/backup_manifest")
    if report.parent:
        lines.append(f"pg_combinebackup --output=whole {shlex.quote('../' + report.parent)}/data data    "
                     "# after the same commands in the folders of all its parents, oldest first")
    target = "whole" if report.parent else "data"
    if report.self_contained:
        lines.append(f"pg_ctl -D {target} start    # PostgreSQL {major}; the WAL it needs is inside")
    else:
        lines.append(f"touch {target}/recovery.signal    # and set restore_command to fetch WAL from the archive")
    return tuple(lines)
