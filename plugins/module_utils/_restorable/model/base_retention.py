# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Retention of base backups: the same rules as for dumps, and no incremental loses what it stands on. Pure."""
from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Iterable, Mapping

from .naming import BackupId
from .pick import PHYSICAL
from .policy import COUNTS, Policy
from .retention import OLDEST, Plan, Row

PARENT = "parent of"
UNKNOWN = "an incremental whose parent cannot be read may need it"


def keep_parents(plan: Plan, parents: Mapping[BackupId, BackupId | None]) -> Plan:
    """Return the plan with every parent of a kept incremental kept, transitively, and the reason for each.

    parents names the parent of each incremental; None says that its manifest cannot be read, so that everything
    older stays.
    """
    rows = {row.id: row for row in plan.rows}
    for row in sorted(plan.kept, key=lambda each: each.id, reverse=True):
        for needed in _needed(row.id, parents, rows):
            if needed in rows and not rows[needed].keep:
                rows[needed] = Row(needed, True, (_why(row.id, parents),))
    return replace(plan, rows=tuple(rows[row.id] for row in plan.rows))


def without_pitr(plan: Plan, policy: Policy) -> set[BackupId]:
    """Return the base backups that nothing but tiers without PITR keeps, and parents that stay for their sake.

    A floor or a hold keeps a backup for whatever may be wanted of it, so that it counts as one with PITR; but not the
    floor of the oldest, which would keep all WAL of a year until a year's tier is full.
    """
    if set(policy.pitr) == set(COUNTS):
        return set()
    return {row.id for row in plan.kept
            if row.id.kind in PHYSICAL and all(_bare(reason, policy) for reason in row.reasons)}


def longest(until: Mapping[BackupId, datetime], parents: Mapping[BackupId, BackupId]) -> dict[BackupId, datetime]:
    """Return until when each is needed: a parent at least as long as what stands on it, transitively."""
    needed = dict(until)
    for child in sorted(parents, reverse=True):        # an incremental is younger than its parent
        if child in needed:
            parent = parents[child]
            needed[parent] = max(needed[child], needed.get(parent, needed[child]))
    return needed


def _bare(reason: str, policy: Policy) -> bool:
    tier = reason.partition("#")[0]
    return (tier in COUNTS and tier not in policy.pitr) or reason.startswith(PARENT) \
        or reason == OLDEST


def _needed(backup: BackupId, parents: Mapping[BackupId, BackupId | None],
            rows: Mapping[BackupId, Row]) -> Iterable[BackupId]:
    seen = {backup}
    child = backup
    while child in parents:
        parent = parents[child]
        if parent is None:
            yield from (each for each in rows if each < child)
            return
        if parent in seen:
            return                     # a loop, which verify tells
        seen.add(parent)
        yield parent
        child = parent


def _why(backup: BackupId, parents: Mapping[BackupId, BackupId | None]) -> str:
    return f"{PARENT} {backup}" if None not in parents.values() else f"{PARENT} {backup}, or {UNKNOWN}"
