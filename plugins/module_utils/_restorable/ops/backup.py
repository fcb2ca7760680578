# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Take one dump set: lock, plan, dump every database into every repository, and commit by the manifest."""
from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from ..errors import RestorableError, ToolFailed, Unavailable
from ..model.manifest import DatabaseReport, Item, Manifest
from ..model.naming import BackupId, manifest_key, object_key, set_prefix
from ..model.server import Server, SharedNames
from ..model.settings import DumpJob
from ..model.stock import restore_commands
from ..stream.tee import put_everywhere
from ..version import VERSION
from .dump_globals import dump_globals
from .dump_ports import Cluster
from .dumpset import DumpedDatabase, dump_database
from .partial import mark_missing
from .preflight import DumpPlan, bind_cluster, idle_patterns, plan_dump
from .reach import kept_up, reach
from .sweep import remove_set
from .tidy import sweep_where_allowed
from .witness import unwitnessed, witnessed
from .world import World


@dataclass(frozen=True)
class BackupReport:
    """What a backup did, or would do."""

    plan: DumpPlan
    changed: bool
    manifest: Manifest | None = None
    swept: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass
class _Run:
    """One set on its way to its manifest."""

    id: BackupId
    begun: datetime
    items: list[Item] = field(default_factory=list)
    databases: list[DatabaseReport] = field(default_factory=list)
    named: list[tuple[str, SharedNames]] = field(default_factory=list)     # by database
    failures: dict[str, RestorableError] = field(default_factory=dict)    # by database
    not_covered: list[str] = field(default_factory=list)
    hooks: list[dict[str, Any]] = field(default_factory=list)

    def add(self, dumped: DumpedDatabase) -> None:
        self.items += dumped.items
        self.databases.append(dumped.report)
        self.named.append((dumped.report.name, dumped.named))
        self.not_covered += dumped.not_covered


def back_up(world: World, cluster: Cluster, job: DumpJob, *, dry_run: bool = False,
            accept_new_server: bool = False) -> BackupReport:
    """Take a set as job says, unless the newest one is younger than job.max_age; dry_run stops after the plan.

    Everything or nothing: on any failure the objects of the unfinished set are removed, and older sets are untouched.
    """
    world.keys.check()
    world, losses = reach(world, write=not dry_run)
    if dry_run:
        plan, changed = _planned(world, cluster, job, accept_new_server, dry_run=True)
        return BackupReport(plan, changed, warnings=(*plan.warnings, *losses.warnings(f"backup {plan.id}")))
    with world.lock.hold("backup"):
        plan, changed = _planned(world, cluster, job, accept_new_server, dry_run=False)
        swept = tuple(sweep_where_allowed(world).names)
        if not changed:
            return BackupReport(plan, False, swept=swept)
        run = _Run(plan.id, world.clock.now())
        try:
            manifest = _take(world, cluster, job, plan, run)
        except BaseException as error:
            # an interrupt too must leave nothing half-made behind
            remove_set(world, run.id, after=error)
            raise
        try:
            _run_hook(world, "post", job.post_command, run)
        except RestorableError as error:
            # the run failed, and yet there is a set, whose manifest belongs into the journal
            error.details["committed"] = str(manifest.id)
            raise
        lacking = losses.warnings(f"backup {manifest.id}")
        return BackupReport(plan, True, manifest, swept, (*plan.warnings, *_lacks(manifest), *lacking))


def _lacks(manifest: Manifest) -> list[str]:
    return [*(f"backup {manifest.id} is partial: {each}" for each in manifest.failed), *unwitnessed(manifest)]


def _planned(world: World, cluster: Cluster, job: DumpJob, accept: bool, *, dry_run: bool) -> tuple[DumpPlan, bool]:
    world.progress.phase("plan")
    server = cluster.server()
    plan = plan_dump(world, server, job, tool=cluster.dump_tool(server))
    if not plan.skipped_because:
        plan = replace(plan, warnings=(*plan.warnings, *idle_patterns(cluster, job.selection, plan.databases)))
    bind_cluster(world, server, accept=accept, dry_run=dry_run)
    return plan, plan.skipped_because == ""


