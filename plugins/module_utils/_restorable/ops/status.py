# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Tell what every repository holds and how the last backup, prune and drill went."""
from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Mapping, Sequence

from ..errors import Damaged, RestorableError
from ..model.catalogue import Backup, Catalogue
from ..model.health import Health, judge
from ..model.manifest import Manifest
from ..model.naming import BackupId, drill_key, drill_prefix, parse_drill_key
from ..model.pick import PHYSICAL
from ..model.recovery import Window
from ..model.settings import ClusterSettings
from ..model.wal_watch import with_gaps, with_shipper
from ..ports import Store
from .copies import Shelf
from .findings import manifest_is_damaged
from .lacking import lacking, parents_of, policies_of
from .windows import recoverable
from .world import World, read_catalogue, read_manifest


@dataclass(frozen=True)
class RepositoryStatus:
    """One repository of one cluster; error is set where it could not be read, and then the catalogue is empty."""

    name: str
    catalogue: Catalogue
    error: str = ""
    free: int | None = None
    windows: tuple[Window, ...] = ()   # of base backups
    keys: Mapping[BackupId, tuple[str, ...]] = field(default_factory=dict)     # of sealed sets, if asked for
    missing: tuple[str, ...] = ()  # sets of the other repositories that its own retention would keep, newest first


@dataclass(frozen=True)
class ClusterStatus:
    """One cluster over all of its repositories."""

    cluster: str
    repositories: tuple[RepositoryStatus, ...]
    health: Health
    last_drill: datetime | None = None
    now: datetime | None = None
    last_evidence: str = ""        # of the last drill: repository:key


def list_backups(world: World, settings: ClusterSettings | None = None, *,
                 keys: bool = False) -> list[RepositoryStatus]:
    """Return every repository's catalogue; one that cannot be read is told, and raised only if none can.

    With the cluster's settings it is also told which sets a repository lacks. keys reads the manifest of every sealed
    set too, and tells for which keys it is sealed.
    """
    rows, errors = [], []
    for store in world.sources():
        try:
            row = _read(world, store)
            rows.append(_with_keys(world, store, row) if keys else row)
        except RestorableError as error:
            rows.append(RepositoryStatus(store.name, Catalogue(world.cluster, ()), error.message))
            errors.append(error)
    if errors and len(errors) == len(rows):
        raise errors[0]
    return rows if settings is None else _with_missing(world, settings, rows)


def _with_missing(world: World, settings: ClusterSettings, rows: Sequence[RepositoryStatus]) -> list[RepositoryStatus]:
    readable = [row for row in rows if not row.error]
    if len(readable) < 2:
        return list(rows)
    stores = {store.name: store for store in world.sources()}
    holders = [(stores[row.name], row.catalogue) for row in readable]
    found = []
    for row in rows:
        others = [each.catalogue for each in readable if each is not row]
        lacks = () if row.error else lacking(row.catalogue, others, policies_of(world, settings, row.name),
                                             world.clock.now(), lambda: parents_of(world, holders))
        found.append(replace(row, missing=tuple(str(each.id) for each in lacks)))
    return found


def _with_keys(world: World, store: Store, row: RepositoryStatus) -> RepositoryStatus:
    sealed = [each.id for each in row.catalogue.committed() if each.sealed]
    return replace(row, keys={each: _keys_of(world, store, each) for each in sealed})


def _keys_of(world: World, store: Store, backup: BackupId) -> tuple[str, ...]:
    try:
        return read_manifest(store, world.cluster, backup).key_ids()
    except Damaged:
        return ("the manifest cannot be read",)        # which verify and drills report; a listing goes on


