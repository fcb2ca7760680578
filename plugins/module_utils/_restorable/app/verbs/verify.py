# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""restorable verify."""
from __future__ import annotations

from ...errors import Damaged, Unavailable
from ..call import Call, Result


def run(call: Call) -> Result:
    """Read one set, or all of a cluster, and compare every byte with the manifests."""
    from ...ops.verify import verify
    from ..render import render_verify, verify_done
    from ..report import verify_report
    from ..wire import open_archives
    name, dry_run = call.cluster.name, call.options.dry_run
    found = verify(call.world(), open_archives(call.cluster), call.options.backup, dry_run=dry_run)
    report = verify_report(found, dry_run=dry_run)
    status = {"failed": Damaged.exit_status, "incomplete": Unavailable.exit_status}.get(report["verdict"], 0)
    return Result(report, render_verify(name, report), verify_done(name, report, dry_run=dry_run), status,
                  tuple(report["warnings"]))
