# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Dump one database into every repository at once, with its fingerprint beside it."""
from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Iterable

from ..errors import Damaged, ToolFailed, Unavailable
from ..model.agekeys import SUFFIX as SEALED_SUFFIX
from ..model.encoding import ESCAPED
from ..model.fingerprint import Fingerprint
from ..model.manifest import DatabaseReport, Item
from ..model.naming import BackupId, escape, object_key
from ..model.server import Database, DumpOptions, SharedNames
from ..model.settings import DumpJob
from ..stream.beside import Beside
from ..stream.compress import compressor
from ..stream.tally import Tally
from ..stream.tee import put_everywhere
from .dump_ports import Cluster, DumpSession
from .objects import counted
from .protect import delete_unless_retained
from .rungs import require_data_entries
from .world import World

SUFFIX = {"zstd": ".zst", "gzip": ".gz", "none": ""}
STEM = {"custom": ".dump", "directory": ".dir.tar", "plain": ".sql"}

ATTEMPTS = 5
# A change that waits for our locks and that we would wait for, or that dropped what only our snapshot shows.
MOVING = ("dump.lock_timeout", "dump.moving", "fingerprint.moving")


@dataclass(frozen=True)
class DumpedDatabase:
    """One database's objects in the set and what is told of it."""

    items: tuple[Item, ...]
    report: DatabaseReport
    named: SharedNames = SharedNames()
    not_covered: tuple[str, ...] = ()


def dump_database(world: World, cluster: Cluster, job: DumpJob, backup: BackupId, database: Database,
                  expected: int | None) -> DumpedDatabase:
    """Dump one database in its own snapshot; raise on any doubt, leaving cleaning up to the caller.

    A source that drops what is just being read is met with a new snapshot, for as long as a lock may be waited for:
    such failures come at the beginning. Nothing is repeated that has run for longer.
    """
    until = world.clock.elapsed() + job.options.lock_timeout
    for _attempt in range(ATTEMPTS - 1):
        try:
            return _dump_once(world, cluster, job, backup, database, expected)
        except Unavailable as error:
            if error.code not in MOVING or world.clock.elapsed() >= until:
                raise
            forget(world, backup, file_stem(database.name), error)
    return _dump_once(world, cluster, job, backup, database, expected)


def _dump_once(world: World, cluster: Cluster, job: DumpJob, backup: BackupId, database: Database,
               expected: int | None) -> DumpedDatabase:
    began = world.clock.elapsed()
    world.progress.phase(f"lock {database.name}")
    with cluster.session(database.name, job.selection, lock_timeout=job.options.lock_timeout) as session:
        world.progress.phase(f"dump {database.name}", expected)
        dump, found = _dump_with_fingerprint(world, session, job.options, backup, database.name)
        world.progress.phase(f"fingerprint {database.name}")
        found = session.settle(found) if found else None
        begun, lsn, named = session.begun, session.lsn, session.named
    items = (dump, *_store_fingerprint(world, backup, database.name, found))
    report = DatabaseReport(
        database.name, begun.isoformat(), lsn, len(found.tables) if found else 0, found.total_rows if found else None,
        round(world.clock.elapsed() - began, 3), database.encoding, database.collate, database.ctype,
        database.provider, database.locale, database.rules)
    told = tuple(f"database {database.name}: {what}" for what in (found.not_covered if found else ()))
    if job.options.format == "plain":
        told += (f"database {database.name}: its own owner, grants, settings and comment: not in format plain",)
    return DumpedDatabase(items, report, named, told)


def forget(world: World, backup: BackupId, stem: str, error: Unavailable) -> None:
    """Delete what a failed attempt has stored under STEM.…, since objects are never overwritten.

    Raises error again, in more words, where object lock keeps one of them.
    """
    mine = object_key(world.cluster, backup, stem + ".")
    for store in world.stores:
        for entry in list(store.list(mine)):
            if delete_unless_retained(store, entry.key):
                raise Unavailable(f"{error.message}; another attempt in this run cannot be stored, because object lock "
                                  f"keeps {store.name}:{entry.key}", code=error.code,
                                  hint=f"Run the backup again: its name is a new one. {error.hint}".strip()) from error


def store_stream(world: World, backup: BackupId, stem: str, chunks: Iterable[bytes], *, role: str, form: str,
                 options: DumpOptions, database: str = "", digest: bool = True) -> Item:
    """Compress and seal a stream into every repository and return the object that it became.

    Without digest the stream is not digested before that, for one whose stored bytes alone are known to be right.
    """
    plain = Tally(digest=digest)
    name = stem + SUFFIX[options.compression]
    packed = compressor(options.compression, options.level)(plain(counted(chunks, world.progress)))
    sealing = world.keys.sealing()
    if sealing is not None:
        packed, name = sealing(packed), name + SEALED_SUFFIX
    stored = put_everywhere(world.stores, object_key(world.cluster, backup, name), packed)
    sizes = {(each.size, each.sha256) for each in stored}
    if len(sizes) != 1:
        raise Damaged(f"repositories disagree on object {name}: {sorted(sizes)}",
                      hint="Check the disks and run the backup again.", code="store.disagree")
    if not plain.size:
        raise ToolFailed(f"nothing was dumped into {name}", hint="Run pg_dump by hand to see why it prints nothing.",
                         code="dump.empty")
    size, sha256 = sizes.pop()
    return Item(name, role, size, sha256, plain.size, plain.sha256, database, form, options.compression,
                "age" if sealing is not None else "", world.keys.key_ids())


def _dump_with_fingerprint(world: World, session: DumpSession, options: DumpOptions, backup: BackupId,
                           database: str) -> tuple[Item, Fingerprint | None]:
    session.prepare(options.fingerprint)
    with Beside(lambda: session.fingerprint(options.fingerprint)) as beside:
        item = store_stream(world, backup, file_stem(database) + STEM[options.format], session.stream(options),
                            role="dump", form=options.format, options=options, database=database)
        found = beside.result()
    if options.format != "plain":
        require_data_entries(session.contents(), found)
    return item, None if options.fingerprint == "none" else found


def file_stem(database: str) -> str:
    """Return what the names of a database's objects begin with; those of the roles begin with globals."""
    return escape(database) if database != "globals" else "%67lobals"


def _store_fingerprint(world: World, backup: BackupId, database: str, found: Fingerprint | None) -> tuple[Item, ...]:
    if found is None:
        return ()
    body = json.dumps(found.as_dict(), sort_keys=True, ensure_ascii=False, indent=0).encode(errors=ESCAPED)
    name = f"{file_stem(database)}.fingerprint.json"
    return (store_stream(world, backup, name, [body], role="fingerprint", form="", options=DumpOptions(),
                         database=database),)
