# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Decide before anything is written: which databases, which id, whether it fits, whether it is the right server."""
from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Mapping, Sequence

from ..errors import ConfigError, Damaged, NotFound, Refused, RestorableError, Unavailable
from ..model.binding import read_binding
from ..model.catalogue import Backup, Catalogue
from ..model.meant import did_you_mean
from ..model.naming import BackupId, cluster_key
from ..model.server import Database, Selection, Server
from ..model.settings import DumpJob
from ..model.text import human_bytes, human_duration
from ..ports import Store
from .dump_ports import Cluster
from .reach import give_up
from .world import World, read_catalogue, read_manifest

ROOM = 1.2   # a new set may be this much larger than the last one


@dataclass(frozen=True)
class DumpPlan:
    """What a run will dump, and why it may have nothing to do."""

    id: BackupId
    server: Server
    tool: str
    databases: tuple[Database, ...]
    repositories: tuple[str, ...]
    not_covered: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    skipped_because: str = ""
    last_size: int | None = None
    last_sizes: Mapping[str, int] = field(default_factory=dict)   # plain bytes by database, of the last set


def plan_dump(world: World, server: Server, job: DumpJob, *, tool: str) -> DumpPlan:
    """Return the plan of a dump now; raise what would make it fail."""
    catalogues = [read_catalogue(store, world.cluster) for store in world.stores]
    backup = free_id(world, catalogues, "dump", job.selection.label())
    last = [newest_like(catalogue, backup) for catalogue in catalogues]
    # one that lacks a database, or failed a drill, is no reason not to take another
    whole = [newest_like(catalogue, backup, whole=True) for catalogue in catalogues]
    plan = DumpPlan(backup, server, tool, choose_databases(server, job.selection),
                    tuple(store.name for store in world.stores), _not_covered(server, job),
                    (*_excluded_nowhere(server, job.selection), *clock_warnings(catalogues, backup)),
                    too_young(whole, backup, job.max_age))
    if last and last[0] is not None:
        sizes, warnings = _last_sizes(world, last[0])
        plan = replace(plan, last_size=last[0].size, last_sizes=sizes, warnings=plan.warnings + warnings)
    if not plan.skipped_because:
        check_room(world, plan.last_size)
    return plan


def _last_sizes(world: World, last: Backup) -> tuple[dict[str, int], tuple[str, ...]]:
    try:
        manifest = read_manifest(world.stores[0], world.cluster, last.id)
    except RestorableError as error:
        # the worst time to refuse a new backup is when the last one is broken
        if not isinstance(error, Damaged) and not world.any_is_enough:
            raise
        return {}, (f"{error.message}; run `restorable verify {last.id}`",)
    return {item.database: item.plain_size for item in manifest.dumps()}, ()


def newest_like(catalogue: Catalogue, like: BackupId, *, whole: bool = False) -> Backup | None:
    """Return the newest committed set of the same kind and label, or None; whole: that lacks and failed nothing."""
    return next((each for each in reversed(catalogue.committed())
                 if (each.id.kind, each.id.label) == (like.kind, like.label)
                 and not (whole and (each.missing or each.verdict == "failed"))), None)


def choose_databases(server: Server, selection: Selection) -> tuple[Database, ...]:
    """Return the databases of a set in the server's order; raise NotFound for a name the server does not have."""
    by_name = {database.name: database for database in server.databases}
    for name in selection.databases:
        if name not in by_name:
            raise NotFound(f"database {name!r} does not exist on the server",
                           hint=f"The server has: {', '.join(sorted(by_name))}.", code="database.missing")
        if not by_name[name].allows_connections:
            raise ConfigError(f"database {name!r} takes no connections, so it cannot be dumped",
                              hint="Leave it out, or run ALTER DATABASE … ALLOW_CONNECTIONS true; if a DROP of it was "
                                   "interrupted, drop it again.",
                              code="database.no_connections")
    wanted = [database for database in server.databases if _wanted(database, selection)]
    if not wanted:
        raise ConfigError("no database is left to dump", code="database.none",
                          hint="Check `databases` and `exclude_databases`.")
    return tuple(wanted)


def _wanted(database: Database, selection: Selection) -> bool:
    if database.name in selection.exclude_databases:
        return False
    if selection.databases:
        return database.name in selection.databases
    return database.allows_connections and not database.is_template


def _not_covered(server: Server, job: DumpJob) -> tuple[str, ...]:
    selection, told = job.selection, []
    for database in server.databases:
        if not database.allows_connections and database.name != "template0":
            told.append(f"database {database.name}: takes no connections")
        elif database.is_template and database.name not in ("template0", *selection.databases):
            told.append(f"database {database.name}: is a template")
    there = {database.name for database in server.databases}
    told += [f"database {name}: excluded" for name in selection.exclude_databases if name in there]
    if not selection.globals:
        told.append("roles and tablespaces: globals is off")
    elif not job.role_passwords:
        told.append("passwords of roles: role_passwords is off")
    return (*told, "postgresql.conf, pg_hba.conf, ALTER SYSTEM and ALTER ROLE ALL settings: no dump holds them")


