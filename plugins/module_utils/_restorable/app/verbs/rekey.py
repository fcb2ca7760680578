# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""restorable rekey."""
from __future__ import annotations

from ...errors import Unavailable
from ..call import Call, Result


def run(call: Call) -> Result:
    """Give stored sets, and with all of them the WAL, new recipients; one that fails stops no other."""
    from ...ops.rekey_all import rekey_all
    from ..render_keys import rekey_done, render_rekey
    from ..report_keys import rekey_report
    dry_run = call.options.dry_run
    done = rekey_all(call.world(), call.options.backup, dry_run=dry_run)
    report = rekey_report(done.sets, done.wal, warnings=done.warnings, dry_run=dry_run)
    return Result(report, render_rekey(report), rekey_done(call.cluster.name, report, dry_run=dry_run),
                  Unavailable.exit_status if report["failed"] else 0, warnings=tuple(report["warnings"]))
