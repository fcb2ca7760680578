# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""What every operation is given: the ports, bundled, and the few reads that all of them share."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, Iterator, Mapping

from ..errors import Damaged, NotFound, RestorableError
from ..model.catalogue import Catalogue
from ..model.manifest import Manifest
from ..model.naming import (
    MANIFEST,
    BackupId,
    backup_prefix,
    drill_prefix,
    hold_prefix,
    manifest_generation,
    object_key,
    prune_prefix,
    set_prefix,
)
from ..model.policy import Policy
from ..ports import Clock, Hooks, Lock, Progress, Store
from ..stream.keyring import Keyring
from .pen import Pen
from .witness import Witnessing

Page = Callable[[Mapping[str, Any], str, str], bytes]      # (evidence, its verdict in words, SHA-256 as stored) → HTML


@dataclass(frozen=True)
class World:
    """The ports of one cluster's operations. stores are its repositories, in the order of the settings."""

    cluster: str
    stores: tuple[Store, ...]
    clock: Clock
    progress: Progress
    lock: Lock                     # held by whoever writes or deletes
    reading: Lock                  # held by a drill, a restore, and a prune: nothing is deleted under a reader
    hooks: Hooks
    sweep_age: float = 0.0         # seconds an orphan must be old; 0 where the lock keeps all writers out
    pen: Pen | None = None         # writes the journal; None writes none
    keys: Keyring = field(default_factory=Keyring)     # what new objects are sealed for, and what opens sealed ones
    any_is_enough: bool = False    # a set is committed where one repository has it; the others catch up by sync
    # each repository's own retention by family, where it differs from the cluster's
    retentions: Mapping[str, Mapping[str, Policy]] = field(default_factory=dict)
    absent: Mapping[str, RestorableError] = field(default_factory=dict)    # repositories that a run has lost so far
    source: str = ""               # the one repository that is read from; empty: any that has what is wanted
    page: Page | None = None       # renders evidence for people; None stores none
    witness: Witnessing | None = None      # writes rows into the source; None, unless the settings ask for it

    def sources(self) -> tuple[Store, ...]:
        """Return the repositories that may be read from, in the order of the settings."""
        found = tuple(store for store in self.stores if self.source in ("", store.name))
        if not found:
            known = ", ".join(store.name for store in self.stores) or "none"
            raise NotFound(f"repository {self.source!r} is none of cluster {self.cluster}", code="repository.unknown",
                           hint=f"Its repositories are: {known}.")
        return found


def read_catalogue(store: Store, cluster: str) -> Catalogue:
    """List what a cluster has in one repository, but for its WAL, which may be a million objects."""
    return Catalogue.of(cluster, list_sets(store, cluster))


def list_sets(store: Store, cluster: str) -> Iterator[tuple[str, int]]:
    """Yield (key, size) of all that a catalogue is made of, and of the records of prunes."""
    for prefix in (backup_prefix(cluster), drill_prefix(cluster), hold_prefix(cluster), prune_prefix(cluster)):
        for entry in store.list(prefix):
            yield entry.key, entry.size


def read_manifest(store: Store, cluster: str, backup: BackupId) -> Manifest:
    """Read one committed set's manifest; raise Damaged if it describes another set than its folder's name."""
    names = manifest_names(store, cluster, backup)
    return read_one_manifest(store, cluster, backup, names[-1] if names else MANIFEST)


def manifest_names(store: Store, cluster: str, backup: BackupId) -> list[str]:
    """Return the names of a set's manifests: the one that commits it, then those that took its place, newest last."""
    listed = (entry.key.rpartition("/")[2] for entry in store.list(set_prefix(cluster, backup) + "manifest."))
    found = {name: manifest_generation(name) for name in listed}
    return sorted((name for name in found if found[name] is not None), key=lambda name: found[name] or 0)


def read_one_manifest(store: Store, cluster: str, backup: BackupId, name: str) -> Manifest:
    """Read one of a set's manifests by its name."""
    key = object_key(cluster, backup, name)
    manifest = Manifest.from_json(b"".join(store.get(key)), f"{store.name}:{key}")
    if manifest.id != backup or manifest.cluster != cluster:
        raise Damaged(f"manifest {store.name}:{key} belongs to {manifest.cluster} {manifest.id}",
                      hint="A folder was renamed or copied by hand; put it back under its own name.",
                      code="manifest.misplaced")
    return manifest
