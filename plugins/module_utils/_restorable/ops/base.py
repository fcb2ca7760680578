# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Take a base backup: lock, plan, stream every archive into every repository, wait for its WAL, commit."""
from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Iterable, Mapping

from ..errors import Damaged
from ..model.base import FILES, BaseOptions, BaseReport, FileList
from ..model.base_job import BaseJob
from ..model.manifest import Item, Manifest
from ..model.naming import BackupId
from ..model.server import DumpOptions
from ..model.stock_base import base_commands
from ..stream.stage import rechunk
from ..version import VERSION
from .backup import commit
from .base_plan import BasePlan, parent_files, plan_base
from .base_wal import LOOK, Pause, pause, wait_for_wal
from .dumpset import store_stream
from .preflight import bind_cluster
from .reach import reach
from .source import BaseSource, BaseStream
from .sweep import remove_set
from .tidy import sweep_where_allowed
from .witness import unwitnessed, witnessed
from .world import World

CHUNK = 256 * 1024                 # bytes; the server's own messages are small
LOOKS = 15                         # for a stream that is not there; systemd starts it again after five seconds


@dataclass(frozen=True)
class BaseDone:
    """What a base backup did, or would do."""

    plan: BasePlan
    changed: bool
    manifest: Manifest | None = None
    swept: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def back_up_base(world: World, source: BaseSource, job: BaseJob, *, archived: str, dry_run: bool = False,
                 accept_new_server: bool = False, sleep: Pause = pause) -> BaseDone:
    """Take a base backup as job says; archived tells how the cluster's WAL goes into the repositories.

    Everything or nothing: without its WAL, inside or in every repository, there is no backup.
    """
    world.keys.check()
    world, losses = reach(world, write=not dry_run)
    if dry_run:
        plan = _planned(world, source, job, archived, accept_new_server, dry_run=True, sleep=sleep)
        return BaseDone(plan, True, warnings=(*plan.warnings, *losses.warnings(f"backup {plan.id}")))
    with world.lock.hold("base backup"):
        plan = _planned(world, source, job, archived, accept_new_server, dry_run=False, sleep=sleep)
        swept = tuple(sweep_where_allowed(world).names)
        if plan.skipped_because:
            return BaseDone(plan, False, swept=swept)
        try:
            manifest, notices = _take(world, source, job, plan, sleep, streamed=archived == "stream")
        except BaseException as error:
            # an interrupt too must leave nothing half-made behind
            remove_set(world, plan.id, after=error)
            raise
        return BaseDone(plan, True, manifest, swept, (*plan.warnings, *notices, *unwitnessed(manifest),
                                                      *losses.warnings(f"backup {manifest.id}")))


def _planned(world: World, source: BaseSource, job: BaseJob, archived: str, accept: bool, *,
             dry_run: bool, sleep: Pause) -> BasePlan:
    world.progress.phase("plan")
    server, facts = source.server(), source.settings()
    if archived == "stream" and not job.self_contained:
        for _look in range(LOOKS):
            if facts.get("wal_slot_state") != "idle":
                break
            sleep(LOOK)                # its service may start it again at the moment
            facts = source.settings()
    plan = plan_base(world, server, facts, job, archived=archived)
    bind_cluster(world, plan.server, accept=accept, dry_run=dry_run)
    return plan


@dataclass
class _Taken:
    """What has been streamed so far."""

    items: list[Item]
    files: bytes = b""


def _take(world: World, source: BaseSource, job: BaseJob, plan: BasePlan,
          sleep: Pause, *, streamed: bool) -> tuple[Manifest, list[str]]:
    begun = world.clock.now()
    options = replace(job.options, wal=plan.self_contained, label=f"restorable {plan.id}")
    witness = witnessed(world)         # before the backup begins, so that it is in it
    world.progress.phase("checkpoint")
    taken = _Taken([])
    with source.stream(options, parent_files(world, plan)) as stream:
        for name, chunks in stream.archives():
            world.progress.phase(f"base {name}", stream.size if stream.compression == "none" else None)
            _store(world, plan.id, name, chunks, stream, job.options, taken)
        listed = FileList.read(taken.files, f"{FILES} of {plan.id}")
        report = _report(source, plan, stream, listed)
        notices = [f"the server says: {each}" for each in getattr(stream, "notices", [])]
    if not plan.self_contained:
        wait_for_wal(world, plan, report, job.wal_timeout, sleep, streamed=streamed)
    world.progress.phase("commit")
    manifest = Manifest(
        id=plan.id, cluster=world.cluster, begun=begun, ended=world.clock.now(), tool=f"restorable {VERSION}",
        items=tuple(taken.items), server={**_server_facts(plan), **witness}, options=_options(job, options),
        base=report,
        not_covered=_not_covered(plan, report), restore=base_commands(taken.items, report, plan.server.major))
    commit(world, manifest)
    return manifest, notices


def _store(world: World, backup: BackupId, name: str, chunks: Iterable[bytes], stream: BaseStream,
           options: BaseOptions, taken: _Taken) -> None:
    if name == FILES:
        taken.files = b"".join(chunks)
        taken.items.append(_put(world, backup, FILES, [taken.files], "file_list", "json", options))
        return
    role = "base" if name.partition(".")[0] == "base" else "tablespace"
    taken.items.append(_put(world, backup, name, rechunk(chunks, CHUNK), role, "tar", options,
                            packed=stream.compression, size=stream.size))


def _put(world: World, backup: BackupId, name: str, chunks: Iterable[bytes], role: str, form: str,
         options: BaseOptions, *, packed: str = "none", size: int = 0) -> Item:
    """Store one object; what the server has compressed is stored as it comes."""
    method = options.compression if packed == "none" else "none"
    packing = DumpOptions(compression=method, level=options.level if method == "zstd" else None)
    item = store_stream(world, backup, name, chunks, role=role, form=form, options=packing, digest=packed == "none")
    return item if packed == "none" else replace(item, compression=packed, plain_size=size)


def _report(source: BaseSource, plan: BasePlan, stream: BaseStream, listed: FileList) -> BaseReport:
    if listed.incremental != bool(plan.parent):
        raise Damaged(f"{plan.id} {'has' if listed.incremental else 'lacks'} incremental files", code="base.kind",
                      hint="Read the server's log, then take another base backup.")
    databases = tuple(each.name for each in plan.server.databases if each.allows_connections)
    return BaseReport(
        stream.start_lsn, stream.stop_lsn, listed.timeline, source.now().isoformat(), listed.files, listed.size,
        plan.segment_size, plan.checksums, plan.self_contained, plan.parent, tuple(stream.tablespaces), databases,
        listed.left)


def _server_facts(plan: BasePlan) -> dict[str, Any]:
    server = plan.server
    return {"version": server.version, "version_num": server.version_num, "bootstrap_user": server.bootstrap_user,
            "system_identifier": server.system_identifier, "in_recovery": server.in_recovery}


def _options(job: BaseJob, asked: BaseOptions) -> Mapping[str, Any]:
    return {**asdict(asked), "wal_timeout": job.wal_timeout}


def _not_covered(plan: BasePlan, report: BaseReport) -> tuple[str, ...]:
    told = ["configuration files outside the data directory, as Debian's in /etc/postgresql: copy them yourself"]
    if not report.checksums:
        told.append("page checksums: the server has none, so a page that was damaged before is copied as it is")
    if plan.self_contained:
        told.append("moments after the backup's end: it is self-contained, and goes without archived WAL")
    return tuple(told)


def stop_time(report: BaseReport) -> datetime:
    """Return when the backup had ended by the server's clock."""
    return datetime.fromisoformat(report.stop_time)
