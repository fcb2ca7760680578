# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Hold a backup so that no retention drops it, or let it go again."""
from __future__ import annotations

import json

from ..errors import RestorableError
from ..model.catalogue import Backup
from ..model.naming import BackupId, hold_key, release_key
from ..ports import Store
from .protect import hold_objects
from .reach import give_up, reach
from .world import World, read_catalogue


def hold(world: World, backup: str, *, reason: str = "", release: bool = False,
         dry_run: bool = False) -> tuple[str, bool, tuple[str, ...]]:
    """Set or release one set's hold in every repository that has it; return (id, whether anything changed, warnings).

    Where any repository is enough, one that is lost is told in the warnings.
    """
    world, losses = reach(world, write=not dry_run)
    if dry_run:
        chosen, todo = _plan(world, backup, release)
        return str(chosen), any(each.held == release for _store, each in todo), losses.warnings(_what(chosen, release))
    with world.lock.hold("hold"):
        chosen, todo = _plan(world, backup, release)
        changed = False
        body = {"format": 1, "reason": reason, "since": world.clock.now().isoformat()}
        for store, held in todo:
            try:
                if release and held.held:
                    _tell_end(world, store, chosen)
                    end_hold(store, world.cluster, held)
                    changed = True
                elif release:
                    # a release that broke off has left the lock
                    changed = hold_objects(store, world.cluster, held, on=False) or changed
                else:
                    # the lock comes first, and goes last
                    hold_objects(store, world.cluster, held, on=True)
                    store.put(hold_key(world.cluster, chosen), [json.dumps(body).encode()])
                    changed = True
            except RestorableError as error:
                if not give_up(store, error):
                    raise
    return str(chosen), changed, losses.warnings(_what(chosen, release))


def end_hold(store: Store, cluster: str, backup: Backup) -> None:
    """Remove a set's hold from one repository, the lock last: what is shown as held is held."""
    store.delete(hold_key(cluster, backup.id))
    hold_objects(store, cluster, backup, on=False)


def _tell_end(world: World, store: Store, backup: BackupId) -> None:
    """Leave a mark, by which a repository that is away learns at its next sync that its hold has ended."""
    now = world.clock.now()
    key = release_key(world.cluster, backup, now)
    if not any(entry.key == key for entry in store.list(key)):     # nobody holds and releases twice a second
        store.put(key, [json.dumps({"format": 1, "released": now.isoformat()}).encode()])


def _what(backup: BackupId, release: bool) -> str:
    return f"the {'release' if release else 'hold'} of {backup}"


def _plan(world: World, backup: str, release: bool) -> tuple[BackupId, list[tuple[Store, Backup]]]:
    """Return the set that is meant, and the repositories with something to do or perhaps left of a release."""
    catalogues = [(store, read_catalogue(store, world.cluster)) for store in world.stores]
    chosen = max(catalogues, key=lambda pair: len(pair[1].committed()))[1].get(backup).id
    return chosen, [(store, each) for store, catalogue in catalogues
                    for each in catalogue.committed() if each.id == chosen and (release or not each.held)]
