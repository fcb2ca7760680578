# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""restorable recover."""
from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...errors import ConfigError, RestorableError
from ...model.recovery_target import Target
from ..arguments_recover import again
from ..call import Call, Result

if TYPE_CHECKING:
    from ...ops.recover_plan import RecoverWish
    from ...ops.recovery_ports import RecoveryPlace


def run(call: Call) -> Result:
    """Print the plan, then recover as it says."""
    from ...ops.recover_plan import RecoverWish
    from ..wire import open_recovery
    options = call.options
    place = open_recovery(call.cluster, options.data_directory, _places(options.tablespace), options.owner)
    wish = RecoverWish(_target(options), options.backup, options.timeline, options.force)
    try:
        return _recover(call, place, wish)
    except RestorableError as error:
        commands = [again(options, call.cluster.name, timeline=each) for each in error.details.get("timelines", ())]
        if commands:
            error.hint = f"{error.hint} Run {' or '.join(f'`{each}`' for each in commands)}."
        raise


def _recover(call: Call, place: RecoveryPlace, wish: RecoverWish) -> Result:
    from ...ops.recover import recover
    from ..render_recover import recover_done, render_recover, render_recovered
    from ..report_recover import recover_report
    name = call.cluster.name
    plan, _none = recover(call.world(), place, wish, dry_run=True)
    planned = recover_report(plan, None)
    call.console.text(render_recover(name, planned))
    if call.options.dry_run:
        return Result(planned, done=recover_done(name, planned))
    # what was printed is what is recovered, even if a new base backup or timeline would now be chosen
    plan, done = recover(call.world(), place, replace(wish, backup=str(plan.base.id), timeline=plan.timeline))
    report = {**recover_report(plan, done), "notes": planned["notes"]}
    return Result(report, render_recovered(name, report), recover_done(name, report))


def _target(options: object) -> Target:
    given = {kind: getattr(options, kind) for kind in ("time", "lsn", "xid", "name") if getattr(options, kind)}
    kinds = [*given, *(["immediate"] if getattr(options, "immediate", False) else [])]
    if len(kinds) > 1:
        raise ConfigError(f"--{kinds[0]} and --{kinds[1]} are both given", hint="Give one target, or none for the end.",
                          code="usage")
    kind = kinds[0] if kinds else "latest"
    return Target.of(kind, given.get(kind, ""), inclusive=not getattr(options, "exclusive", False))


def _places(words: list[str]) -> dict[str, str]:
    places: dict[str, str] = {}
    for word in words:
        old, sign, new = word.partition("=")
        if not sign or not old or not new.startswith("/"):
            raise ConfigError(f"--tablespace is {word!r}", code="usage",
                              hint="Write OLD=NEW, where OLD is a tablespace's path or oid and NEW a whole path.")
        places[old] = new
    return places
