# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Turn reports into texts for people: aligned tables, sizes and times in the units people use."""
from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any, Mapping

from ..model.text import human_bytes, human_duration, table, visible
from .render_wal import wal_lines

Report = Mapping[str, Any]


def render_backup(cluster: str, report: Report, *, dry_run: bool) -> str:
    """Return the plan of a dry run, or what a backup could not cover."""
    if report["skipped_because"]:
        return ""
    if not dry_run:
        return "".join(f"  not covered: {visible(each)}\n" for each in report["not_covered"])
    rows = [["database", "size on the server"]]
    rows += [[each["name"], human_bytes(each["server_size"])] for each in report["databases"]]
    expected = f", about {human_bytes(report['expected_size'])}" if report["expected_size"] else ""
    lines = [f"plan: dump {cluster} {report['backup']} into {', '.join(report['repositories'])}{expected}",
             f"  server {report['server']}, {report['pg_dump']}",
             *indented(table(rows, "<>")), *(f"  not covered: {visible(each)}" for each in report["not_covered"])]
    return joined(lines)


def backup_done(cluster: str, report: Report, *, dry_run: bool) -> str:
    """Return the closing line."""
    if report["skipped_because"]:
        return f"done: dump {cluster} not needed: {report['skipped_because']}"
    if dry_run:
        return "dry run: nothing was written"
    count = counted(len(report["databases"]), "database")
    return (f"done: dump {cluster} {report['backup']} {count} {human_bytes(report['size'])} "
            f"in {human_duration(report['seconds'])}")


def render_list(cluster: str, report: Report) -> str:
    """Return one table for each repository, newest first."""
    lines: list[str] = []
    for repository in report["repositories"]:
        backups = repository["backups"]
        if repository.get("error"):
            lines += [f"cluster {cluster}, repository {repository['repository']}: cannot be read",
                      f"  {repository['error']}", ""]
            continue
        free = "" if repository["free"] is None else f", {human_bytes(repository['free'])} free"
        lines.append(f"cluster {cluster}, repository {repository['repository']}: {counted(len(backups), 'backup')}, "
                     f"{human_bytes(repository['size'])}{free}")
        if backups:
            rows = [["backup", "state", "size", "age", "last drill"], *map(_listed, backups)]
            if any("sealed_for" in each for each in backups):
                rows = [[*row, told] for row, told in zip(rows, ["sealed for", *map(_keys, backups)])]
            lines += indented(table(rows, "<<>><<"[:len(rows[0])]))
        lines += _window(repository)
        lines += [f"  missing here, run `restorable sync`: {backup}" for backup in repository.get("missing", ())]
        lines += [f"  not ours, never touched: {name}" for name in repository["strangers"]]
        lines.append("")
    return joined(lines[:-1])


def _keys(row: Report) -> str:
    return ", ".join(row.get("sealed_for", ())) or ("its key is not named" if row["sealed"] else "nobody")


def _listed(row: Report) -> list[str]:
    state = row["state"] + (", held" if row["held"] else "")
    drill = f"{row['verdict']} {row['drilled'][:10]}" if row["verdict"] else "never" if row["state"] != "orphan" else ""
    return [row["backup"], state, human_bytes(row["size"]), human_duration(row["age"]), drill]


def render_status(cluster: str, report: Report) -> str:
    """Return the colour with its reasons, and one line for each repository."""
    lines = [f"{cluster}: {report['colour']}"]
    lines += [f"  {each}" for each in report["reasons"]]
    rows = [["repository", "backups", "size", "free", "newest", "age", "newest proven"]]
    for each in report["repositories"]:
        if not each["error"]:
            newest, proven = each["newest"], each["newest_proven"]
            rows.append([each["repository"], str(each["count"]), human_bytes(each["size"]),
                         "" if each["free"] is None else human_bytes(each["free"]),
                         newest["backup"] if newest else "none", human_duration(newest["age"]) if newest else "",
                         proven["backup"] if proven else "none"])
    last = f"last drill {when(report['last_drill'])}, evidence {report['last_evidence']}" if report["last_drill"] \
        else "no drill yet"
    drawn = [line for each in report["repositories"] for line in _window(each)]
    return joined([*lines, *(indented(table(rows, "<>>><><")) if len(rows) > 1 else []), *drawn, f"  {last}"])


def status_done(cluster: str, report: Report) -> str:
    """Return the closing line, which is all that a job's status file keeps of the reasons."""
    first, more = report["reasons"][:1], len(report["reasons"]) - 1
    return (f"done: status {cluster} {report['colour']}" + "".join(f": {each}" for each in first) +
            (f", and {more} more" if more > 0 else ""))


def _window(repository: Report) -> list[str]:
    """Return the line of time on which a person sees to which moments the whole server can be recovered."""
    recovery = repository.get("recovery")
    if not recovery or not recovery["line"]:
        return []
    return [f"  recovery from {repository['repository']}: {recovery['line']}", f"    {recovery['legend']}"]


FATES = (("keep", "kept"), ("drop", "dropped"), ("retained", "retained"), ("stayed", "stayed"))


