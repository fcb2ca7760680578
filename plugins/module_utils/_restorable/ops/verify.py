# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Verify stored sets without a server: every byte against the manifest, and the archive readable to its end."""
from __future__ import annotations

from dataclasses import dataclass

from ..model.catalogue import Backup
from ..model.drill import Check, verdict
from ..model.manifest import Manifest
from ..model.text import human_bytes
from ..ports import Archives, RestoreOptions, Store
from .ladder import Ladder
from .objects import read_fingerprint, read_item, read_stored
from .rungs import require_data_entries
from .world import World, read_catalogue, read_manifest


@dataclass(frozen=True)
class Verified:
    """What L0 and L1 found of one set in one repository."""

    repository: str
    backup: Backup
    checks: tuple[Check, ...]

    @property
    def verdict(self) -> str:
        """Return passed or failed; intact is not proven, only a drill proves."""
        return verdict(self.checks)


def verify(world: World, archives: Archives, wish: str = "all", *, dry_run: bool = False) -> list[Verified]:
    """Check one set, or all, in every repository; dry_run only names what would be read."""
    for store in world.stores:
        store.check(write=False)
    if dry_run:
        return [Verified(store.name, backup, ()) for store, backup in _chosen(world, wish)]
    with world.reading.hold("verify", shared=True):
        return [Verified(store.name, backup, _check(world, store, archives, backup))
                for store, backup in _chosen(world, wish)]


def _chosen(world: World, wish: str) -> list[tuple[Store, Backup]]:
    found = []
    for store in world.stores:
        catalogue = read_catalogue(store, world.cluster)
        chosen = catalogue.committed() if wish == "all" else (catalogue.get(wish),)
        found += [(store, backup) for backup in chosen]
    return found


def _check(world: World, store: Store, archives: Archives, backup: Backup) -> tuple[Check, ...]:
    ladder = Ladder(world.clock, world.progress, frozenset())
    with ladder.phase(f"verify {backup.id}", backup.size):
        with ladder.rung("L0", "manifest"):
            manifest = read_manifest(store, world.cluster, backup.id)
        if not ladder.stopped:
            _check_items(world, store, archives, manifest, ladder)
    return tuple(ladder.checks)


def _check_items(world: World, store: Store, archives: Archives, manifest: Manifest, ladder: Ladder) -> None:
    closed = [item for item in manifest.items if item.encryption and not world.keys.openable]
    for item in closed:
        with ladder.rung("L0", f"object {item.name}", f"{human_bytes(item.size)}, as stored"):
            read_stored(world, store, manifest, item)
    if closed:
        # the hosts that dump are meant to hold public keys only, so this is how most of them verify
        ladder.not_run("L1", "opened", f"{len(closed)} sealed objects: no identity is set here", optional=True)
    for item in manifest.items:
        if item in closed:
            continue
        level = "L1" if item.role == "dump" else "L0"
        with ladder.rung(level, f"object {item.name}", human_bytes(item.size)):
            plain = read_item(world, store, manifest, item)
            if item.role != "dump":
                for _chunk in plain:
                    pass
                continue
            fingerprint = read_fingerprint(world, store, manifest, item.database)
            lines = archives.contents(plain, RestoreOptions(item.format))
            if fingerprint is not None and item.format != "plain":
                require_data_entries(lines, fingerprint)
