# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""restorable prune."""
from __future__ import annotations

from typing import Any

from ...errors import Refused
from ..call import Call, Result


def run(call: Call) -> Result:
    """Delete what the cluster's policy does not keep; a refused plan is shown beside its error."""
    from ...ops.prune import prune
    from ..render import prune_done, render_prune
    from ..report import prune_report, refused_prune_report
    name, policy, dry_run = call.cluster.name, call.cluster.retention, call.options.dry_run
    try:
        report = prune_report(prune(call.world(), policy, bases=call.cluster.base_retention,
                                    evidence=call.cluster.evidence_kept, window=call.cluster.wal_window,
                                    dry_run=dry_run, confirm=call.options.confirm))
    except Refused as error:
        report = refused_prune_report(error)
        text = render_prune(name, _named(call, report), policy=str(policy)) if report else ""
        return Result(report, text, status=error.exit_status, error=error)
    text = render_prune(name, _named(call, report), policy=str(policy))
    return Result(report, text, prune_done(name, report, dry_run=dry_run), warnings=tuple(report["warnings"]))


def _named(call: Call, report: dict[str, Any]) -> dict[str, Any]:
    """Say of each repository what it keeps, where it has a retention of its own."""
    for row in report["repositories"]:
        own = call.settings.repositories[row["repository"]].retention.get("dump")
        row.update({"policy": str(own)} if own else {})
    return report
