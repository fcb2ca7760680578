# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The chain of an incremental base backup: its parents down to the full one, each of them whole in its repository."""
from __future__ import annotations

from ..errors import ConfigError, Damaged, NotFound, Refused
from ..model.catalogue import Catalogue
from ..model.manifest import Manifest
from ..model.naming import BackupId
from ..ports import Store
from .world import World, read_catalogue, read_manifest

LONGEST = 100                      # parents; a longer chain is a loop


def read_chain(world: World, store: Store, backup: BackupId,
               catalogue: Catalogue | None = None) -> tuple[Manifest, ...]:
    """Return the manifests of a base backup and its parents, oldest first; raise Refused if one is missing.

    A parent that was pruned, never committed or lost an object makes what stands on it useless, so it is found here
    and not in the midst of a restore.
    """
    known = catalogue or read_catalogue(store, world.cluster)
    chain: list[Manifest] = []
    wanted: BackupId | None = backup
    while wanted is not None:
        if len(chain) > LONGEST:
            raise _broken(store, backup, f"it has more than {LONGEST} parents")
        manifest = _member(world, store, known, backup, wanted)
        if manifest.base is None:
            raise _broken(store, backup, f"{wanted} is no base backup")
        chain.append(manifest)
        wanted = _parent(manifest)
    return tuple(reversed(chain))


def _parent(manifest: Manifest) -> BackupId | None:
    if manifest.base is None or not manifest.base.parent:
        return None
    try:
        return BackupId.parse(manifest.base.parent)
    except ConfigError as error:
        raise Damaged(f"manifest of {manifest.id} names the parent {manifest.base.parent!r}", hint=error.hint,
                      code="manifest.damaged") from error


def _member(world: World, store: Store, known: Catalogue, backup: BackupId, wanted: BackupId) -> Manifest:
    row = next((each for each in known.committed() if each.id == wanted), None)
    if row is None:
        if wanted == backup:
            raise NotFound(f"backup {wanted} is not in repository {store.name}", code="backup.unknown",
                           hint="Run `restorable list` to see what is there.")
        raise _broken(store, backup, f"its parent {wanted} is not there")
    manifest = read_manifest(store, world.cluster, wanted)
    for item in manifest.items:
        if item.name not in row.objects:
            raise _broken(store, backup, f"object {item.name} of {wanted} is gone")
    return manifest


def _broken(store: Store, backup: BackupId, why: str) -> Refused:
    return Refused(f"backup {backup} cannot be used from repository {store.name}: {why}", code="base.chain_broken",
                   hint="Choose another backup or repository, and take a full base with "
                        "`restorable backup --kind base`.")
