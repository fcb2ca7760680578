# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Plan and carry out the retention of WAL, after that of the backups which need it."""
from __future__ import annotations

from datetime import datetime, timedelta
from typing import Collection, Iterator

from ..model.base_retention import without_pitr
from ..model.catalogue import Catalogue
from ..model.naming import BackupId
from ..model.policy import Policy
from ..model.retention import Plan
from ..model.wal_naming import StoredWal, binding_prefix, parse_binding_key, stored_wal, wal_prefix
from ..model.wal_retention import WalKeep, WalPlan, plan_wal, to_drop, wal_keep
from ..ports import Store
from .protect import delete_unless_retained
from .wal_bases import base_spans
from .world import World


def plan_wal_of(world: World, store: Store, catalogue: Catalogue, plan: Plan, policy: Policy,
                window: timedelta | None, now: datetime) -> WalPlan | None:
    """Return the fate of a repository's WAL once plan has dropped sets; policy is that of base backups.

    None where there is no WAL.
    """
    keep = keep_wal_of(world, store, catalogue, {row.id for row in plan.dropped}, window, now,
                       bare=without_pitr(plan, policy))
    return None if keep is None else plan_wal(keep, _stored(world, store))


def keep_wal_of(world: World, store: Store, catalogue: Catalogue, dropped: Collection[BackupId],
                window: timedelta | None, now: datetime, *, bare: Collection[BackupId] = ()) -> WalKeep | None:
    """Return what must stay of a repository's WAL once the dropped sets are gone; None where there is no WAL.

    bare are the base backups that stay without any later moment. One whose manifest cannot be read may need any WAL,
    so then nothing goes.
    """
    sizes = {size for entry in store.list(binding_prefix(world.cluster))
             for size in [parse_binding_key(entry.key)] if size}
    if not sizes:
        return None
    spans, unreadable = base_spans(world, store, (each for each in catalogue.committed() if each.id not in dropped),
                                   bare)
    if unreadable or len(sizes) > 1:
        why = f"manifest of {unreadable[0]} cannot be read" if unreadable else "segments of two sizes"
        return WalKeep(min(sizes), all_of_it=why)
    return wal_keep(spans, window, now, min(sizes))


def delete_wal(world: World, store: Store, plan: WalPlan | None) -> None:
    """Delete what a plan drops, by a new listing: what has come since is judged by the same rules."""
    if plan is None or not plan.count:
        return
    world.progress.phase(f"delete WAL from {store.name}", plan.freed or None)
    for each in to_drop(plan.keep, _stored(world, store)):
        delete_unless_retained(store, each.key)
        world.progress.advance(each.size)


def _stored(world: World, store: Store) -> Iterator[StoredWal]:
    return stored_wal((entry.key, entry.size) for entry in store.list(wal_prefix(world.cluster)))
