# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Copy the WAL that a repository lacks from the others, each file opened and compared with its digest on its way.

A damaged file is looked for in the next repository, and told by its name if there is no good copy. What is sealed for
a key that is not here passes unopened, with a whole header, and is counted. But it takes nobody's place: an older form
that the target has is never deleted for one that nobody opened.
"""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterable, Iterator, Sequence

from ..errors import ConfigError, Damaged, NotFound
from ..model.wal_naming import StoredWal, stored_wal, wal_file_prefix, wal_prefix
from ..model.wal_sealing import generation_of, generations, valid
from ..ports import Store
from .objects import put_copy
from .rekey_wal import retire_wal
from .wal_level import checked_wal
from .wal_reading import SEALED
from .world import World


@dataclass
class CopiedWal:
    """What a repository got, or would get."""

    count: int = 0
    damaged: list[str] = field(default_factory=list)       # files of which no good copy was found, and why
    conflicts: list[str] = field(default_factory=list)     # names that have another content in the target
    unopened: int = 0              # files that came as they are, since no identity here opens them
    left: int = 0                  # files with new keys that did not come, since nobody here can compare them


def copy_wal(world: World, target: Store, sources: Sequence[Store], *, dry_run: bool) -> CopiedWal:
    """Copy what the target lacks, and what a rekey gave new keys elsewhere only."""
    done, bad = CopiedWal(), dict[str, str]()
    held = {each.name: (each.digest, generation_of(each)) for each in _valid(world, target)}
    for source in sources:
        for stored in _valid(world, source):
            mine = held.get(stored.name)
            if mine is not None and mine[0] != stored.digest:
                done.conflicts.append(stored.key)
                continue
            if mine is not None and mine[1] >= generation_of(stored):
                continue
            if not dry_run and not _copy(world, source, target, stored, done, bad, instead=mine is not None):
                continue
            if mine is not None and not dry_run:
                _retire(world, target, stored)
            bad.pop(stored.name, None)
            held[stored.name] = (stored.digest, generation_of(stored))
            done.count += 1
    done.damaged += bad.values()
    return done


def _valid(world: World, store: Store) -> Iterator[StoredWal]:
    return valid(_stored(store, wal_prefix(world.cluster)))


def _stored(store: Store, prefix: str) -> Iterator[StoredWal]:
    return stored_wal((entry.key, entry.size) for entry in store.list(prefix))


def _copy(world: World, source: Store, target: Store, stored: StoredWal, done: CopiedWal, bad: dict[str, str], *,
          instead: bool) -> bool:
    """Copy one file; say whether it came, and keep what is wrong with this copy.

    instead says that the target has an older form of it, which goes afterwards.
    """
    try:
        chunks, closed = _checked(world, source, stored)
    except (Damaged, NotFound) as error:
        bad[stored.name] = f"{source.name}:{stored.key}: {error.message}"
        return False
    if closed and instead:
        done.left += 1
        return False
    put_copy(target, stored.key, chunks, source)
    done.unopened += closed
    return True


def _checked(world: World, source: Store, stored: StoredWal) -> tuple[Iterable[bytes], bool]:
    """Return a file's stored bytes, and whether they could not be opened."""
    closed = stored.suffix.endswith(SEALED) and not world.keys.openable
    if not closed:
        try:
            return checked_wal(world, source, stored), False
        except ConfigError as error:
            if error.code.startswith("store."):
                raise
    return list(world.keys.unopened()(source.get(stored.key))), True


def _retire(world: World, target: Store, stored: StoredWal) -> None:
    """Delete the forms that a rekeyed file takes the place of, if nothing keeps them; a rekey does it otherwise."""
    for forms in generations(_stored(target, wal_file_prefix(world.cluster, stored.name))):
        retire_wal(world, target, forms[1:])
