# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Copy the WAL that a repository lacks from the others, each file opened and compared with its digest on its way.

A damaged file is looked for in the next repository, and told by its name if there is no good copy. What is sealed for
a key that is not here passes unopened, with a whole header, and is counted. But it takes nobody's place: an older form
that the target has is never deleted for one that nobody opened. What the target's next prune would delete stays away.

All listings are read side by side, so that a million files take no more memory than a few.
"""
from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from heapq import merge
from itertools import groupby
from typing import Collection, Iterable, Iterator, Sequence

from ..errors import ConfigError, Damaged, NotFound
from ..model.naming import BackupId
from ..model.pick import PHYSICAL
from ..model.wal_naming import StoredWal, stored_wal, wal_file_prefix, wal_prefix
from ..model.wal_retention import WalKeep
from ..model.wal_sealing import generation_of, generations, valid
from ..ports import Store
from ..stream.stage import close, owned
from .objects import put_copy
from .prune_wal import keep_wal_of
from .rekey_wal import retire_wal
from .wal_level import checked_wal
from .wal_reading import SEALED
from .world import World, read_catalogue


@dataclass
class CopiedWal:
    """What a repository got, or would get."""

    count: int = 0
    damaged: list[str] = field(default_factory=list)       # files of which no good copy was found, and why
    conflicts: list[str] = field(default_factory=list)     # names that have another content in the target
    unopened: int = 0              # files that came as they are, since no identity here opens them
    left: int = 0                  # files with new keys that did not come, since nobody here can compare them


def copy_wal(world: World, target: Store, sources: Sequence[Store], window: timedelta | None, *,
             dry_run: bool, coming: Collection[BackupId] = ()) -> CopiedWal:
    """Copy what the target lacks, and what a rekey gave new keys elsewhere only.

    window is how far back recovery to any moment must reach. coming are the base backups that a dry run would bring.
    """
    done = CopiedWal()
    stores = (target, *sources)
    # in a dry run the base backups that come are not there yet, so they are read where they lie
    keeps = _keeps(world, target, sources if dry_run else (), coming, window)
    every = merge(*(_listed(world, place, store) for place, store in enumerate(stores)), key=lambda pair: pair[1].key)
    for _name, forms in groupby(every, key=lambda pair: pair[1].name):
        held = None
        bad = ""
        for place, stored in sorted(forms, key=lambda pair: pair[0]):
            if place == 0:
                held = held or stored
            elif held is not None and held.digest != stored.digest:
                done.conflicts.append(stored.key)
            elif held is not None and generation_of(held) >= generation_of(stored):
                continue
            elif held is not None or _is_kept(keeps, stored):
                if not dry_run:
                    wrong = _copy(world, stores[place], target, stored, done, instead=held is not None)
                    if wrong is not None:
                        bad = wrong or bad
                        continue
                    if held is not None:
                        _retire(world, target, stored)
                held, bad = stored, ""
                done.count += 1
        done.damaged += [bad] if bad else []
    return done


def _listed(world: World, place: int, store: Store) -> Iterator[tuple[int, StoredWal]]:
    return ((place, stored) for stored in valid(_stored(store, wal_prefix(world.cluster))))


def _stored(store: Store, prefix: str) -> Iterator[StoredWal]:
    return stored_wal((entry.key, entry.size) for entry in store.list(prefix))


def _keeps(world: World, target: Store, sources: Sequence[Store], coming: Collection[BackupId],
           window: timedelta | None) -> list[WalKeep]:
    now = world.clock.now()
    own = read_catalogue(target, world.cluster)
    found = []
    if not coming or any(each.id.kind in PHYSICAL for each in own.committed()):
        found.append(keep_wal_of(world, target, own, (), window, now))
    for source in sources if coming else ():
        catalogue = read_catalogue(source, world.cluster)
        others = {each.id for each in catalogue.committed()} - set(coming)
        found.append(keep_wal_of(world, source, catalogue, others, window, now))
    return [keep for keep in found if keep is not None]


def _is_kept(keeps: Sequence[WalKeep], stored: StoredWal) -> bool:
    return not keeps or any(reason for keep in keeps for _stored, _timeline, reason in keep.judged([stored]))


def _copy(world: World, source: Store, target: Store, stored: StoredWal, done: CopiedWal, *,
          instead: bool) -> str | None:
    """Copy one file; return None if it came, else what is wrong with this copy, or "".

    instead says that the target has an older form of it, which goes afterwards.
    """
    try:
        chunks, closed = _checked(world, source, stored)
    except (Damaged, NotFound) as error:
        return f"{source.name}:{stored.key}: {error.message}"
    if closed and instead:
        done.left += 1
        close(chunks)
        return ""
    put_copy(target, stored.key, chunks, source)
    done.unopened += closed
    return None


def _checked(world: World, source: Store, stored: StoredWal) -> tuple[Iterable[bytes], bool]:
    """Return a file's stored bytes, and whether they could not be opened."""
    closed = stored.suffix.endswith(SEALED) and not world.keys.openable
    if not closed:
        try:
            return checked_wal(world, source, stored), False
        except ConfigError as error:
            if error.code.startswith("store."):
                raise
    passing = iter(world.keys.unopened()(source.get(stored.key)))
    return _after(next(passing, b""), passing), True       # by the first bytes its header was found whole


def _after(first: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    with owned(chunks) as source:
        yield first
        yield from source


def _retire(world: World, target: Store, stored: StoredWal) -> None:
    """Delete the forms that a rekeyed file takes the place of, if nothing keeps them; a rekey does it otherwise."""
    for forms in generations(_stored(target, wal_file_prefix(world.cluster, stored.name))):
        retire_wal(world, target, forms[1:])
