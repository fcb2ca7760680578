# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""restorable backup."""
from __future__ import annotations

from dataclasses import replace

from ...model.settings import DumpJob
from ..call import Call, Result


def run(call: Call) -> Result:
    """Take a set of one cluster."""
    if call.options.kind != "dump":
        from .base import run as run_base
        return run_base(call)
    from ...ops.backup import back_up
    from ..render import backup_done, render_backup
    from ..report import backup_report
    from ..wire import open_cluster
    done = back_up(call.world(), open_cluster(call.cluster), _job(call), dry_run=call.options.dry_run,
                   accept_new_server=call.options.accept_new_server)
    report = backup_report(done)
    name, dry_run = call.cluster.name, call.options.dry_run
    # a nightly run under cron is to be silent unless something is wrong
    text = "" if call.console.quiet and not dry_run else render_backup(name, report, dry_run=dry_run)
    return Result(report, text, backup_done(name, report, dry_run=dry_run), warnings=tuple(report["warnings"]))


def _job(call: Call) -> DumpJob:
    from ...model.reading import duration
    job, options = call.cluster.dump, call.options
    if options.database:
        job = replace(job, selection=replace(job.selection, databases=tuple(sorted(set(options.database)))))
    if options.max_age is not None:
        job = replace(job, max_age=duration(options.max_age, "--max-age"))
    return job
