# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""restorable restore --scratch: into a private server of our own, which is gone when the command ends."""
from __future__ import annotations

import signal
from dataclasses import replace
from typing import TYPE_CHECKING

from ..call import Call, Result
from ..cli import Stopped

if TYPE_CHECKING:
    from ...ops.restore_plan import RestoreWish
    from ...ports import Target


def restore_into_scratch(call: Call, wish: RestoreWish) -> Result:
    """Restore a set or some of its databases into a scratch server of the same major; say what is in it then."""
    from ...ops.copies import Copies
    from ...ops.restore import restore
    from ..render import render_restore, restore_done
    from ..report import restore_report
    from ..wire import chooser, open_scratch
    options, world, scratch = call.options, call.world(), open_scratch(call.cluster)
    choose = chooser(options.seed)
    copies = Copies.of(world, wish.backup, choose=choose)
    _store, manifest = copies.best()
    wish = replace(wish, backup=str(manifest.id), globals=manifest.find("globals") is not None)
    major = int(manifest.server.get("version_num", 0)) // 10000
    superuser = str(manifest.server.get("bootstrap_user") or "postgres")
    server = scratch.plan(major)
    call.console.text(f"scratch server: {server}")
    if options.dry_run:
        return Result({"backup": wish.backup, "server": server},
                      done=f"dry run: {wish.backup} would be restored into a scratch server, and nothing else changed")
    began = world.clock.elapsed()
    with scratch.start(major, superuser, keep_on_failure=False) as target:
        plan, notes = restore(world, target, wish, choose=choose)
        report = {**restore_report(plan, notes), "picked": copies.why, "server": server,
                  "seconds": round(world.clock.elapsed() - began, 3),
                  "contents": {step.database: _tables(target, step.database) for step in plan.steps}}
        call.console.text(render_restore(call.cluster.name, report))
        call.console.text("".join(f"  {name}: {count} tables\n" for name, count in report["contents"].items()))
        if options.stay:
            _wait(call, target, plan.steps[0].database)
    text = "".join(f"  note: {each}\n" for each in notes)
    return Result(report, text, restore_done(call.cluster.name, report, report["seconds"])
                  + "; the scratch server is gone again")


def _tables(target: Target, database: str) -> int:
    rows = target.query(database, "SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n "
                                  "ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') "
                                  "AND n.nspname NOT IN ('pg_catalog', 'information_schema')")
    return int(rows[0][0] or 0)


def _wait(call: Call, target: Target, database: str) -> None:
    found = target.environment(database)
    call.console.text(f"It stays until Ctrl-C. Look into it with:\n  psql -h {found['PGHOST']} -U {found['PGUSER']} "
                      f"{database}")
    try:
        while True:
            signal.pause()
    except (KeyboardInterrupt, Stopped):
        return
