# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Turn a recovery's report into what a person reads before and after it, at three in the morning."""
from __future__ import annotations

import shlex
from typing import Any, Mapping

from ..model.text import human_bytes, human_duration, table
from ..model.wal import history_name
from .render import counted, indented, joined, when

Report = Mapping[str, Any]

AFTER = (
    "  the server is shut down, and archiving is off in this copy (archive_mode in postgresql.auto.conf)",
    "  next: start it as usual and look at the data; once it is the one server of its name:",
    "    ALTER SYSTEM SET archive_mode = on; then restart it",
    "  then, as the account of the server:",
    "    restorable wal-push --cluster {cluster} {history}",       # it was written while archiving was off
    "    restorable backup --cluster {cluster} --kind base",
)


def render_recover(cluster: str, report: Report) -> str:
    """Return the plan."""
    rows = [["base", " + ".join(report["chain"]) + f" from repository {report['repository']}"],
            ["WAL", _wal(report)],
            ["target", f"{report['target']}, on timeline {report['timeline']}"],
            ["into", f"{report['data_directory']} with {report['server']}"]]
    rows += [[f"tablespace {oid}", path] for oid, path in report["tablespaces"].items()]
    free = "" if report["free"] is None else f", {human_bytes(report['free'])} are free"
    rows.append(["room", f"{human_bytes(report['size'])} of files, {human_bytes(report['needed'])} needed on the way"
                         + free])
    expected = report["expected_seconds"]
    rows.append(["time", f"the last passed drill answered after {human_duration(expected)}" if expected
                 else "not known: no base backup was drilled yet"])
    rows += [["moved aside", each] for each in report["moved_aside"]]
    lines = [f"plan: recover {cluster}", *indented(table(rows))]
    return joined([*lines, *(f"  note: {each}" for each in report["notes"])])


def _wal(report: Report) -> str:
    if not report["segments"]:
        return "inside the backup, none from the archive"
    first, last = report["segments"]
    return f"{counted(report['segment_count'], 'segment')}, {first} to {last}"


def render_recovered(cluster: str, report: Report) -> str:
    """Return where a recovery ended and what is left to do."""
    last = when(report["last_commit"]) if report["last_commit"] else "none after the base backup"
    place = f"{report['replayed']}, now timeline {report['new_timeline']}"
    rows = [["reached", report["reached"]], ["replayed to", place],
            ["newest transaction", last], ["answered after", human_duration(report["answers_after"])]]
    lines = indented(table(rows))
    lines += [f"  what was in {folder} is kept in {aside}" for folder, aside in report["asides"].items()]
    history = f"{report['data_directory']}/pg_wal/{history_name(report['new_timeline'])}"
    # copied into a shell, each is one word
    words = {"cluster": shlex.quote(cluster), "history": shlex.quote(history)}
    return joined([*lines, *(line.format(**words) for line in AFTER)])


def recover_done(cluster: str, report: Report) -> str:
    """Return the closing line."""
    if "reached" not in report:
        return "dry run: nothing was recovered"
    return (f"done: recover {cluster} {report['backup']} to {report['target']} in "
            f"{human_duration(report['seconds'])}")
