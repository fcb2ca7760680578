# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Tell a hole in the archive from its end: what came after an absent file proves that it existed.

Recovery asks for a segment on the youngest timeline that had begun there, then on its ancestors, and for history files
one number after the other until one is absent (xlogrecovery.c, XLogFileReadAnyTLI; timeline.c, findNewestTimeLine).
So a segment just before a switch is asked for on the parent alone, which may have nothing behind it, and a history file
that is absent hides every younger timeline.
"""
from __future__ import annotations

from typing import Iterator

from ..errors import Damaged
from ..model.wal import SIZE, WalFile, history_name
from ..model.wal_naming import StoredWal, binding_prefix, parse_binding_key, parse_wal_key, timeline_prefix
from ..ports import Store
from .wal_histories import NEAR, archived_lineage, younger_lineages
from .world import World


def refuse_a_hole(world: World, name: str) -> None:
    """Raise Damaged if a repository holds what can only come after an absent file; else it is the end."""
    file = WalFile.parse(name)
    for store in world.stores:
        if file.kind == "segment":
            _refuse_a_gap(world, store, file)
        elif file.kind == "history":
            _refuse_a_lost_history(world, store, file.timeline)


def segment_size(store: Store, cluster: str) -> int:
    """Return the length of a cluster's segments by what its WAL in the repository is bound to."""
    sizes = [parse_binding_key(entry.key) for entry in store.list(binding_prefix(cluster))]
    return next((size for size in sizes if size), SIZE)


def _refuse_a_gap(world: World, store: Store, file: WalFile) -> None:
    segment = file.segment(segment_size(store, world.cluster))
    own = archived_lineage(world, store, file.timeline)
    if own is not None and segment.end <= own.begin:
        return                         # the timeline had not begun there: its parent is asked next
    later = later_segment(store, world.cluster, file.name)
    if later is not None:
        raise _gap(file.name, f"repository {store.name} has {later.name}")
    for line in younger_lineages(world, store, file.timeline):
        if any(each.timeline == file.timeline and each.end >= segment.end for each in line.ancestors):
            raise _gap(file.name, f"{history_name(line.timeline)} in repository {store.name} branches off behind it")


def _refuse_a_lost_history(world: World, store: Store, timeline: int) -> None:
    if timeline == 1:                  # never has one, and is asked for all the same (timeline.c, writeTimeLineHistory)
        return
    name = history_name(timeline)
    for line in younger_lineages(world, store, timeline):
        if timeline in line.timelines():
            raise _lost(name, f"{history_name(line.timeline)} in repository {store.name} names its timeline")
    older = range(max(1, timeline - NEAR), timeline)
    found = _first(store, iter([timeline_prefix(world.cluster, timeline)]))
    # an archive that begins on a timeline never had its history, and needs none
    if found is not None and _first(store, (timeline_prefix(world.cluster, each) for each in older)) is not None:
        raise _lost(name, f"repository {store.name} has {found.name}")


def later_segment(store: Store, cluster: str, name: str) -> StoredWal | None:
    """Return what is stored of a segment of the same timeline that comes after name, None if there is none.

    A part of a segment and a backup's history file count: they say that the WAL went on until there.

    Keys sort as their names do, so for each digit of the name the keys with a greater one there are asked for; that
    is a hundred small listings at most, whatever the archive holds, and most of them are empty.
    """
    above = timeline_prefix(cluster, WalFile.parse(name).timeline)
    folder, rest = f"{above}{name[:16]}/", name[16:]
    for place in range(len(rest) - 1, -1, -1):
        found = _first(store, (f"{folder}{name[:16]}{rest[:place]}{digit}" for digit in _greater(rest[place])))
        if found is not None:
            return found
    for place in range(15, 7, -1):
        found = _first(store, (f"{above}{name[:place]}{digit}" for digit in _greater(name[place])))
        if found is not None:
            return found
    return None


def _greater(digit: str) -> str:
    digits = "0123456789ABCDEF"
    return digits[digits.index(digit) + 1:]


def _first(store: Store, prefixes: Iterator[str]) -> StoredWal | None:
    for prefix in prefixes:
        for entry in store.list(prefix):
            found = parse_wal_key(entry.key, entry.size)
            if found is not None:
                return found
    return None


def _gap(name: str, why: str) -> Damaged:
    return Damaged(f"segment {name} is missing from the archive, and {why}", code="wal.gap",
                   hint="Recovery would stop in the middle. Look for the segment in pg_wal of the old server or of a "
                   "standby and push it with `restorable wal-push`, or name a recovery target before it.")


def _lost(name: str, why: str) -> Damaged:
    return Damaged(f"history file {name} is missing from the archive, and {why}", code="wal.no_history",
                   hint="Recovery would end on an older timeline. Push it again from pg_wal of the server with "
                   f"`restorable wal-push pg_wal/{name}`.")
