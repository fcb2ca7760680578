# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Turn the report on a synchronisation into a text for people."""
from __future__ import annotations

from typing import Any, Mapping

from ..model.text import human_bytes, table
from .render import indented, joined
from .report_sync import sync_words

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
        lines += [f"  not copied: {each['repository']}: {damaged}" for damaged in each["damaged"]]
        lines += [f"  note: {note}" for note in each["notes"]]
        lines += [f"  {each['repository']}: {each['error']['message']}"] if each["error"] else []
    return joined(lines)


def sync_done(cluster: str, report: Report, *, dry_run: bool) -> str:
    """Return the closing line."""
    if dry_run:
        return "dry run: nothing was copied"
    return f"done: sync {cluster} {sync_words(report)}"


def _state(row: Report) -> str:
    return str(row["error"]["code"]) if row["error"] else "level"
