# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""restorable show."""
from __future__ import annotations

from ..call import Call, Result


def run(call: Call) -> Result:
    """Show one set."""
    from ...ops.status import show
    from ..render_set import render_show
    from ..report import show_report
    world = call.world()
    report = show_report(*show(world, call.options.backup), world.clock.now())
    return Result(report, render_show(report))
