# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Bring repositories level: copy the sets that one lacks from another, byte by byte, without opening them.

Each set is copied object by object, checked against the manifest's SHA-256 while it passes, and committed by its
manifest at the end, so an interruption leaves an orphan that the next sync completes. Nothing is ever overwritten.
"""
from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Iterable, Iterator, Sequence

from ..errors import Damaged, NotFound, Refused, RestorableError, Unavailable
from ..model.catalogue import Backup, Catalogue
from ..model.manifest import Manifest
from ..model.naming import BackupId, cluster_key, manifest_generation, manifest_key, object_key, set_prefix
from ..model.pick import PHYSICAL
from ..model.settings import ClusterSettings
from ..ports import Store
from .copies import names_repository
from .evidence import blameless
from .lacking import lacking, parents_of, policies_of
from .objects import counted, digest, expect, put_copy
from .preflight import bound_identifier
from .rekey import retire
from .sync_marks import copy_marks, ended_holds, without_ended
from .sync_wal import copy_wal
from .world import World, manifest_names, read_catalogue, read_manifest


@dataclass
class Synced:
    """What one repository got, or in a dry run would get."""

    repository: str
    sets: list[str] = field(default_factory=list)      # newest first
    size: int = 0                  # bytes of objects that were copied; those that lay there already do not count
    marks: int = 0                 # holds, evidence and WAL
    manifests: list[str] = field(default_factory=list)     # keys of all manifests of these sets
    damaged: list[str] = field(default_factory=list)       # evidence and WAL that was not copied, and why
    error: RestorableError | None = None               # why it is not level now
    conflicts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def sync(world: World, settings: ClusterSettings, *, to: str = "", source: str = "",
         dry_run: bool = False) -> list[Synced]:
    """Copy what each repository, or the one named to, lacks and its retention would keep.

    A repository that cannot be reached or is of another server fails only itself, and is told in its row.
    """
    targets = [_named(world, to)] if to else list(world.stores)
    sources = [_named(world, source)] if source else list(world.stores)
    if to and to == source:
        raise Refused(f"repository {to} is both the source and the target", code="sync.same",
                      hint="Name two repositories.")
    found = []
    for target in targets:
        row = Synced(target.name)
        try:
            _sync_one(world, settings, target, [each for each in sources if each is not target], row, dry_run)
        except RestorableError as error:
            row.error = error
        found.append(row)
    return found


def _named(world: World, name: str) -> Store:
    for store in world.stores:
        if store.name == name:
            return store
    raise NotFound(f"repository {name!r} is none of cluster {world.cluster}", code="repository.unknown",
                   hint=f"Its repositories are: {', '.join(store.name for store in world.stores)}.")


def _sync_one(world: World, settings: ClusterSettings, target: Store, sources: Sequence[Store], row: Synced,
              dry_run: bool) -> None:
    target.check(write=not dry_run)
    readable: list[tuple[Store, Catalogue]] = []
    for each in sources:
        try:
            each.check(write=False)
            readable.append((each, read_catalogue(each, world.cluster)))
        except RestorableError as error:
            row.notes.append(f"repository {each.name} was passed over: {error.message}")
    if not readable:
        raise Unavailable(f"repository {target.name} has no other repository to be brought level with",
                          code="sync.no_source", hint="Name at least two repositories, one of which can be read.")
    _require_one_server(world, target, [store for store, _catalogue in readable])
    ended = ended_holds(world, [target, *(store for store, _catalogue in readable)])
    readable = [(store, without_ended(world, store, catalogue, ended)) for store, catalogue in readable]
    here = without_ended(world, target, read_catalogue(target, world.cluster), ended)
    row.conflicts += _conflicts(world, target, here, readable)
    wanted = lacking(here, [_judged(world, store, catalogue) for store, catalogue in readable],
                     policies_of(world, settings, target.name), world.clock.now(),
                     lambda: parents_of(world, [(target, here), *readable]))
    for backup in (*wanted, *_outrun(here, readable), *_torn(world, target, here, readable)):
        _bring(world, target, backup.id, readable, row, dry_run)
    with nullcontext() if dry_run else world.lock.hold("sync"):
        others = [store for store, _catalogue in readable]
        row.marks = copy_marks(world, target, others, ended, row.damaged, dry_run=dry_run)
        wal = copy_wal(world, target, others, settings.wal_window, dry_run=dry_run,
                       coming=[each.id for each in wanted if each.id.kind in PHYSICAL])
    row.marks += wal.count
    row.damaged += wal.damaged
    row.conflicts += wal.conflicts
    if wal.unopened:
        row.notes.append(f"{wal.unopened} files of WAL came as they are: no identity that is set here opens them")
    if wal.left:
        row.notes.append(f"{wal.left} files of WAL keep their old keys: no identity that is set here opens the others")
    if row.conflicts:
        raise Refused(f"repository {target.name} has other bytes than another one under {row.conflicts[0]}"
                      + (f" and {len(row.conflicts) - 1} more" if row.conflicts[1:] else ""), code="sync.conflict",
                      hint="Nothing was overwritten. Find with `restorable verify` which copy is whole, and remove the "
                           "other one by hand.")
    if row.damaged:
        raise Damaged(f"not copied to repository {target.name}: {row.damaged[0]}"
                      + (f"; and {len(row.damaged) - 1} more" if row.damaged[1:] else ""), code="sync.damaged",
                      hint="Evidence that was changed is told by `restorable audit`; after damaged WAL take a new base "
                           "backup; of a release of a hold find out who wrote it. Nothing was removed.")


def _judged(world: World, store: Store, catalogue: Catalogue) -> Catalogue:
    """Return a catalogue in which no set is bad by a drill that found no fault in it, such as a lost key."""
    return replace(catalogue, backups=tuple(
        replace(each, verdict="") if each.verdict == "failed" and blameless(store, world.cluster, each) else each
        for each in catalogue.backups))


def _outrun(here: Catalogue, readable: Sequence[tuple[Store, Catalogue]]) -> list[Backup]:
    """Return the target's sets that were given new keys elsewhere only, by a rekey that was stopped or missed it."""
    return [mine for mine in here.committed()
            if any(_generation(other) > _generation(mine) for _store, other in _copies(mine.id, readable))]


