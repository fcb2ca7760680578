# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""restorable backup --kind base, --kind incremental."""
from __future__ import annotations

from dataclasses import replace

from ...errors import ConfigError
from ...model.base_job import BaseJob
from ..call import Call, Result


def run(call: Call) -> Result:
    """Take a base backup of one cluster."""
    from ...ops.base import back_up_base
    from ..render_base import base_done, render_base
    from ..report_base import base_report
    from ..wire import archives_wal, open_source
    done = back_up_base(call.world(), open_source(call.cluster), _job(call), archived=archives_wal(call.cluster),
                        dry_run=call.options.dry_run, accept_new_server=call.options.accept_new_server)
    report = base_report(done)
    name, dry_run = call.cluster.name, call.options.dry_run
    text = "" if call.console.quiet and not dry_run else render_base(name, report, dry_run=dry_run)
    return Result(report, text, base_done(name, report, dry_run=dry_run), warnings=tuple(report["warnings"]))


def _job(call: Call) -> BaseJob:
    from ...model.reading import duration
    options = call.options
    if options.database:
        raise ConfigError("--database does not go with --kind base", code="usage",
                          hint="A base backup is of the whole server; leave --database out.")
    job = call.cluster.base if options.kind == "base" else call.cluster.incremental
    return job if options.max_age is None else replace(job, max_age=duration(options.max_age, "--max-age"))
