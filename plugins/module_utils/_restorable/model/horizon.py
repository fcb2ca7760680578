# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""How old, in days, what a repository keeps can be, for whoever else deletes there by age. Pure."""
from __future__ import annotations

import math
from typing import Mapping

from .policy import Policy
from .settings import ClusterSettings

DAY = 86400.0


def horizons(cluster: ClusterSettings, own: Mapping[str, Policy]) -> dict[str, float]:
    """Return the age that each kind of object can reach; own are the retentions that a repository has of its own.

    Base backups and WAL are named only where something in the settings speaks of them.
    """
    bases = own.get("base", cluster.base_retention)
    found = {"backups": horizon(own.get("dump", cluster.retention)),
             "evidence": cluster.evidence_kept.total_seconds() / DAY}
    if cluster.wal.method or cluster.wal_window or {"base", "incremental"} & set(cluster.schedules) or \
            bases != Policy.of({}):
        found["base backups"] = horizon(bases)
        # without a window WAL stays as long as the base backup before it
        found["WAL"] = cluster.wal_window.total_seconds() / DAY if cluster.wal_window else found["base backups"]
    return found


def horizon(policy: Policy) -> float:
    """Return how many days old a backup can be that a tier still keeps."""
    days = {"hourly": 1 / 24, "daily": 1, "weekly": 7, "monthly": 31, "yearly": 366}
    spans = [math.inf if getattr(policy, tier) < 0 else getattr(policy, tier) * each for tier, each in days.items()]
    # a week, month or year counts once it has ended, so one more may be running
    running = max((each for tier, each in days.items() if getattr(policy, tier) and each > 1), default=0)
    return max(*spans, policy.within.total_seconds() / DAY) + running