def render_prune(cluster: str, report: Report, *, policy: str) -> str:
    """Return every backup with its fate and its reasons, newest first, and what a guard says."""
    lines: list[str] = []
    for each in report["repositories"]:
        lines += [f"cluster {cluster}, repository {each['repository']}: keep {each.get('policy', policy)}"]
        fates = [(fate, row) for fate, key in FATES for row in each.get(key, ())]
        fates.sort(key=lambda pair: str(pair[1]["backup"]), reverse=True)
        rows = [[fate, row["backup"], "" if row["size"] is None else human_bytes(row["size"]),
                 ", ".join([*row["reasons"], *([f"locked until {row['until']}"] if "until" in row else [])])]
                for fate, row in fates]
        lines += indented(table(rows, "<<><"))
        locked = f"{len(each['retained'])} retained by locks, " if each.get("retained") else ""
        lines.append(f"  {len(each['kept'])} kept, {len(each['dropped'])} dropped, {locked}"
                     f"{human_bytes(each['freed'])} {'freed' if each['deleted'] else 'to free'}")
        reasons = Counter(row["reason"] for row in each.get("evidence", ()))
        fate = "removed" if each["deleted"] else "to remove"
        lines += [f"  {counted(count, 'object')} of evidence and journal {fate}: {reason}"
                  for reason, count in reasons.items()]
        lines += wal_lines(each)
        lines += [f"  not pruned to the end: {each['error']}"] if each.get("error") else []
        lines += [f"  guard: {refusal['message']}" for refusal in each["refusals"]]
    return joined(lines)


def prune_done(cluster: str, report: Report, *, dry_run: bool) -> str:
    """Return the closing line."""
    if dry_run:
        return "dry run: nothing was deleted"
    dropped = sum(len(each["dropped"]) for each in report["repositories"])
    freed = sum(each["freed"] + each["wal"]["freed"] for each in report["repositories"])
    return f"done: prune {cluster} {counted(dropped, 'backup')} deleted, {human_bytes(freed)} freed"


def render_verify(cluster: str, report: Report) -> str:
    """Return one line for each set, and every check that failed."""
    rows, failed = [["backup", "repository", "size", "verdict"]], []
    for each in report["backups"]:
        rows.append([each["backup"] or "none could be read", each["repository"], human_bytes(each["size"]),
                     each["verdict"] or "would be read"])
        failed += [f"  FAILED  {each['backup']}  {check['name']} in {each['repository']}: {check['detail']}"
                   for check in each["checks"] if check["result"] == "failed"]
    return joined([f"cluster {cluster}", *indented(table(rows, "<<><")), *failed, *_not_run(report)])


def _not_run(report: Report) -> list[str]:
    """Return one line for each reason why something could not be checked: a wrong key is told once, not per object."""
    by_reason: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for each in report["backups"]:
        for check in each["checks"]:
            if check["result"] == "not_run" and not check["optional"]:
                reason = check["detail"].removeprefix(f"{check['name'].partition('object ')[2]} ")
                by_reason.setdefault((each["repository"], reason), []).append((each["backup"], check["name"]))
    lines = []
    for (repository, reason), found in by_reason.items():
        backups = {backup for backup, _name in found}
        what = f"{counted(len(found), 'object')} of {counted(len(backups), 'backup')}" if len(found) > 1 else \
            "  ".join(found[0])
        lines.append(f"  NOT RUN  {what} in {repository}: {reason}")
    return lines


def verify_done(cluster: str, report: Report, *, dry_run: bool) -> str:
    """Return the closing line."""
    if dry_run:
        return "dry run: nothing was read"
    read = [each for each in report["backups"] if each["backup"]]
    bad = sum(each["verdict"] == "failed" for each in read)
    unread = [each["repository"] for each in report["backups"] if not each["backup"]]
    locked = sum(each["verdict"] == "incomplete" for each in read)
    closed = sum(not each["opened"] for each in read)
    found = f"{bad} of {len(read)} damaged" if bad else "every byte is as it was stored"
    found += f"; {locked} could not be checked whole" if locked else ""
    found += f"; {closed} sealed and not opened, as no identity is set here" if closed else ""
    found += f"; {', '.join(unread)} could not be read" if unread else ""
    size = human_bytes(sum(each["size"] for each in read))
    return f"done: verify {cluster} {counted(len(read), 'backup')} {size}: {found}; only a drill proves"


def render_restore(cluster: str, report: Report) -> str:
    """Return the plan of a restore."""
    rows = [[step["action"], step["database"] if step["database"] == step["from"]
             else f"{step['from']} as {step['database']}", human_bytes(step["plain_size"]), step["detail"]]
            for step in report["steps"]]
    head = f"plan: restore {cluster} {report['backup']} ({report['picked']}) from repository {report['repository']}"
    roles = ["  first roles and tablespaces; what exists stays as it is"] if report["globals"] else []
    told = [f"  {step['database']}: {note}" for step in report["steps"] for note in step["notes"]]
    return joined([head, f"  {report['proof']}", *roles, *indented(table(rows, "<<><")), *told])


def restore_done(cluster: str, report: Report, seconds: float | None) -> str:
    """Return the closing line; without seconds nothing was restored."""
    if seconds is None:
        return "dry run: nothing was restored"
    size = human_bytes(sum(step["plain_size"] for step in report["steps"]))
    return (f"done: restore {cluster} {report['backup']} {counted(len(report['steps']), 'database')} {size} "
            f"in {human_duration(seconds)}")


def counted(count: int, word: str) -> str:
    """Return 1 backup, 2 backups."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def when(iso: str | None) -> str:
    """Return an ISO time as 2026-11-20 03:00:00 UTC."""
    return f"{datetime.fromisoformat(iso):%Y-%m-%d %H:%M:%S} UTC" if iso else "never"


def indented(lines: list[str]) -> list[str]:
    """Return lines moved right by two."""
    return [f"  {line}" for line in lines]


def joined(lines: list[str]) -> str:
    """Return lines as one text."""
    return "".join(f"{line}\n" for line in lines)
