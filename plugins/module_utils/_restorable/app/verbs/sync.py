# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""restorable sync."""
from __future__ import annotations

from ..call import Call, Result


def run(call: Call) -> Result:
    """Bring the cluster's repositories level; one that stays behind is told, and the others are done all the same."""
    from ...ops.sync import sync
    from ..render_sync import render_sync, sync_done
    from ..report_sync import sync_report
    options, name = call.options, call.cluster.name
    rows = sync(call.world(), call.cluster, to=options.to, source=options.source, dry_run=options.dry_run)
    report = sync_report(rows, dry_run=options.dry_run)
    error = next((row.error for row in rows if row.error), None)
    return Result(report, render_sync(name, report), sync_done(name, report, dry_run=options.dry_run),
                  error.exit_status if error else 0, error=error)
