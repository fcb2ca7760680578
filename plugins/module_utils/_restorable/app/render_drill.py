# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Turn a drill's report into the text that a person reads at three in the morning."""
from __future__ import annotations

from datetime import datetime
from typing import Any, Mapping

from ..model.drill import levels_of
from ..model.text import human_bytes, human_duration, table
from .render import indented, joined

Report = Mapping[str, Any]

_WORDS = {"ok": "ok", "failed": "FAILED", "not_run": "not run"}


def render_drill(cluster: str, report: Report) -> str:
    """Return the ladder with every finding, the measured phases and objectives, and the verdict in one sentence."""
    what = f"backup {report['backup']}, {report['picked']}, from repository {report['repository']}"
    lines = [f"drill of cluster {cluster}: {what}",
             f"  {human_bytes(report['plain_size'])} to restore into {report['server']}"]
    if "checks" not in report:
        expected = report["expected_seconds"]
        last = f"the last drill that passed took {human_duration(expected)}" if expected else "no drill has passed yet"
        return joined([*lines, f"  {last}"])
    ladder = _ladder(report["checks"], levels_of(report.get("recovery")))
    lines += ["", *indented(ladder), "", *indented(_measured(report))]
    lines += [f"  note: {note}" for note in report["notes"]]
    lines += ["", str(report["words"])]
    if report["key"]:
        lines.append(f"evidence: {report['key']} in every repository, and beside it the same as a page (.html)")
    return joined(lines)


def drill_done(cluster: str, report: Report) -> str:
    """Return the closing line."""
    if "checks" not in report:
        return "dry run: nothing was restored"
    took = human_duration(datetime.fromisoformat(report["ended"]) - datetime.fromisoformat(report["begun"]))
    return f"done: drill {cluster} {report['backup']} {report['verdict']} in {took}"


def _ladder(checks: list[Report], levels: Mapping[str, str]) -> list[str]:
    rows = []
    for level, meaning in levels.items():
        own = [each for each in checks if each["level"] == level]
        rows.append([level, _WORDS[_worst(own)], meaning, _detail(own)])
        rows += [["", "", f"  {_WORDS[each['result']]} {each['name']}", _difference(each)] for each in own
                 if each["result"] == "failed" or (each["result"] == "not_run" and len(own) > 1)]
    return table(rows)


def _worst(checks: list[Report]) -> str:
    """Return failed before not_run before ok; what may be missing does not count where something else was ok."""
    results = {each["result"] for each in checks if each["result"] != "not_run" or not each["optional"]}
    if "failed" in results:
        return "failed"
    return "not_run" if "not_run" in results or "ok" not in results else "ok"


def _detail(checks: list[Report]) -> str:
    done = sum(each["result"] == "ok" for each in checks)
    if len(checks) == 1 and checks[0]["result"] != "failed":
        named = checks[0]["level"] == "L6" and checks[0]["result"] == "ok"
        return f"{checks[0]['name']} in {checks[0]['detail']}" if named else str(checks[0]["detail"])
    told = [f"{done} ok"] if done else []
    for result in ("failed", "not_run"):
        count = sum(each["result"] == result for each in checks)
        told += [f"{count} {_WORDS[result]}"] if count else []
    return ", ".join(told)


def _difference(check: Report) -> str:
    if check["expected"] or check["actual"]:
        return f"{check['detail']}: expected {check['expected'] or 'nothing'}, found {check['actual'] or 'nothing'}"
    return str(check["detail"])


def _measured(report: Report) -> list[str]:
    rows = [[phase, human_duration(seconds)] for phase, seconds in report["phases"].items()]
    rows.append(["answers queries after (RTO)", _span(report["rto"])])
    rows.append(["data is as old as (RPO)", _span(report["rpo"])])
    rows += [[f"objective {each['name']}", _objective(each)] for each in report["objectives"]]
    return table(rows, "<<")


def _objective(row: Report) -> str:
    return f"{'met' if row['met'] else 'missed'}: {_span(row['measured'])} of {human_duration(row['target'])}"


def _span(seconds: float | None) -> str:
    return "not measured" if seconds is None else human_duration(seconds)
