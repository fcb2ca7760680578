# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Turn the report on one set, and on what was adopted, into texts for people."""
from __future__ import annotations

from typing import Any, Mapping

from ..model.text import human_bytes, human_duration, table, visible
from .render import counted, indented, joined, when

Report = Mapping[str, Any]


_ACTIONS = {"adopted": "adopted", "known": "already", "skipped": "skipped", "failed": "FAILED"}


def render_show(report: Report) -> str:
    """Return a set's essentials, its objects, its drills, and how to restore it without this program."""
    held = ", held" if report["held"] else ""
    server = f"PostgreSQL {report['server'].get('version') or 'of unknown version'}"
    took = f", in {human_duration(_seconds(report))}" if report["kind"] != "adopted" else ""
    sizes = f"{human_bytes(report['size'])} stored, {human_bytes(report['plain_size'])} uncompressed"
    lines = [f"backup {report['backup']} of cluster {report['cluster']}: {report['state']}{held}",
             f"  taken {when(report['begun'])} ({human_duration(report['age'])} ago) from {server}{took}",
             f"  {sizes}, in repository {report['repository']}, by {report['tool']}",
             *(f"  sealed for {each}" for each in report["sealed_for"]), "", *_databases(report)]
    lines += _adopted(report["adopted"]) if report["adopted"] else []
    lines += _told("not covered", report["not_covered"]) + _told("failed", report["failed"])
    lines += ["", "drills", *(_drills(report["drills"]) or ["  none: this backup is not proven"])]
    lines += ["", "to restore it without restorable, in the folder of this backup", *indented(report["restore"])]
    return joined(lines)


def _seconds(report: Report) -> float:
    from datetime import datetime
    return (datetime.fromisoformat(report["ended"]) - datetime.fromisoformat(report["begun"])).total_seconds()


def _databases(report: Report) -> list[str]:
    rows = [["database", "tables", "rows", "stored", "uncompressed", "format"]]
    rows += [[each["name"], _count(each["tables"]), _count(each["rows"]), human_bytes(each["size"]),
              human_bytes(each["plain_size"]), each["format"]] for each in report["databases"]]
    return table(rows, "<>>>><")


def _count(number: int | None) -> str:
    return "unknown" if number is None else f"{number:,}"


def _adopted(adopted: Report) -> list[str]:
    lines = ["", f"adopted from {adopted.get('path', 'an unknown place')}"]
    roles = ", ".join(adopted.get("roles", ()))
    lines += [f"  roles it needs: {roles}"] if roles else []
    meta = adopted.get("meta")
    if isinstance(meta, Mapping):
        lines += indented(table([[f"{key}:", str(value)] for key, value in meta.items()]))
    elif meta:
        lines += indented(str(meta).splitlines())
    return lines + [f"  note: {each}" for each in adopted.get("notes", ())]


def _told(what: str, rows: list[str]) -> list[str]:
    return ["", what, *indented([visible(row) for row in rows])] if rows else []


def _drills(drills: list[Report]) -> list[str]:
    rows = [[when(each.get("begun")), str(each.get("verdict", "")), _rto(each), _failed(each)] for each in drills]
    return indented(table(rows))


def _rto(drill: Report) -> str:
    return f"answered after {human_duration(drill['rto'])}" if drill.get("rto") is not None else ""


def _failed(drill: Report) -> str:
    return "; ".join(f"{each.get('name')}: {each.get('detail')}" for each in drill.get("checks", ())
                     if each.get("result") == "failed")[:120]


def render_adopt(report: Report, *, dry_run: bool = False) -> str:
    """Return one line for each file, with the set it became, or in a dry run would become, or the reason why not."""
    actions = {**_ACTIONS, "adopted": "to adopt"} if dry_run else _ACTIONS
    rows = [["file", "", "backup", "size", "database", ""]]
    for each in report["files"]:
        notes = [*each["notes"]] if each["action"] == "adopted" else []
        told = "; ".join(filter(None, [each["reason"], *notes, "original removed" if each["moved"] else ""]))
        rows.append([each["file"], actions[each["action"]], each["backup"], human_bytes(each["size"]),
                     each["database"], told])
    return joined(table(rows, "<<<><"))


def adopt_done(cluster: str, report: Report, *, dry_run: bool) -> str:
    """Return the closing line."""
    by_action = {action: [each for each in report["files"] if each["action"] == action]
                 for action in ("adopted", "known", "skipped", "failed")}
    if by_action["skipped"] and len(by_action["skipped"]) == len(report["files"]):
        return (f"nothing {'would be' if dry_run else 'was'} adopted for {cluster}: "
                f"{counted(len(report['files']), 'file')} left out, each with its reason above")
    size = human_bytes(sum(each["size"] for each in by_action["adopted"]))
    told = [f"{counted(len(by_action['adopted']), 'file')} {size} adopted"]
    told += [f"{len(by_action['known'])} already adopted"] if by_action["known"] else []
    told += [f"{len(by_action['skipped'])} left out"] if by_action["skipped"] else []
    told += [f"{len(by_action['failed'])} failed"] if by_action["failed"] else []
    if dry_run:
        return f"dry run: nothing was written; {', '.join(told).replace('adopted', 'to adopt')}"
    return f"done: adopt {cluster} {', '.join(told)}; unproven until `restorable drill` passes"
