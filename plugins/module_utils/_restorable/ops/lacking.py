# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Which sets a repository should have and has not: another has them, and its own retention would keep them."""
from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Callable, Mapping, Sequence

from ..errors import RestorableError
from ..model.base_retention import keep_parents
from ..model.catalogue import Backup, Catalogue, united
from ..model.naming import BackupId
from ..model.policy import Policy
from ..model.retention import plan_prune
from ..model.settings import ClusterSettings
from ..ports import Store
from .prune import candidates
from .prune_bases import PHYSICAL, parent_of
from .world import World


def policies_of(world: World, settings: ClusterSettings, repository: str) -> dict[str, Policy]:
    """Return a repository's retention by family: its own, and the cluster's where it has none."""
    return {"dump": settings.retention, "base": settings.base_retention, **world.retentions.get(repository, {})}


def lacking(here: Catalogue, others: Sequence[Catalogue], policies: Mapping[str, Policy], now: datetime,
            parents: Callable[[], Mapping[BackupId, BackupId | None]]) -> list[Backup]:
    """Return these sets, newest first, with parents before the incrementals that stand on them.

    A set that is known to be bad where it lies is not wanted elsewhere. parents is asked, as told by parents_of, only
    where retention would drop a base backup: an incremental that stays keeps what it stands on.
    """
    good = [replace(each, backups=tuple(row for row in each.committed()
                                        if row.held or not (row.damaged or row.verdict == "failed")))
            for each in others]
    every = united(here.cluster, [here, *good])
    chosen = candidates(every)
    dumps = plan_prune([each for each in chosen if each.id.kind not in PHYSICAL], policies["dump"], now,
                       confirmed=True)
    bases = plan_prune([each for each in chosen if each.id.kind in PHYSICAL], policies["base"], now, confirmed=True)
    own = {each.id for each in here.committed()}
    if any(row.id not in own for row in bases.dropped):
        bases = keep_parents(bases, parents())
    kept = {row.id for row in (*dumps.kept, *bases.kept)}
    found = [each for each in every.committed() if each.id not in own and each.id in kept]
    logical = [each for each in found if each.id.kind not in PHYSICAL]
    return [*reversed(logical), *(each for each in found if each.id.kind in PHYSICAL)]


def parents_of(world: World, holders: Sequence[tuple[Store, Catalogue]]) -> dict[BackupId, BackupId | None]:
    """Read what each incremental in these repositories stands on; None where no manifest of it tells."""
    found: dict[BackupId, BackupId | None] = {}
    for store, catalogue in holders:
        for each in catalogue.committed():
            if each.id.kind == "incr" and found.get(each.id) is None:
                found[each.id] = _parent(world, store, each.id)
    return found


def _parent(world: World, store: Store, backup: BackupId) -> BackupId | None:
    try:
        return parent_of(world, store, backup)
    except RestorableError:
        return None                    # then all that is older is wanted
