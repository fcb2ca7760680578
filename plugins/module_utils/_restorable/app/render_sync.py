# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Turn the report on a synchronisation into a text for people."""
from __future__ import annotations

from typing import Any, Mapping

from ..model.text import human_bytes, table
from .render import counted, indented, joined

Report = Mapping[str, Any]


def render_sync(cluster: str, report: Report) -> str:
    """Return one line for each repository, the sets that it got, and what stands in its way."""
    rows = [["repository", "backups", "size", "holds, evidence, WAL", ""]]
    rows += [[each["repository"], str(len(each["sets"])), human_bytes(each["size"]), str(each["marks"]), _state(each)]
             for each in report["repositories"]]
    lines = [f"cluster {cluster}", *indented(table(rows, "<>>><"))]
    for each in report["repositories"]:
        lines += [f"  {each['repository']}: {backup}" for backup in each["sets"]]
        lines += [f"  other bytes: {each['repository']}:{key}" for key in each["conflicts"]]
        lines += [f"  note: {note}" for note in each["notes"]]
        lines += [f"  {each['repository']}: {each['error']['message']}"] if each["error"] else []
    return joined(lines)


def sync_done(cluster: str, report: Report, *, dry_run: bool) -> str:
    """Return the closing line."""
    if dry_run:
        return "dry run: nothing was copied"
    sets = sum(len(each["sets"]) for each in report["repositories"])
    size = sum(each["size"] for each in report["repositories"])
    behind = [each["repository"] for each in report["repositories"] if each["error"]]
    tail = f"; behind: {', '.join(behind)}" if behind else "; all repositories are level"
    return f"done: sync {cluster} {counted(sets, 'backup')} {human_bytes(size)} copied{tail}"


def _state(row: Report) -> str:
    return str(row["error"]["code"]) if row["error"] else "level"