def status(world: World, settings: ClusterSettings, *, any_selection: bool = False,
           shipper: Mapping[str, Any] | None = None, waiting: Mapping[str, Any] | None = None) -> ClusterStatus:
    """Return the state of one cluster; an unreachable repository is told, not raised.

    shipper is what the shipper of its WAL last said of itself, waiting what waits for it, where that can be read.
    any_selection judges the newest set whatever it selects, for a caller who does not know the job.
    """
    rows = tuple(_with_missing(world, settings, [_repository(world, store) for store in world.sources()]))
    now = world.clock.now()
    drills = {each.drilled: f"{row.name}:{drill_key(world.cluster, each.drilled, each.id, each.verdict)}"
              for row in reversed(rows) for each in (*row.catalogue.backups, *row.catalogue.gone) if each.drilled}
    last = max(drills, default=None)
    unreadable = [f"{row.name}: {row.error.removeprefix(f'repository {row.name}: ')}" for row in rows if row.error]
    health = judge([row.catalogue for row in rows if not row.error], unreadable, settings, now,
                   any_selection=any_selection, missing={row.name: len(row.missing) for row in rows if row.missing})
    health = with_gaps(with_shipper(health, shipper or {}, now, waiting), {row.name: row.windows for row in rows})
    return ClusterStatus(world.cluster, rows, health, last, now, drills[last] if last else "")


def _repository(world: World, store: Store) -> RepositoryStatus:
    try:
        return _with_manifests(world, store, _read(world, store))
    except RestorableError as error:
        return RepositoryStatus(store.name, Catalogue(world.cluster, ()), error.message)


def _with_manifests(world: World, store: Store, row: RepositoryStatus) -> RepositoryStatus:
    """Show the newest set of each job as damaged whose manifest cannot be read: nothing could be restored from it."""
    newest = {(each.id.kind in PHYSICAL, each.id.label): each.id for each in row.catalogue.committed()
              if each.id.kind != "adopted"}
    bad = [each for each in newest.values() if manifest_is_damaged(world, store, each)]
    backups = tuple(replace(each, damaged=each.damaged or world.clock.now()) if each.id in bad else each
                    for each in row.catalogue.backups)
    return replace(row, catalogue=replace(row.catalogue, backups=backups))


def _read(world: World, store: Store) -> RepositoryStatus:
    store.check(write=False)
    catalogue = read_catalogue(store, world.cluster)
    return RepositoryStatus(store.name, catalogue, free=store.free_bytes(), windows=_windows(world, store, catalogue))


def _windows(world: World, store: Store, catalogue: Catalogue) -> tuple[Window, ...]:
    """Return what can be recovered from base backups; trouble there is drills' and verify's to tell."""
    if not any(each.id.kind in PHYSICAL for each in catalogue.committed()):
        return ()
    try:
        return recoverable(world, store).windows
    except RestorableError:
        return ()


def show(world: World, wish: str) -> tuple[str, Backup, Manifest, list[dict[str, Any]]]:
    """Return (repository, backup, manifest, drills of it, newest first) of one set, from the first that tells them."""
    shelf = Shelf.read(world)
    chosen = shelf.find(lambda catalogue: catalogue.get(wish)).id
    errors: list[RestorableError] = []
    for store, backup in shelf.holding(chosen):
        try:
            return store.name, backup, read_manifest(store, world.cluster, backup.id), _drills(world, store, backup)
        except RestorableError as error:
            errors.append(error)       # another repository may have a whole manifest
    raise errors[0]


def _drills(world: World, store: Store, backup: Backup) -> list[dict[str, Any]]:
    found = [(parsed[0], entry.key) for entry in store.list(drill_prefix(world.cluster))
             for parsed in [parse_drill_key(entry.key)] if parsed and parsed[1] == backup.id]
    return [_evidence(store, key) for _when, key in sorted(found, reverse=True)]


def _evidence(store: Store, key: str) -> dict[str, Any]:
    try:
        return dict(json.loads(b"".join(store.get(key))))
    except ValueError as error:
        raise Damaged(f"evidence {store.name}:{key} cannot be read: {error}", code="evidence.damaged",
                      hint="Check the disk, and drill the backup again with `restorable drill`.") from error
