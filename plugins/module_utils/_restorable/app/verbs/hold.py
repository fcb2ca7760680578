# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""restorable hold."""
from __future__ import annotations

from ..call import Call, Result


def run(call: Call) -> Result:
    """Hold one set, or release it."""
    from ...ops.hold import hold
    from ..report import hold_report
    options = call.options
    backup, changed, warnings = hold(call.world(), options.backup, reason=options.reason, release=options.release,
                                     dry_run=options.dry_run)
    state = "released" if options.release else "held"
    would = "would be " if options.dry_run and changed else "is " if changed else "was already "
    done = f"done: {call.cluster.name} {backup} {would}{state}"
    report = hold_report(backup, changed, release=options.release, reason=options.reason, warnings=warnings)
    return Result(report, done=done, warnings=warnings)
