# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""restorable restore."""
from __future__ import annotations

from typing import TYPE_CHECKING, Iterable

from ...model.reading import MOST_JOBS, within
from ...model.text import visible
from ..call import Call, Result
from .restore_scratch import restore_into_scratch

if TYPE_CHECKING:
    from ...ops.restore_plan import RestoreWish


def run(call: Call) -> Result:
    """Print the plan, then restore as it says."""
    from ...ops.restore import restore
    from ...ops.restore_plan import RestoreWish
    from ..render import render_restore, restore_done
    from ..report import restore_report
    from ..wire import chooser, open_target
    options, name = call.options, call.cluster.name
    within(options.jobs, "--jobs", 1, MOST_JOBS, code="usage")
    databases = (options.name, *options.database) if options.name else tuple(options.database)
    wish = RestoreWish(
        backup=options.backup, databases=databases, into=options.into, tables=tuple(options.table),
        schemas=tuple(options.schema), globals=options.globals, replace=options.replace, clean=options.clean,
        cascade=options.cascade, disconnect=options.disconnect, jobs=options.jobs, no_owner=options.no_owner,
        no_privileges=options.no_privileges, post_command=tuple(options.post_command))
    if options.scratch:
        return restore_into_scratch(call, wish)
    target = open_target(call.cluster)
    world = call.world()
    plan, notes = restore(world, target, wish, choose=chooser(options.seed), dry_run=True)
    planned = restore_report(plan, notes, dry_run=True)
    call.console.text(render_restore(name, planned))
    if options.dry_run:
        return Result(planned, _noted(notes), restore_done(name, planned, None))
    began = world.clock.elapsed()
    plan, notes = restore(call.world(), target, _same(wish, plan.backup), choose=chooser(options.seed))
    report = {**restore_report(plan, notes), "picked": planned["picked"],
              "seconds": round(world.clock.elapsed() - began, 3)}
    return Result(report, _noted(notes), restore_done(name, report, report["seconds"]))


def _noted(notes: Iterable[str]) -> str:
    return "".join(f"  note: {visible(each)}\n" for each in notes)


def _same(wish: RestoreWish, backup: str) -> RestoreWish:
    # what was printed is what is restored, even if chance or a new backup would now pick another
    from dataclasses import replace
    return replace(wish, backup=backup)
