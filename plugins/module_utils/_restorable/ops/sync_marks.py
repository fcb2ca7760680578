# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Copy what belongs to a cluster beside its sets: the binding to its server, holds, evidence of drills, and WAL.

Journals and records of prunes tell what was done to one repository, and stay there.
"""
from __future__ import annotations

from typing import Iterator, Sequence

from ..model.naming import cluster_key, drill_prefix, hold_prefix, parse_drill_key
from ..model.wal_naming import wal_prefix
from ..ports import Entry, Store
from .objects import counted
from .world import World

_BEST = {"passed": 0, "failed": 1, "incomplete": 2}


def copy_marks(world: World, target: Store, sources: Sequence[Store], *, dry_run: bool) -> int:
    """Copy what the target lacks; return how many objects that were, or in a dry run would be."""
    count = 0
    here = {entry.key: entry.size for entry in _marks(world, target)}
    drills = {found[:2] for key in here for found in [parse_drill_key(key)] if found}
    for source, entry in _wanted(world, sources):
        drill = parse_drill_key(entry.key)
        if entry.key in here or (drill and drill[:2] in drills):
            continue
        if not dry_run:
            target.put(entry.key, counted(source.get(entry.key), world.progress))
        here[entry.key] = entry.size
        if drill:
            drills.add(drill[:2])
        count += 1
    return count


def _wanted(world: World, sources: Sequence[Store]) -> Iterator[tuple[Store, Entry]]:
    """Yield every such object of the sources; of evidence on several copies, that of a good copy first."""
    found = [(source, entry) for source in sources for entry in _marks(world, source)]
    yield from sorted(found, key=lambda pair: _rank(pair[1].key))


def _rank(key: str) -> int:
    drill = parse_drill_key(key)
    return _BEST[drill[2]] if drill else 0


def _marks(world: World, store: Store) -> Iterator[Entry]:
    key = cluster_key(world.cluster)
    yield from (entry for entry in store.list(key) if entry.key == key)
    for prefix in (hold_prefix(world.cluster), drill_prefix(world.cluster), wal_prefix(world.cluster)):
        yield from store.list(prefix)
