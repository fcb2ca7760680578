# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Run a verb on the chosen clusters: one failing cluster fails only itself and is named in the end."""
from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any, Callable, Sequence

from ..errors import ConfigError, RestorableError
from ..model.settings import ClusterSettings, Settings
from .call import Call, Result
from .console import Console
from .record import record_failure, record_result
from .recording import Tell, recorded
from .surroundings import for_container, load_surroundings
from .verbs import (
    adopt,
    audit,
    backup,
    check,
    drill,
    hold,
    init,
    keygen,
    listing,
    prune,
    recover,
    rekey,
    restore,
    show,
    status,
    sync,
    verify,
    wal_get,
    wal_push,
    wal_ship,
    wal_stream,
    witness,
)

Verb = Callable[[Call], Result]

EACH: dict[str, Verb] = {          # on every cluster unless one is named
    "backup": backup.run, "prune": prune.run, "list": listing.run, "verify": verify.run, "drill": drill.run,
    "status": status.run, "init": init.run, "audit": audit.run, "rekey": rekey.run,
    "sync": sync.run, "witness": witness.run}
ONE: dict[str, Verb] = {"show": show.run, "restore": restore.run, "recover": recover.run, "hold": hold.run,
                        "adopt": adopt.run, "wal-push": wal_push.run, "wal-ship": wal_ship.run,
                        "wal-get": wal_get.run, "wal-stream": wal_stream.run}
ALONE = ("schedule", "catch-up", "config")      # health: cli.py


def dispatch(options: argparse.Namespace, console: Console) -> int:
    """Run the verb and print its results; return the worst exit status."""
    console.as_json, console.quiet = options.json, options.quiet
    if options.verb in ALONE:
        return _alone(options, console)
    if options.verb == "audit" and options.new_key:
        return _tell_alone(audit.new_key(options), console)
    if options.verb == "keygen":
        return _tell_alone(keygen.run(options), console)
    if options.status_file:
        return recorded(options, lambda tell: _run(options, console, tell))
    return _run(options, console)


def _run(options: argparse.Namespace, console: Console, tell: Tell = lambda _words: None) -> int:
    surroundings = load_surroundings(options.config, console.environment)
    for each in surroundings.warnings:
        console.warn(each)
    settings, options.dry_run = surroundings.settings, options.dry_run or surroundings.dry_run
    options.scratch = surroundings.scratch or getattr(options, "scratch", False)
    if options.verb == "check":
        result = check.run(options, settings, console)
        tell(result.done)
        return _tell_alone(result, console)
    if options.verb in ONE:
        return _one(options, settings, console)
    clusters = _chosen(options, settings)
    outcomes = [(each, _attempt(EACH[options.verb], Call(options, settings, each, console), len(clusters) > 1))
                for each in clusters]
    for _cluster, outcome in outcomes:
        tell(outcome.error.message if outcome.error else outcome.done)
    if console.as_json:
        console.object(_together(outcomes))
    failed = [each.name for each, outcome in outcomes if outcome.status]
    if len(clusters) > 1 and failed:
        console.text(f"{options.verb}: {len(failed)} of {len(clusters)} clusters need a look: {', '.join(failed)}")
    return max(outcome.status for _cluster, outcome in outcomes)


def _alone(options: argparse.Namespace, console: Console) -> int:
    # a third of the program hangs on these, which every other verb would wait for
    if options.verb == "schedule":
        from .verbs import schedule
        return schedule.run(options, console)
    if options.verb == "catch-up":
        from .verbs import catch_up
        return catch_up.run(options, console)
    from .verbs import config
    return config.run(options, console)


def _tell_alone(result: Result, console: Console) -> int:
    _tell(result, console)
    if console.as_json:
        console.object(result.report)
    return result.status


def _one(options: argparse.Namespace, settings: Settings, console: Console) -> int:
    if options.all:
        raise ConfigError(f"--all does not go with {options.verb}", code="usage",
                          hint="Name one cluster with --cluster.")
    cluster = settings.cluster(options.cluster)
    result = _recorded(ONE[options.verb], Call(options, settings, cluster, console))
    _tell(result, console)
    if console.as_json:
        console.object(_body(cluster, result))
    return result.status


def _chosen(options: argparse.Namespace, settings: Settings) -> Sequence[ClusterSettings]:
    if options.all and options.cluster:
        raise ConfigError("--all and --cluster are both given", hint="Give one of them.", code="usage")
    if options.cluster:
        return [settings.cluster(options.cluster)]
    if not settings.clusters:
        raise ConfigError("settings.clusters is empty", hint="Write at least one cluster into the settings.",
                          code="config.no_cluster")
    return list(settings.clusters.values())


def _attempt(verb: Verb, call: Call, several: bool) -> Result:
    try:
        result = _recorded(verb, call)
    except Exception as error:  # noqa: BLE001 - a top: whatever befalls one cluster, the others get their turn
        told = error if isinstance(error, RestorableError) else call.console.defect(error)
        told = for_container(told, call.console.environment)
        result = Result({}, status=told.exit_status, error=told)
    _tell(result, call.console, call.cluster.name if several else "")
    return result


def _recorded(verb: Verb, call: Call) -> Result:
    """Run a verb, and write into the journals how it ended."""
    if call.options.dry_run:
        return verb(call)
    name = call.options.verb
    try:
        result = verb(call)
    except BaseException as error:
        for warning in record_failure(name, call.world, error):
            call.console.warn(warning)
        raise
    warnings = record_result(name, call.world, result.report, result.error)
    return replace(result, warnings=tuple(dict.fromkeys((*result.warnings, *warnings))))


def _tell(result: Result, console: Console, cluster: str = "") -> None:
    console.clear()
    if console.as_json:
        return
    console.text(console.ink.words(result.text))
    for warning in result.warnings:
        console.warn(warning)
    if result.error:
        console.explain(result.error, cluster)
    console.closing(result.done)


def _together(outcomes: Sequence[tuple[ClusterSettings, Result]]) -> dict[str, Any]:
    body: dict[str, Any] = {"clusters": [_body(cluster, result) for cluster, result in outcomes]}
    first = next((result.error for _cluster, result in outcomes if result.error), None)
    if first is not None:
        body["error"] = first.as_dict()
    return body


def _body(cluster: ClusterSettings, result: Result) -> dict[str, Any]:
    body = {"cluster": cluster.name, **result.report}
    if result.error is not None:
        body["error"] = result.error.as_dict()
    return body
