# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Verify stored sets without a server: every byte against the manifest, and the archive readable to its end."""
from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Callable

from ..errors import RestorableError
from ..model.catalogue import Backup
from ..model.drill import Check, verdict
from ..model.manifest import Item, Manifest
from ..model.text import human_bytes
from ..ports import Archives, RestoreOptions, Store
from .copies import Shelf, no_prune
from .findings import note_finding
from .ladder import Ladder
from .objects import read_fingerprint, read_item, read_stored
from .reread import ONCE, read_twice
from .rungs import require_data_entries
from .world import World, read_manifest


@dataclass(frozen=True)
class Verified:
    """What L0 and L1 found of one set in one repository, or without a set why that repository could not be read."""

    repository: str
    backup: Backup | None
    checks: tuple[Check, ...]
    noted: bool = False            # the finding is news, and lies beside the set now
    warnings: tuple[str, ...] = ()  # why it could not be laid there, and what was read wrongly once

    @property
    def verdict(self) -> str:
        """Return passed, failed or incomplete; intact is not proven, only a drill proves."""
        return verdict(self.checks)


def verify(world: World, archives: Archives, wish: str = "all", *, dry_run: bool = False) -> list[Verified]:
    """Check one set, or all, in every repository that has it; dry_run only names what would be read.

    What is found damaged, or whole again, is left beside the set, so that lists and the status tell it.
    What was read wrongly is read a second time, as a whole: a fault of the network passes, and damage stays.
    A repository that cannot be read stops no other; it is a row of its own, and without any that can it is raised.
    """
    if dry_run:
        shelf = Shelf.read(world)
        return [Verified(store.name, backup, ()) for store, backup in _chosen(shelf, wish)]
    with no_prune(world, "verify"):
        shelf = Shelf.read(world)
        found = [_verified(world, store, archives, backup) for store, backup in _chosen(shelf, wish)]
    return found + [Verified(store.name, None, (Check("L0", "repository", "not_run", error.message),))
                    for store, error in shelf.passed_over]


def _chosen(shelf: Shelf, wish: str) -> list[tuple[Store, Backup]]:
    if wish != "all":
        return shelf.holding(shelf.find(lambda catalogue: catalogue.get(wish)).id)
    return [(store, backup) for store, catalogue in shelf.catalogues for backup in catalogue.committed()]


def _verified(world: World, store: Store, archives: Archives, backup: Backup) -> Verified:
    checks = _check(world, store, archives, backup)
    once = tuple(f"backup {backup.id} in {store.name}: {each.name}: {each.detail}; the second reading was right"
                 for each in checks if each.result == "ok" and ONCE in each.detail)
    try:
        noted = note_finding(world, store, backup.id, verdict(checks), checks)
    except RestorableError as error:
        untold = (f"{error.message}: so `restorable list` and `restorable status` do not tell what was found of "
                  f"{backup.id}")
        return Verified(store.name, backup, checks, False, (*once, untold))
    return Verified(store.name, backup, checks, noted, once)


def _check(world: World, store: Store, archives: Archives, backup: Backup) -> tuple[Check, ...]:
    ladder = Ladder(world.clock, world.progress, frozenset())
    with ladder.phase(f"verify {backup.id}", backup.size):
        manifests: list[Manifest] = []
        _ask(ladder, "L0", "manifest", "", lambda: manifests.append(read_manifest(store, world.cluster, backup.id)))
        for manifest in manifests:
            _check_items(world, store, archives, manifest, ladder)
    return tuple(ladder.checks)


def _check_items(world: World, store: Store, archives: Archives, manifest: Manifest, ladder: Ladder) -> None:
    closed = [item for item in manifest.items if item.encryption and not world.keys.openable]
    for item in closed:
        _ask(ladder, "L0", f"object {item.name}", f"{human_bytes(item.size)}, as stored",
             partial(read_stored, world, store, manifest, item))
    if closed:
        # the hosts that dump are meant to hold public keys only, so this is how most of them verify
        ladder.not_run("L1", "opened", f"{len(closed)} sealed objects: no identity is set here", optional=True)
    for item in manifest.items:
        if item not in closed:
            _ask(ladder, "L1" if item.role == "dump" else "L0", f"object {item.name}", human_bytes(item.size),
                 partial(_read, world, store, archives, manifest, item))


def _ask(ladder: Ladder, level: str, name: str, detail: str, read: Callable[[], None]) -> None:
    """Make one check; only what two readings found is a finding."""
    began = ladder.now()
    try:
        _read, wrong = read_twice(read)
        detail = f"{detail}, {ONCE}: {wrong}".lstrip(", ") if wrong else detail
    except RestorableError as error:
        ladder.found(level, name, error, seconds=ladder.now() - began)
    else:
        ladder.ok(level, name, detail, seconds=ladder.now() - began)


def _read(world: World, store: Store, archives: Archives, manifest: Manifest, item: Item) -> None:
    plain = read_item(world, store, manifest, item)
    if item.role != "dump":
        for _chunk in plain:
            pass
        return
    fingerprint = read_fingerprint(world, store, manifest, item.database)
    lines = archives.contents(plain, RestoreOptions(item.format))
    if fingerprint is not None and item.format != "plain":
        require_data_entries(lines, fingerprint)
