# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""restorable rekey."""
from __future__ import annotations

from ...errors import Unavailable
from ..call import Call, Result


def run(call: Call) -> Result:
    """Give stored sets new recipients; a set that fails stops no other."""
    from ...ops.rekey import rekey
    from ..render_keys import rekey_done, render_rekey
    from ..report_keys import rekey_report
    dry_run = call.options.dry_run
    report = rekey_report(rekey(call.world(), call.options.backup, dry_run=dry_run), dry_run=dry_run)
    failed = any(each["action"] == "failed" for each in report["sets"])
    return Result(report, render_rekey(report), rekey_done(call.cluster.name, report, dry_run=dry_run),
                  Unavailable.exit_status if failed else 0, warnings=tuple(report["warnings"]))
