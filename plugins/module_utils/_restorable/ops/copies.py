# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Which repository's copy of a backup is read: damage in one stops nothing while another has a good copy."""
from __future__ import annotations

import re
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Callable, TypeVar

from ..errors import Damaged, NotFound, RestorableError, Unavailable
from ..model.catalogue import Backup, Catalogue, united
from ..model.manifest import Manifest
from ..model.naming import BackupId, cluster_prefix, object_key, set_prefix
from ..model.pick import Choose, pick
from ..ports import Store
from .world import World, read_catalogue, read_manifest

T = TypeVar("T")


@dataclass
class Shelf:
    """What the repositories hold that could be read, and why the others could not."""

    world: World
    catalogues: list[tuple[Store, Catalogue]] = field(default_factory=list)
    passed_over: list[tuple[Store, RestorableError]] = field(default_factory=list)

    @classmethod
    def read(cls, world: World) -> Shelf:
        """List every source of this world; raise the first one's trouble if none can be read."""
        shelf = cls(world)
        for store in world.sources():
            try:
                store.check(write=False)
                shelf.catalogues.append((store, read_catalogue(store, world.cluster)))
            except RestorableError as error:
                shelf.passed_over.append((store, error))
        if shelf.passed_over and not shelf.catalogues:
            raise shelf.passed_over[0][1]
        return shelf

    def find(self, choice: Callable[[Catalogue], T]) -> T:
        """Return what choice takes of all backups together, whichever repository has them.

        What is not found may lie in the repository that could not be read, whose trouble is then the one to tell.
        """
        try:
            return choice(united(self.world.cluster, [catalogue for _store, catalogue in self.catalogues]))
        except NotFound:
            if self.passed_over:
                raise self.passed_over[0][1] from None
            raise

    def holding(self, backup: BackupId) -> list[tuple[Store, Backup]]:
        """Return the repositories that have the set, in the order of the settings, and how each shows it."""
        return [(store, each) for store, catalogue in self.catalogues for each in catalogue.committed()
                if each.id == backup]

    def notes(self) -> list[str]:
        """Tell which repositories could not be read."""
        return [f"repository {store.name} was passed over: {error.message}" for store, error in self.passed_over]


class Copies:
    """The copies of one backup, the best that is left first. notes tells which were passed over, and why."""

    def __init__(self, world: World, backup: Backup, why: str, stores: list[Store], notes: list[str]) -> None:
        self.backup = backup
        self.why = why
        self.notes = notes
        self._world = world
        self._left = stores
        self._manifest: Manifest | None = None

    @classmethod
    def of(cls, world: World, wish: str, *, choose: Choose) -> Copies:
        """Pick a backup among those of all sources together, and return its copies, none of them read yet."""
        shelf = Shelf.read(world)
        backup, why = shelf.find(lambda catalogue: pick(catalogue, wish, choose=choose))
        return cls(world, backup, why, [store for store, _each in shelf.holding(backup.id)], shelf.notes())

    @property
    def stores(self) -> list[Store]:
        """Return the repositories whose copy was not found bad so far."""
        return list(self._left)

    def best(self) -> tuple[Store, Manifest]:
        """Return the first copy whose manifest can be read and whose objects are all listed with their sizes.

        Raises the last copy's error if none is left.
        """
        while self._manifest is None:
            try:
                self._manifest = sound_manifest(self._left[0], self._world.cluster, self.backup.id)
            except RestorableError as error:
                self.condemn(error)
        return self._left[0], self._manifest

    def attempt(self, work: Callable[[Store, Manifest], T]) -> T:
        """Do work with the best copy and its own manifest; if reading that copy fails, with the next one.

        Two copies need not have the same objects: a rekey that was stopped leaves one of them sealed anew. What work
        did must be undone when it raises.
        """
        while True:
            store, manifest = self.best()
            try:
                return work(store, manifest)
            except RestorableError as error:
                if not reading_failed(error, store, self._world.cluster, self.backup.id):
                    raise
                self.condemn(error)

    def condemn(self, error: RestorableError) -> None:
        """Pass the first copy over; raise its error if it is the last one."""
        if len(self._left) == 1 or not isinstance(error, (Damaged, NotFound, Unavailable)):
            raise error
        bad = self._left.pop(0)
        self._manifest = None
        self.notes.append(f"repository {bad.name} was passed over: {error.message}; run "
                          f"`restorable verify {self.backup.id} --repository {bad.name}`")


def no_prune(world: World, purpose: str) -> AbstractContextManager[None]:
    """Hold the readers' lock, which may lie in the first repository; while that is gone no prune begins anyway.

    Where any repository is enough, the lock lies with the host, and a prune goes on without the first repository.
    """
    if not world.any_is_enough:
        try:
            world.stores[0].check(write=False)
        except RestorableError:
            return nullcontext()
    return world.reading.hold(purpose, shared=True)


def sound_manifest(store: Store, cluster: str, backup: BackupId) -> Manifest:
    """Read a manifest, and raise Damaged unless the repository lists every object of it with its size."""
    manifest = read_manifest(store, cluster, backup)
    listed = {entry.key: entry.size for entry in store.list(set_prefix(cluster, backup))}
    for item in manifest.items:
        key = object_key(cluster, backup, item.name)
        if listed.get(key) != item.size:
            found = f"has {listed[key]} bytes, the manifest says {item.size}" if key in listed else "is missing"
            raise Damaged(f"object {store.name}:{key} {found}", code="object.damaged",
                          hint="Check the disk, and take another backup with `restorable backup`.")
    return manifest


def reading_failed(error: RestorableError, store: Store, cluster: str, backup: BackupId) -> bool:
    """Say whether an error is of the stored copy, not of the place that it is restored into."""
    return error.code.startswith("store.") or names_object(error, store, set_prefix(cluster, backup))


def names_object(error: RestorableError, store: Store, prefix: str) -> bool:
    """Say whether an error is of an object of this repository; of disk's, not of old-disk's beside it."""
    return re.search(rf"(?<![\w.-]){re.escape(f'{store.name}:{prefix}')}", error.message) is not None


def names_repository(error: RestorableError, store: Store, cluster: str) -> bool:
    """Say whether an error is of this repository, or of an object of the cluster in it."""
    place = re.escape(store.name)
    return names_object(error, store, cluster_prefix(cluster)) or \
        re.search(rf"\brepository {place}(?![\w-]|\.\w)", error.message) is not None
