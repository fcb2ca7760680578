# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Turn the report of an audit into text for a person."""
from __future__ import annotations

from typing import Any, Mapping

from ..model.text import table
from .render import counted, indented, joined, when

Report = Mapping[str, Any]


def render_audit(cluster: str, report: Report) -> str:
    """Return one table of chains for each repository, then what is wrong, then what could not be told."""
    lines: list[str] = []
    for each in report["repositories"]:
        lines.append(f"cluster {cluster}, repository {each['repository']}, journal {each['journal'] or 'none yet'}: "
                     f"{counted(each['manifests'], 'manifest')}, {each['evidence']} drills")
        if each["chains"]:
            rows = [["chain", "events", "signed", "newest", "last", "SHA-256 of the last"]]
            rows += [[chain["chain"], str(chain["count"]), str(chain["signed"]), when(chain["newest"]),
                      str(chain["last"]), chain["sha256"]] for chain in each["chains"]]
            lines += indented(table(rows, "<>><><"))
    lines += [f"  FAILED  {each['kind']}  {each['repository']}: {each['where']}: {each['message']}"
              for each in report["findings"]]
    lines += [f"  note: {each}" for each in report["notes"]]
    return joined(lines)


def audit_done(cluster: str, report: Report) -> str:
    """Return the closing line."""
    count = sum(chain["count"] for each in report["repositories"] for chain in each["chains"])
    if report["verdict"] == "damaged":
        return f"done: audit {cluster} {counted(count, 'event')}: {counted(len(report['findings']), 'finding')}"
    if report["verdict"] == "empty":
        return f"done: audit {cluster}: no event was written yet, so nothing is witnessed"
    signed = sum(chain["signed"] for each in report["repositories"] for chain in each["chains"])
    return f"done: audit {cluster} {counted(count, 'event')}, {signed} signed: nothing is edited, missing or cut off"
