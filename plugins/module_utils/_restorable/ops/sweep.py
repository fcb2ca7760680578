# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Remove what never became a backup. Runs under the cluster's lock."""
from __future__ import annotations

from dataclasses import dataclass, field

from ..errors import RestorableError
from ..model.naming import MANIFEST, BackupId, manifest_key, object_key, set_prefix
from ..ports import Store
from .protect import delete_unless_retained
from .world import World, read_catalogue


@dataclass
class Swept:
    """What a sweep removed, and of each repository in which something stays for the next one, why."""

    names: list[str] = field(default_factory=list)
    stayed: dict[str, str] = field(default_factory=dict)

    def warnings(self, store: Store) -> tuple[str, ...]:
        """Return what a user is told of one repository."""
        return (f"repository {store.name}: {self.stayed[store.name]}",) if store.name in self.stayed else ()


def sweep_orphans(world: World) -> Swept:
    """Delete the objects of sets without a manifest, left by a killed run or an interrupted prune; name them.

    Where any repository is enough, one that deletes nothing stops no other.
    """
    swept = Swept()
    now = world.clock.now()
    for store in world.stores:
        for orphan in read_catalogue(store, world.cluster).orphans():
            # an id may lie ahead of the clock: of two runs in one second the later takes the next
            if not world.sweep_age or (now - orphan.id.time).total_seconds() >= world.sweep_age:
                try:
                    locked = [delete_unless_retained(store, object_key(world.cluster, orphan.id, name))
                              for name in orphan.objects]
                except RestorableError as error:
                    if not world.any_is_enough:
                        raise
                    # in nobody's way, and an orphan for the next run
                    swept.stayed[store.name] = f"what is left of {orphan.id} could not be deleted: {error.message}"
                    break
                if not all(locked):
                    swept.names.append(f"{store.name}:{orphan.id}")
    return swept


def delete_set(store: Store, cluster: str, backup: BackupId, objects: tuple[str, ...]) -> str:
    """Delete one set, its manifest first, so that an interruption leaves an orphan and never a broken backup.

    Returns "", or until when the store keeps the set by a lock; with its manifest all of it is kept.
    """
    retained = delete_unless_retained(store, manifest_key(cluster, backup))
    if not retained:
        for name in objects:
            if name != MANIFEST:
                # one that is locked longer than its manifest is an orphan, which a later run removes
                delete_unless_retained(store, object_key(cluster, backup, name))
    return retained


def remove_set(world: World, backup: BackupId, *, after: BaseException | None = None) -> None:
    """Remove an unfinished set after a failure; what cannot be removed now is an orphan for the next run.

    After store.exists the id is another host's, that began in the same second: what lies there stays, it may be whole.
    """
    if isinstance(after, RestorableError) and after.code == "store.exists":
        return
    for store in world.stores:
        try:
            names = [entry.key.rpartition("/")[2] for entry in store.list(set_prefix(world.cluster, backup))]
            delete_set(store, world.cluster, backup, tuple(names))
        except RestorableError:
            continue  # the failure that brought us here is the one to report