def _torn(world: World, target: Store, here: Catalogue,
          readable: Sequence[tuple[Store, Catalogue]]) -> Iterator[Backup]:
    """Yield the target's sets that lack an object of their manifest which another repository has."""
    for mine in here.committed():
        more = {name for _store, other in _copies(mine.id, readable) if _generation(other) == _generation(mine)
                for name in set(other.objects) - set(mine.objects)}
        try:
            wanted = {item.name for item in read_manifest(target, world.cluster, mine.id).items} if more else set()
        except Damaged:
            continue                   # other bytes than elsewhere: a conflict
        if wanted & more:
            yield mine


def _copies(backup: BackupId, readable: Iterable[tuple[Store, Catalogue]]) -> list[tuple[Store, Backup]]:
    return [(store, each) for store, catalogue in readable for each in catalogue.committed() if each.id == backup]


def _generation(backup: Backup) -> int:
    return max(manifest_generation(name) or 0 for name in backup.objects)


def _bring(world: World, target: Store, wanted: BackupId, readable: Sequence[tuple[Store, Catalogue]], row: Synced,
           dry_run: bool) -> None:
    """Copy one set as its last rekey left it, from the first repository whose copy is whole."""
    copies = _copies(wanted, readable)
    last = max(_generation(each) for _store, each in copies)
    holders = [store for store, each in copies if _generation(each) == last]
    backup = next(each for _store, each in copies if _generation(each) == last)
    if dry_run:
        row.sets.append(str(backup.id))
        row.size += backup.size
        return
    error: RestorableError | None = None
    for source in holders:
        try:
            # a lock for each set: a backup that is due begins between two of them
            with world.lock.hold("sync"):
                row.size += copy_set(world, source, target, backup.id, row.conflicts)
                row.notes += retire(world, target, backup.id)
            row.manifests += [object_key(world.cluster, backup.id, each)
                              for each in manifest_names(target, world.cluster, backup.id)]
            row.sets.append(str(backup.id))
            return
        except (Damaged, NotFound, Unavailable) as reason:
            if not names_repository(reason, source, world.cluster):
                raise
            row.notes.append(f"backup {backup.id} of {source.name} was passed over: {reason.message}")
            error = reason
    if error is not None:
        raise error


