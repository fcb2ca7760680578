# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Turn the report of a rekey into a text for people."""
from __future__ import annotations

from typing import Any, Mapping

from ..model.text import human_bytes, table
from .render import counted, indented, joined

Report = Mapping[str, Any]

_ACTIONS = {"rekeyed": "rekeyed", "current": "already", "failed": "FAILED"}


def render_rekey(report: Report) -> str:
    """Return one line for each set: for whom it was sealed, and for whom it is now."""
    rows = [["backup", "", "stored anew", "was sealed for", "is sealed for"]]
    for each in report["sets"]:
        if each["action"] == "failed":
            rows.append([each["backup"], "FAILED", "", each["reason"], ""])
        else:
            rows.append([each["backup"], _ACTIONS[each["action"]], human_bytes(each["size"]),
                         ", ".join(each["before"]) or "nobody", ", ".join(each["after"]) or "nobody"])
    told = [f"WAL of {each['repository']}: {counted(each['rekeyed'], 'file')} {human_bytes(each['size'])}, "
            f"{each['current']} sealed for these keys already" for each in report["wal"]]
    failed = [f"FAILED in {each['repository']}: {reason}" for each in report["wal"] for reason in each["reasons"]]
    return joined([*indented(table(rows, "<<><<")), *indented([*told, *failed])])


def rekey_done(cluster: str, report: Report, *, dry_run: bool) -> str:
    """Return the closing line."""
    anew = [each for each in report["sets"] if each["action"] == "rekeyed"]
    size = human_bytes(sum(each["size"] for each in anew))
    told = [f"{counted(len(anew), 'backup')} {size}"]
    files = [each for each in report["wal"] if each["rekeyed"]]
    if files:
        size = human_bytes(sum(each["size"] for each in files))
        told += [f"{counted(sum(each['rekeyed'] for each in files), 'file')} of WAL {size}"]
    failed = sum(each["action"] == "failed" for each in report["sets"]) + sum(each["failed"] for each in report["wal"])
    told += [f"{failed} failed"] if failed else []
    current = sum(each["action"] == "current" for each in report["sets"])
    told += [f"{current} sealed for these keys already"] if current else []
    if dry_run:
        return f"dry run: nothing was written; to rekey: {', '.join(told)}"
    return f"done: rekey {cluster} {', '.join(told)}"
