# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Read the history files that a repository has, and find what cannot be of the same cluster."""
from __future__ import annotations

from typing import Iterator

from ..errors import Damaged
from ..model.timeline import Lineage
from ..model.wal import history_name
from ..ports import Store
from .wal_reading import SEALED, find_wal, plain_wal
from .world import World

NEAR = 4                           # numbers without a history file behind which no younger timeline is looked for


def archived_lineage(world: World, store: Store, timeline: int) -> Lineage | None:
    """Return what a timeline's history file says, None if the repository has none; the first timeline never has."""
    stored = find_wal(world, store, history_name(timeline)) if timeline > 1 else None
    if stored is None:
        return None
    content = b"".join(plain_wal(world, store, stored, store.get(stored.key)))
    return Lineage.parse(timeline, content.decode(errors="replace"))


def younger_lineages(world: World, store: Store, timeline: int) -> Iterator[Lineage]:
    """Yield the timelines with a greater number that have a history file."""
    number = newest = timeline
    while number - newest < NEAR:
        number += 1
        line = archived_lineage(world, store, number)
        if line is not None:
            newest = number
            yield line


def contradicted(world: World, store: Store, line: Lineage) -> str:
    """Return the history file that tells another past of the same timelines, "" if there is none.

    A host with public keys only cannot open what is sealed, and asks nothing.
    """
    if not world.keys.openable and _sealed(world, store, line):
        return ""
    try:
        for each in line.ancestors:
            older = archived_lineage(world, store, each.timeline)
            if older is not None and not line.descends(older):
                return history_name(older.timeline)
        return next((history_name(younger.timeline) for younger in younger_lineages(world, store, line.timeline)
                     if line.timeline in younger.timelines() and not younger.descends(line)), "")
    except Damaged:
        return ""                      # what is rotten there is verify's and recovery's to tell; it refuses nothing new


def _sealed(world: World, store: Store, line: Lineage) -> bool:
    """Say whether a history file that would be compared is sealed."""
    near = range(line.timeline + 1, line.timeline + 1 + NEAR)
    found = (find_wal(world, store, history_name(each)) for each in (*line.timelines()[:-1], *near))
    return any(each is not None and each.suffix.endswith(SEALED) for each in found)