def copy_set(world: World, source: Store, target: Store, backup: BackupId, conflicts: list[str]) -> int:
    """Copy a set's objects and then its manifest; return the bytes that were copied."""
    names = manifest_names(source, world.cluster, backup)
    manifest = read_manifest(source, world.cluster, backup)
    world.progress.phase(f"copy {backup} to {target.name}", manifest.size)
    manifests = {object_key(world.cluster, backup, name): b"".join(source.get(object_key(world.cluster, backup, name)))
                 for name in names}
    sizes = {entry.key: entry.size for entry in target.list(set_prefix(world.cluster, backup))}
    copied, before = 0, len(conflicts)
    for item in manifest.items:
        key = object_key(world.cluster, backup, item.name)
        if key in sizes:
            # of a sync or a prune that was interrupted
            if sizes[key] != item.size or digest(target, key) != item.sha256:
                conflicts.append(key)
            continue
        stage = expect(item.size, item.sha256, f"object {source.name}:{key} as stored")
        if put_copy(target, key, stage(counted(source.get(key), world.progress)), source):
            copied += item.size
    if len(conflicts) > before:
        raise Refused(f"repository {target.name} holds another {conflicts[-1]} than the manifest describes",
                      code="sync.conflict", hint="It is of no committed set; remove it by hand, then run this again.")
    _require_objects(world, target, manifest)
    # the first one commits the set, so it comes after those of new keys
    for key in sorted(manifests, key=lambda each: each == manifest_key(world.cluster, backup)):
        if key not in sizes and put_copy(target, key, [manifests[key]], source):
            copied += len(manifests[key])
    return copied


def _require_objects(world: World, target: Store, manifest: Manifest) -> None:
    """Raise Unavailable unless the target still lists every object: another host may have swept them as left over."""
    there = {entry.key: entry.size for entry in target.list(set_prefix(world.cluster, manifest.id))}
    for item in manifest.items:
        key = object_key(world.cluster, manifest.id, item.name)
        if there.get(key) != item.size:
            raise Unavailable(f"object {key} is gone from repository {target.name} before its set was committed",
                              code="sync.object_gone",
                              hint="Another host that writes there took it for left over; run this again when it is "
                                   "done, or give both hosts the same state_dir.")


def _conflicts(world: World, target: Store, here: Catalogue,
               readable: Iterable[tuple[Store, Catalogue]]) -> list[str]:
    """Return the manifests of sets that both have and that are not the same bytes.

    The one that commits a set never changes; of sets that were given new keys in one place, only that one is common.
    """
    found = set()
    own = {each.id: each for each in here.committed()}
    for source, catalogue in readable:
        for other in catalogue.committed():
            mine = own.get(other.id)
            if mine is None:
                continue
            key = manifest_key(world.cluster, other.id)
            if b"".join(target.get(key)) != b"".join(source.get(key)):
                found.add(key)
    return sorted(found)


def _require_one_server(world: World, target: Store, sources: Iterable[Store]) -> None:
    """Raise Refused unless every repository is bound to the same server, or to none."""
    mine = _bound(world, target)
    for source in sources:
        theirs = _bound(world, source)
        if mine and theirs and mine != theirs:
            raise Refused(f"repository {target.name} holds cluster {world.cluster} of the server with system "
                          f"identifier {mine}, repository {source.name} of {theirs}", code="repository.other_server",
                          hint="Give the two servers cluster names of their own.")


def _bound(world: World, store: Store) -> str:
    key = cluster_key(world.cluster)
    try:
        return bound_identifier(store, key)
    except NotFound:
        return ""