def _take(world: World, cluster: Cluster, job: DumpJob, plan: DumpPlan, run: _Run) -> Manifest:
    _run_hook(world, "pre", job.pre_command, run)
    if job.selection.globals:
        cluster.dump_globals()         # asks for rights and program now; it runs only when it is read
    for database in plan.databases:
        try:
            run.add(dump_database(world, cluster, job, run.id, database, plan.last_sizes.get(database.name)))
        except RestorableError as error:
            # the others are still tried, so that one report names every database that fails
            run.failures[database.name] = _named(error, database.name)
    if run.failures and not (job.allow_partial and run.databases):
        raise _all_failures(list(run.failures.values()), len(plan.databases))
    if job.selection.globals:
        dumped = dump_globals(world, cluster, job, run.id, run.named)
        run.items[:0] = dumped.items   # what is restored first stands first
        run.not_covered += dumped.not_covered
    run.items += mark_missing(world, run.id, run.failures, job.options)
    return _commit(world, plan, job, run)


def _commit(world: World, plan: DumpPlan, job: DumpJob, run: _Run) -> Manifest:
    world.progress.phase("commit")
    manifest = Manifest(
        id=run.id, cluster=world.cluster, begun=run.begun, ended=world.clock.now(), tool=f"restorable {VERSION}",
        items=tuple(run.items), databases=tuple(run.databases),
        server={**_server_facts(plan.server, plan.tool), **witnessed(world)},
        selection=asdict(job.selection), options={**asdict(job.options), "allow_partial": job.allow_partial},
        not_covered=(*plan.not_covered, *(f"{error}: not in this set" for error in run.failures.values()),
                     *run.not_covered),
        failed=tuple(str(error) for error in run.failures.values()), hooks=tuple(run.hooks),
        restore=restore_commands(run.items))
    commit(world, manifest)
    return manifest


def commit(world: World, manifest: Manifest) -> None:
    """Write the manifest into every repository, once all of them still hold every object."""
    _require_objects(world, manifest)
    put_everywhere(world.stores, manifest_key(world.cluster, manifest.id), [manifest.as_json()])


def _require_objects(world: World, manifest: Manifest) -> None:
    """Raise Unavailable unless every repository still lists every object of the set.

    A host that does not share our lock, since its state_dir or its first repository is another, takes an unfinished
    set for left over and sweeps it.
    """
    wanted = {object_key(world.cluster, manifest.id, item.name): item.size for item in manifest.items}
    for store in world.stores:
        found = {entry.key: entry.size for entry in store.list(set_prefix(world.cluster, manifest.id))}
        gone = [key for key, size in wanted.items() if found.get(key) != size]
        if gone and kept_up([store]):
            raise Unavailable(f"object {store.name}:{gone[0]} is gone before its set was committed",
                              code="backup.object_gone",
                              hint="Another host writes to this repository without our lock; give both the same "
                                   "state_dir or the same first repository, or each a cluster name of its own.")


def _server_facts(server: Server, tool: str) -> dict[str, Any]:
    return {"version": server.version, "version_num": server.version_num, "bootstrap_user": server.bootstrap_user,
            "system_identifier": server.system_identifier, "in_recovery": server.in_recovery, "pg_dump": tool}


def _run_hook(world: World, when: str, command: tuple[str, ...], run: _Run) -> None:
    if not command:
        return
    world.progress.phase(f"{when} command")
    began = world.clock.elapsed()
    environment = {"RESTORABLE_CLUSTER": world.cluster, "RESTORABLE_BACKUP": str(run.id)}
    try:
        world.hooks.run(command, environment)
    except ToolFailed as error:
        state = "nothing was dumped" if when == "pre" else f"backup {run.id} is committed and stays"
        raise ToolFailed(f"{when}_command failed, {state}: {error.message}", hint=error.hint,
                         code=f"hook.{when}_failed") from error
    run.hooks.append({"when": when, "command": command[0], "seconds": round(world.clock.elapsed() - began, 3)})


def _named(error: RestorableError, database: str) -> RestorableError:
    if database in error.message:
        return error
    return type(error)(f"database {database!r}: {error.message}", hint=error.hint, code=error.code)


def _all_failures(failures: list[RestorableError], tried: int) -> RestorableError:
    first = failures[0]
    if tried == 1:
        return first
    told = "; ".join(error.message for error in failures)
    return type(first)(f"{len(failures)} of {tried} databases could not be dumped, so no set was committed: {told}",
                       hint=f"{first.hint} Mend the named databases, or set allow_partial to keep the others.".strip(),
                       code=first.code)
