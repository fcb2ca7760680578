# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Bring a repository level that was away while another one was enough: copy the WAL that it lacks, byte by byte.

PostgreSQL has recycled those segments long since, so they come from the other repositories.
"""
from __future__ import annotations

import hashlib
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Callable, Iterable, Iterator

from ..errors import Damaged, Refused, RestorableError
from ..model.naming import cluster_key
from ..model.wal_catalogue import WalCatalogue
from ..model.wal_naming import StoredWal, binding_prefix, parse_binding_key, stored_wal, wal_prefix
from ..model.wal_retention import WalKeep
from ..model.wal_sealing import valid
from ..ports import Store
from ..stream.stage import owned
from .objects import expect
from .preflight import bound_identifier
from .prune_wal import keep_wal_of
from .wal_binding import bind_wal
from .wal_reading import SEALED, plain_wal, read_wal_catalogue
from .world import World, read_catalogue

HELD = 16 * 1024 * 1024            # stored bytes of a file up to which it is fetched once


@dataclass(frozen=True)
class Level:
    """What a repository got."""

    copied: int
    error: RestorableError | None = None               # why it is not level; what came before it has come
    damaged: tuple[str, ...] = ()                      # files whose only copies are not what was archived


def bring_level(world: World, target: Store, window: timedelta | None,
                stopped: Callable[[], bool] = lambda: False) -> Level:
    """Copy what a repository lacks of the others' WAL and its own retention would keep; oldest first.

    A file is opened and compared with its digest on its way where this host can open it, so that damage does not
    spread. One that is damaged is passed over, and looked for in the next repository.
    """
    row = _Row()
    for source in (each for each in world.stores if each is not target):
        try:
            _copy(world, source, target, window, stopped, row)
        except RestorableError as error:
            row.error = row.error or error
    return Level(row.copied, row.error, tuple(sorted(row.damaged)))


@dataclass
class _Row:
    copied: int = 0
    error: RestorableError | None = None
    damaged: set[str] = field(default_factory=set)


def _copy(world: World, source: Store, target: Store, window: timedelta | None, stopped: Callable[[], bool],
          row: _Row) -> None:
    _bind_like(world, source, target)
    keep = keep_wal_of(world, target, read_catalogue(target, world.cluster), (), window, world.clock.now())
    held = _Held(read_wal_catalogue(world, target))
    for stored in _lacking(keep, held, _listed(world, source)):
        if stopped():
            return
        try:
            target.put(stored.key, checked_wal(world, source, stored))
        except Damaged:
            row.damaged.add(stored.name)
            continue
        except Refused as error:
            if error.code != "store.exists":
                raise
            continue                   # it was on its way while we were listing
        row.damaged.discard(stored.name)
        row.copied += 1


def _bind_like(world: World, source: Store, target: Store) -> None:
    """Bind an empty repository to the server of the other one; raise Refused if it is bound to another server."""
    key = cluster_key(world.cluster)
    for entry in source.list(binding_prefix(world.cluster)):
        size = parse_binding_key(entry.key)
        if size:
            bind_wal(target, world.cluster, bound_identifier(source, key), size)


def _listed(world: World, store: Store) -> Iterator[StoredWal]:
    return valid(stored_wal((entry.key, entry.size) for entry in store.list(wal_prefix(world.cluster))))


def _lacking(keep: WalKeep | None, held: _Held, listing: Iterable[StoredWal]) -> Iterator[StoredWal]:
    wanted = listing if keep is None else (each for each, _timeline, reason in keep.judged(listing) if reason)
    return (each for each in wanted if each not in held)


def checked_wal(world: World, source: Store, stored: StoredWal) -> Iterable[bytes]:
    """Return a file's stored bytes once they are known to be what was archived; a sealed one unopened without a key."""
    closed = stored.suffix.endswith(SEALED) and not world.keys.openable
    if closed:
        return source.get(stored.key)
    if stored.size > HELD:
        seen = hashlib.sha256()
        for _chunk in plain_wal(world, source, stored, _digesting(source.get(stored.key), seen)):
            continue
        again = expect(stored.size, seen.hexdigest(), f"{source.name}:{stored.key} as it was read before")
        return again(source.get(stored.key))
    chunks = list(source.get(stored.key))
    for _chunk in plain_wal(world, source, stored, chunks):
        continue
    return chunks


def _digesting(chunks: Iterable[bytes], digest: hashlib._Hash) -> Iterator[bytes]:
    with owned(chunks) as source:
        for chunk in source:
            digest.update(chunk)
            yield chunk


class _Held:
    """Says quickly what a repository holds."""

    def __init__(self, catalogue: WalCatalogue) -> None:
        self._size = catalogue.segment_size
        self._firsts: dict[int, list[int]] = {}
        self._lasts: dict[int, list[int]] = {}
        for each in catalogue.intervals:
            self._firsts.setdefault(each.timeline, []).append(each.first)
            self._lasts.setdefault(each.timeline, []).append(each.last)
        self._others = {each.name for each in (*catalogue.histories, *catalogue.partials, *catalogue.backups)}

    def __contains__(self, stored: StoredWal) -> bool:
        file = stored.file
        if file.kind != "segment":
            return stored.name in self._others
        number = file.segment(self._size).number
        place = bisect_right(self._firsts.get(file.timeline, []), number) - 1
        return place >= 0 and number <= self._lasts[file.timeline][place]
