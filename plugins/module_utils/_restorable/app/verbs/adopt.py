# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""restorable adopt."""
from __future__ import annotations

from ...errors import Refused, Unavailable
from ..call import Call, Result


def run(call: Call) -> Result:
    """Take existing files in; what was left out is told with its reason, and is a failure if it was all of them."""
    from ...host.folder import LocalFolder
    from ...ops.adopt import AdoptWish, adopt
    from ..render_set import adopt_done, render_adopt
    from ..report import adopt_report
    from ..wire import open_archives
    options, name = call.options, call.cluster.name
    wish = AdoptWish(tuple(options.pattern), database=options.database, timezone=options.timezone, move=options.move)
    report = adopt_report(adopt(call.world(), open_archives(call.cluster), LocalFolder(options.folder), wish,
                                dry_run=options.dry_run))
    actions = {each["action"] for each in report["files"]}
    status = Unavailable.exit_status if "failed" in actions else Refused.exit_status if actions == {"skipped"} else 0
    return Result(report, render_adopt(report, dry_run=options.dry_run),
                  adopt_done(name, report, dry_run=options.dry_run), status, warnings=tuple(report["warnings"]))
