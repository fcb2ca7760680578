# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Which sets a repository should have and has not: another has them, and its own retention would keep them."""
from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Mapping, Sequence

from ..model.catalogue import Backup, Catalogue, united
from ..model.policy import Policy
from ..model.retention import plan_prune
from ..model.settings import ClusterSettings
from .prune import candidates
from .prune_bases import PHYSICAL
from .world import World


def policies_of(world: World, settings: ClusterSettings, repository: str) -> dict[str, Policy]:
    """Return a repository's retention by family: its own, and the cluster's where it has none."""
    return {"dump": settings.retention, "base": settings.base_retention, **world.retentions.get(repository, {})}


def lacking(here: Catalogue, others: Sequence[Catalogue], policies: Mapping[str, Policy],
            now: datetime) -> list[Backup]:
    """Return these sets, newest first, with parents before the incrementals that stand on them.

    A set that is known to be bad where it lies is not wanted elsewhere. Of base backups every one is, because which
    of them an incremental stands on is told by no listing.
    """
    good = [replace(each, backups=tuple(row for row in each.committed()
                                        if row.held or not (row.damaged or row.verdict == "failed")))
            for each in others]
    every = united(here.cluster, [here, *good])
    plan = plan_prune([each for each in candidates(every) if each.id.kind not in PHYSICAL], policies["dump"], now,
                      confirmed=True)
    kept = {row.id for row in plan.kept}
    own = {each.id for each in here.committed()}
    found = [each for each in every.committed() if each.id not in own and
             (each.id in kept or each.id.kind in PHYSICAL)]
    logical = [each for each in found if each.id.kind not in PHYSICAL]
    return [*reversed(logical), *(each for each in found if each.id.kind in PHYSICAL)]
