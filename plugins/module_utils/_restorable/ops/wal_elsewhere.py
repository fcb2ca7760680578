# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Tell what a drill of one repository's copy did not prove: WAL that only another repository has."""
from __future__ import annotations

from typing import Iterator

from ..errors import RestorableError
from .recover_plan import RecoverPlan
from .wal_reading import read_wal_catalogue
from .world import World


def wal_elsewhere(world: World, plan: RecoverPlan) -> Iterator[str]:
    """Yield a note for each other repository whose WAL leads on from where that of the plan's own one ends.

    No finding: a shipper may be at work between the two, and what is not there was not counted as proven.
    """
    for store in world.stores:
        if store is plan.store:
            continue
        try:
            store.check(write=False)
            further = read_wal_catalogue(world, store).reach(plan.lineage, plan.window.reach)
        except RestorableError:
            continue                   # a repository that cannot be read is told with its own copy
        count = sum(1 for _each in plan.lineage.segments(plan.window.reach, further, plan.segment_size)) \
            if further > plan.window.reach else 0
        if count:
            more = f"{count} segment{'s' * (count > 1)} of WAL more, up to {further}"
            yield (f"repository {store.name} has {more}, which {plan.store.name} lacks and this drill did not prove: "
                   f"run `restorable sync --to {plan.store.name}`")
