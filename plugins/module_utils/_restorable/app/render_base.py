# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Turn reports on base backups into texts for people."""
from __future__ import annotations

from typing import Any, Mapping

from ..model.text import human_bytes, human_duration, visible
from .render import joined

Report = Mapping[str, Any]

_KINDS = {"base": "base backup", "incr": "incremental base backup"}


def render_base(cluster: str, report: Report, *, dry_run: bool) -> str:
    """Return the plan of a dry run, or what a base backup could not cover."""
    if report["skipped_because"]:
        return ""
    if not dry_run:
        return joined([f"  not covered: {visible(each)}" for each in report["not_covered"]])
    what = f"{_KINDS[report['kind']]} of {cluster} {report['backup']} into {', '.join(report['repositories'])}"
    expected = f", about {human_bytes(report['expected_size'])}" if report["expected_size"] else ""
    standby = ", a standby" if report["from_standby"] else ""
    lines = [f"plan: {what}{expected}",
             f"  server {report['server']}{standby}, databases of {human_bytes(report['server_size'])}"]
    lines += [f"  on top of {report['parent']}"] if report["parent"] else []
    lines.append("  its WAL inside" if report["self_contained"] else "  its WAL in the archive: done when it is there")
    return joined(lines)


def base_done(cluster: str, report: Report, *, dry_run: bool) -> str:
    """Return the closing line."""
    if report["skipped_because"]:
        return f"done: base {cluster} not needed: {report['skipped_because']}"
    if dry_run:
        return "dry run: nothing was written"
    return (f"done: base {cluster} {report['backup']} {human_bytes(report['data_size'])} as "
            f"{human_bytes(report['size'])} in {human_duration(report['seconds'])}")