def _excluded_nowhere(server: Server, selection: Selection) -> tuple[str, ...]:
    there = [database.name for database in server.databases]
    return tuple(f"exclude_databases: the server has no database {name!r}, so this leaves out nothing. "
                 f"{did_you_mean(name, there)}".rstrip()
                 for name in selection.exclude_databases if name not in there)


def idle_patterns(cluster: Cluster, selection: Selection, databases: Sequence[Database]) -> tuple[str, ...]:
    """Return a warning for each pattern that leaves out nothing in any of the databases: it may be mistyped.

    Nothing is told if a database cannot be asked; its dump will say why. Raises ConfigError for a bad pattern.
    """
    wishes = {"exclude_tables": selection.exclude_tables, "exclude_table_data": selection.exclude_table_data}
    asked = {pattern for patterns in wishes.values() for pattern in patterns}
    if not asked:
        return ()
    left = set(asked)
    for database in databases:
        try:
            # each is asked for all, as each one's pg_dump will be: a pattern good in one may be refused in the next
            left -= cluster.matched(database.name, asked)
        except RestorableError as error:
            if error.code.startswith("pattern."):
                raise
            return ()
    where = f"database {databases[0].name}" if len(databases) == 1 else f"any of the {len(databases)} databases"
    return tuple(f"{key}: {pattern!r} matches nothing in {where}, so it leaves out nothing"
                 for key, patterns in wishes.items() for pattern in patterns if pattern in left)


def free_id(world: World, catalogues: list[Catalogue], kind: str, label: str = "") -> BackupId:
    """Return the id of a backup that begins now, or the first free one after it."""
    taken = {each.id for catalogue in catalogues for each in catalogue.backups}
    backup = BackupId(world.clock.now(), kind, label)
    while backup in taken:
        backup = backup.later()
    return backup


def clock_warnings(catalogues: list[Catalogue], backup: BackupId) -> tuple[str, ...]:
    """Return what is odd about the clock: backups from the future."""
    ahead = [each.id for catalogue in catalogues for each in catalogue.committed() if each.id.time > backup.time]
    if not ahead:
        return ()
    return (f"backup {max(ahead)} is dated after now ({backup.time:%Y-%m-%d %H:%M:%S} UTC); was the clock set back?",)


def too_young(last: list[Backup | None], backup: BackupId, max_age: float) -> str:
    """Return why nothing need be done, if the newest of every repository is younger than max_age; otherwise ""."""
    if max_age <= 0 or not last or None in last:
        return ""
    ages = [(backup.time - each.id.time).total_seconds() for each in last if each is not None]
    if max(ages) >= max_age or min(ages) < 0:
        return ""
    return (f"backup {last[0].id if last[0] else ''} is {human_duration(max(ages))} old, "
            f"younger than max_age {human_duration(max_age)}")


def check_room(world: World, last_size: int | None) -> None:
    """Raise Unavailable unless a backup a little larger than the last one fits everywhere.

    Where any repository is enough, a full one is given up as if it were down, unless it is the last one.
    """
    if last_size is None:
        return
    for store in world.stores:
        free = store.free_bytes()
        if free is not None and free < last_size * ROOM:
            full = Unavailable(f"repository {store.name} has {human_bytes(free)} free, "
                               f"the last backup took {human_bytes(last_size)}", code="store.no_room",
                               hint="Run `restorable prune`, or give the repository more room.")
            if not give_up(store, full):
                raise full


def bind_cluster(world: World, server: Server, *, accept: bool, dry_run: bool) -> None:
    """Bind the cluster's folder to its server at the first backup; refuse another server later.

    Where any repository is enough, one whose binding cannot be read or written is given up.
    """
    for store in world.stores:
        try:
            _bind(world, store, server.system_identifier, accept=accept, dry_run=dry_run)
        except RestorableError as error:
            if not give_up(store, error):
                raise


def _bind(world: World, store: Store, mine: str, *, accept: bool, dry_run: bool) -> None:
    key = cluster_key(world.cluster)
    known = next((entry for entry in store.list(key) if entry.key == key), None)
    if known is not None:
        bound = bound_identifier(store, key)
        if not mine or not bound or bound == mine:
            return
        if not accept:
            raise Refused(f"repository {store.name} holds cluster {world.cluster} of the server with system "
                          f"identifier {bound}, this server has {mine}", code="repository.other_server",
                          hint="Give the other server its own cluster name; if this one was rebuilt on purpose, "
                               "run `restorable backup --accept-new-server` once.")
    if not dry_run:
        if known is not None:
            store.delete(key)      # only then: a host may have no right to delete
        store.put(key, [json.dumps({"format": 1, "system_identifier": mine}).encode()])


def bound_identifier(store: Store, key: str) -> str:
    """Return the system identifier that a cluster.json binds its folder to; raise Damaged if it cannot be read."""
    return read_binding(b"".join(store.get(key)), f"{store.name}:{key}")
