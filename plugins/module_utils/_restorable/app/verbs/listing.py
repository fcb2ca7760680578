# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""restorable list."""
from __future__ import annotations

from ...errors import Unavailable
from ...model.uncollected import uncollected
from ..call import Call, Result


@uncollected()
def run(call: Call) -> Result:
    """List what every repository of a cluster holds."""
    from ...ops.status import list_backups
    from ..render import render_list
    from ..report import list_report
    world = call.world()
    report = list_report(list_backups(world, call.cluster, keys=call.options.keys), world.clock.now())
    text = "" if call.console.as_json else render_list(call.cluster.name, report)
    unread = any(each["error"] for each in report["repositories"])
    return Result(report, text, status=Unavailable.exit_status if unread else 0)
