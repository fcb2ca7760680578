# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""restorable drill."""
from __future__ import annotations

from dataclasses import replace

from ...model.reading import MOST_JOBS, within
from ...model.settings import DrillJob
from ..call import Call, Result

STATUS = {"passed": 0, "failed": 1, "incomplete": 8}


def run(call: Call) -> Result:
    """Restore a backup into a scratch server, compare, and store the evidence."""
    from ...ops.drill import drill
    from ..render_drill import drill_done, render_drill
    from ..report import drill_report
    from ..wire import chooser, open_scratch, operator
    job, choose, dry_run = _job(call), chooser(call.options.seed), call.options.dry_run
    if job.kind == "base":
        from ...ops.drill_base import drill_base
        from ..wire import open_scratch_recovery
        plan, evidence = drill_base(call.world(), open_scratch_recovery(call.cluster), call.cluster, job,
                                    choose=choose, operator=operator(), dry_run=dry_run)
    else:
        plan, evidence = drill(call.world(), open_scratch(call.cluster), call.cluster, job, choose=choose,
                               operator=operator(), dry_run=dry_run)
    report = drill_report(plan, evidence)
    status = STATUS[report["verdict"]] if evidence else 0
    return Result(report, render_drill(call.cluster.name, report), drill_done(call.cluster.name, report), status)


def _job(call: Call) -> DrillJob:
    job, options = call.cluster.drill, call.options
    within(options.jobs, "--jobs", 0, MOST_JOBS, code="usage")     # 0: as the settings say
    kind = options.kind or ("base" if options.moment else job.kind)
    return replace(job, kind=kind, moment=options.moment or (job.moment if kind == "base" else ""),
                   backup=options.backup or job.backup, jobs=options.jobs or job.jobs,
                   keep_on_failure=job.keep_on_failure or options.keep_on_failure)
