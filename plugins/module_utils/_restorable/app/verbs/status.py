# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""restorable status."""
from __future__ import annotations

from ..call import Call, Result


def run(call: Call) -> Result:
    """Tell a cluster's health; red is exit status 1, so that a monitor needs no parsing."""
    from ...ops.status import status
    from ..render import render_status, status_done
    from ..report import status_report
    from ..wal import shipper_report, waiting_wal
    said = shipper_report(call.cluster)
    report = status_report(status(call.world(), call.cluster, shipper=said,
                                  waiting=waiting_wal(call.cluster, said)))
    return Result(report, render_status(call.cluster.name, report), status_done(call.cluster.name, report),
                  1 if report["colour"] == "red" else 0)
