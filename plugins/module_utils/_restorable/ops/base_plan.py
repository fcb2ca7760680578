# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Decide before anything is copied: full or on which parent, with WAL or without, and whether it fits."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, Mapping

from ..errors import ConfigError, Refused, RestorableError
from ..model.base import INCREMENTAL_SINCE, OLDEST_MAJOR
from ..model.base_job import BaseJob
from ..model.catalogue import Backup, Catalogue
from ..model.manifest import Manifest
from ..model.naming import BackupId
from ..model.server import Server
from .base_chain import read_chain
from .objects import read_item
from .preflight import check_room, clock_warnings, free_id, newest_like, too_young
from .reach import Expendable
from .world import World, read_catalogue

PHYSICAL = ("base", "incr")


@dataclass(frozen=True)
class BasePlan:
    """What a run will copy, and why it may have nothing to do."""

    id: BackupId
    server: Server
    repositories: tuple[str, ...]
    self_contained: bool
    segment_size: int
    checksums: bool
    parent: str = ""               # id; empty for a full base
    chain: tuple[Manifest, ...] = ()   # the parent and all it stands on, oldest first, of the first repository
    warnings: tuple[str, ...] = ()
    skipped_because: str = ""
    last_size: int | None = None


def plan_base(world: World, server: Server, facts: Mapping[str, str], job: BaseJob, *, archived: str) -> BasePlan:
    """Return the plan of a base backup now; raise what would make it fail. archived is push, stream or ""."""
    if server.major < OLDEST_MAJOR:
        raise ConfigError(f"server version {server.version} is older than {OLDEST_MAJOR}, from which on base backups "
                          "are streamed", hint="Take dumps of it, or use its own pg_basebackup.", code="base.too_old")
    catalogues = [read_catalogue(store, world.cluster) for store in world.stores]
    kind = "incr" if job.options.incremental else "base"
    backup = free_id(world, catalogues, kind)
    newest = [_newest(catalogue) for catalogue in catalogues]
    skipped = too_young(newest, backup, job.max_age)
    chain = () if skipped or kind == "base" else _parents(world, server, facts, job, catalogues)
    last = newest_like(catalogues[0], backup) if catalogues else None
    self_contained = not archived if job.self_contained is None else job.self_contained
    if not self_contained and not archived:
        raise ConfigError("self_contained is false, and the cluster's WAL is not archived", code="base.no_wal",
                          hint="Set up `wal` for the cluster, or leave self_contained out.")
    if archived == "push" and not self_contained and facts.get("archive_mode") == "off" and not server.in_recovery:
        raise ConfigError("archive_mode is off on the server, so the WAL of this backup would never be archived",
                          hint="Run `ALTER SYSTEM SET archive_mode = on`, restart the server, and see that "
                               "`restorable wal-ship` runs; docs/wal.md shows how.", code="base.archive_mode")
    if archived == "stream" and not self_contained and not skipped and not server.in_recovery:
        _require_stream(world, facts)
    if not skipped:
        check_room(world, last.size if last else None)
    return BasePlan(
        backup, server, tuple(store.name for store in world.stores), self_contained,
        int(facts.get("wal_segment_size", "16777216")), facts.get("data_checksums") == "on",
        str(chain[-1].id) if chain else "", chain, clock_warnings(catalogues, backup), skipped,
        last.size if last else None)


def _require_stream(world: World, facts: Mapping[str, str]) -> None:
    """Raise what says that nobody receives the WAL that the backup is going to wait for."""
    slot, state = facts.get("wal_slot", ""), facts.get("wal_slot_state")
    if state == "missing":
        raise ConfigError(f"the server has no physical replication slot {slot!r}, so the WAL of this backup would "
                          "never be archived", code="base.no_slot",
                          hint="Make it with restorable.postgres.pg_wal_archive, or run `SELECT "
                               f"pg_create_physical_replication_slot('{slot}', true)` there. {start_stream(world)}")
    if state == "idle":
        raise Refused(f"nobody streams from replication slot {slot!r}, so the WAL of this backup would not be archived",
                      code="base.no_stream", hint=start_stream(world))


def start_stream(world: World) -> str:
    """Say how the stream of a cluster's WAL is started, and how a base backup goes without it."""
    return (f"Start the stream: `systemctl start restorable-wal-{world.cluster}`, in a compose stack `docker compose "
            f"--profile backup up -d wal`, by hand `restorable wal-stream --cluster {world.cluster}`; its words say "
            "what hinders it. Or take a backup that brings its WAL itself, with `self_contained: true`.")


def _newest(catalogue: Catalogue) -> Backup | None:
    return next((each for each in reversed(catalogue.committed()) if each.id.kind in PHYSICAL), None)


def _parents(world: World, server: Server, facts: Mapping[str, str], job: BaseJob,
             catalogues: list[Catalogue]) -> tuple[Manifest, ...]:
    """Return the chain that an incremental stands on: whole in every repository, of this very server."""
    if server.major < INCREMENTAL_SINCE:
        raise ConfigError(f"server version {server.version} takes no incremental base backups", code="base.incremental",
                          hint=f"They came with PostgreSQL {INCREMENTAL_SINCE}; take full ones.")
    if facts.get("summarize_wal") != "on":
        raise ConfigError("summarize_wal is off, which incremental base backups need", code="base.no_summaries",
                          hint="Run `ALTER SYSTEM SET summarize_wal = on` and `SELECT pg_reload_conf()`, then take a "
                               "full base.")
    wanted = _wanted(catalogues, job.parent)
    chains = []
    for store, catalogue in zip(world.stores, catalogues):
        try:
            chains.append(read_chain(world, store, wanted, catalogue))
        except RestorableError as error:
            # where any repository is enough, one that lacks the parents goes without this one, too
            if not (isinstance(store, Expendable) and store.give_up(error)):
                raise
    for manifest in chains[0]:
        if manifest.server.get("system_identifier") != server.system_identifier:
            raise Refused(f"backup {manifest.id} is of another server than the one that runs now",
                          code="base.other_server",
                          hint="Take a full base of this server with `restorable backup --kind base`.")
    return chains[0]


def _wanted(catalogues: list[Catalogue], wish: str) -> BackupId:
    if wish not in ("", "latest"):
        return catalogues[0].get(wish).id
    newest = max((each for each in map(_newest, catalogues) if each), key=lambda each: each.id, default=None)
    if newest is None:
        raise Refused("there is no base backup to stand on", code="base.no_parent",
                      hint="Take a full one first with `restorable backup --kind base`.")
    return newest.id


def parent_files(world: World, plan: BasePlan) -> Iterable[bytes]:
    """Yield the parent's list of files, from the first repository that gives it whole; nothing for a full base."""
    if not plan.chain:
        return ()
    parent = plan.chain[-1]
    item = parent.find("file_list")
    if item is None:
        raise Refused(f"backup {parent.id} has no list of files", code="base.chain_broken",
                      hint="Take a full base with `restorable backup --kind base`.")
    trouble: RestorableError | None = None
    for store in world.stores:
        try:
            return [b"".join(read_item(world, store, parent, item))]
        except RestorableError as error:
            trouble = trouble or error
    raise trouble or Refused("no repository is set", hint="Name one.", code="repository.none")
