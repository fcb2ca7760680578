# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Let stores that can lock their objects do so: longer for the tiers that keep a backup, without an end for a hold."""
from __future__ import annotations

from datetime import datetime
from typing import Iterable, Protocol

from ..errors import RestorableError
from ..model.catalogue import Backup, Catalogue
from ..model.naming import BackupId, object_key
from ..model.object_lock import ObjectLock
from ..model.retained import retained_until
from ..model.retention import Plan
from ..ports import Store


class Protection(Protocol):
    """What a store offers as its attribute `locks` if it was set up to lock objects; None otherwise."""

    settings: ObjectLock

    def hold(self, keys: Iterable[str], *, on: bool) -> int:
        """Forbid to delete objects until they are released; doing it twice is fine. Return how many were changed."""

    def extend(self, keys: Iterable[str], until: datetime) -> int:
        """Lock objects until then, unless they are locked longer already; return how many were."""


def protection_of(store: Store) -> Protection | None:
    """Return what locks a store's objects, or None."""
    found: Protection | None = getattr(store, "locks", None)
    return found


def hold_objects(store: Store, cluster: str, backup: Backup, *, on: bool) -> bool:
    """Put all objects of a set under a legal hold, or release them, where the store can; return whether any was not."""
    protection = protection_of(store)
    return bool(protection and protection.hold(keys_of(cluster, backup), on=on))


def lock_kept(store: Store, cluster: str, catalogue: Catalogue, plan: Plan, now: datetime) -> dict[BackupId, datetime]:
    """Lock every kept set as long as the tiers that keep it ask for, where the store can; return until when.

    A lock that would be over already is not asked for: S3 refuses it.
    """
    protection = protection_of(store)
    locked: dict[BackupId, datetime] = {}
    if not protection or not protection.settings.tiers:
        return locked
    by_id = {each.id: each for each in catalogue.backups}
    for row in plan.kept:
        until = protection.settings.extended(row.id.time, row.reasons)
        if until and until > now and row.id in by_id:
            protection.extend(keys_of(cluster, by_id[row.id]), until)
            locked[row.id] = until
    return locked


def delete_unless_retained(store: Store, key: str) -> str:
    """Delete an object; return "" or, if its store keeps it by a lock, until when."""
    try:
        store.delete(key)
    except RestorableError as error:
        until = retained_until(error)
        if until is None:
            raise
        return until
    return ""


def keys_of(cluster: str, backup: Backup) -> list[str]:
    """Return the keys of all objects of a set."""
    return [object_key(cluster, backup.id, name) for name in backup.objects]
