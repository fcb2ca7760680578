# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The sets that were adopted: which are known, how one is described, and how it is stored."""
from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Mapping, Sequence

from ..errors import Damaged, RestorableError
from ..model.agekeys import SUFFIX
from ..model.dumpfile import Script, version_num
from ..model.manifest import Item, Manifest
from ..model.naming import MANIFEST, BackupId, escape, manifest_key, object_key
from ..model.stock import create_roles, restore_commands
from ..ports import Folder, Store
from ..stream.tally import Tally
from ..stream.tee import put_everywhere
from ..version import VERSION
from .objects import counted
from .sweep import remove_set
from .world import World, read_catalogue, read_manifest

SUPERUSER = "postgres"             # every scratch server has it; a dump does not tell who made the cluster


@dataclass
class Known:
    """What is adopted already, so that nothing is adopted twice and no label has two series."""

    stores: Sequence[Store]
    taken: dict[BackupId, set[str]] = field(default_factory=dict)          # id → names of the stores that have it
    found: dict[tuple[str, datetime, str], BackupId] = field(default_factory=dict)
    stems: dict[str, str] = field(default_factory=dict)                    # label → stem

    @classmethod
    def read(cls, world: World) -> Known:
        """Read the manifests of all adopted sets; one that cannot be read is no reason to stop."""
        known = cls(world.stores)
        for store in world.stores:
            for backup in read_catalogue(store, world.cluster).committed():
                seen = known.taken.setdefault(backup.id, set())
                if backup.id.kind == "adopted" and not seen:
                    known._read(world, store, backup.id)
                seen.add(store.name)
        return known

    def _read(self, world: World, store: Store, backup: BackupId) -> None:
        try:
            manifest = read_manifest(store, world.cluster, backup)
            time = datetime.fromisoformat(str(manifest.adopted.get("time")))
        except (RestorableError, ValueError):
            return
        self.stems[backup.label] = str(manifest.adopted.get("stem", ""))
        for item in manifest.dumps():
            # what is sealed has another digest than the file that was taken in
            self.found[backup.label, time, str(manifest.adopted.get("sha256") or item.sha256)] = backup

    def same(self, label: str, time: datetime, sha256: str) -> BackupId | None:
        """Return the set that holds this very file, or None."""
        return self.found.get((label, time, sha256))

    def free_id(self, time: datetime, label: str) -> BackupId:
        """Return an id of that time, some seconds later if another file has it."""
        backup = BackupId(time, "adopted", label)
        while backup in self.taken:
            backup = backup.later()
        return backup

    def lacking(self, backup: BackupId) -> list[Store]:
        """Return the stores that do not have the set."""
        return [store for store in self.stores if store.name not in self.taken.get(backup, ())]

    def add(self, backup: BackupId, time: datetime, sha256: str) -> None:
        """Note a set that is in every store now."""
        self.taken[backup] = {store.name for store in self.stores}
        self.found[backup.label, time, sha256] = backup


def object_name(name: str) -> str:
    """Return a file's name as an object's: unchanged where it is portable, else escaped reversibly."""
    portable = re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", name) and name != MANIFEST
    return name if portable else escape(name)


def adopted_manifest(world: World, backup: BackupId, time: datetime, items: Sequence[Item],
                     sidecars: Mapping[str, bytes], script: Script, adopted: Mapping[str, Any]) -> Manifest:
    """Describe one adopted file as a set."""
    every = [to_be_sealed(world, item) for item in (*items, *(_sidecar(name, data) for name, data in sidecars.items()))]
    version = script.version or script.tool
    server = {"version": version, "version_num": version_num(version), "bootstrap_user": SUPERUSER,
              "system_identifier": "", "pg_dump": script.tool}
    roles = [str(name) for name in adopted["roles"] if name != SUPERUSER]
    return Manifest(
        id=backup, cluster=world.cluster, begun=time, ended=time, tool=f"restorable {VERSION}", items=tuple(every),
        server=server, adopted=adopted, restore=(*create_roles(roles), *restore_commands(every, adopted=True)),
        not_covered=("roles and tablespaces: an adopted file of one database holds none",))


def _sidecar(name: str, data: bytes) -> Item:
    digest = hashlib.sha256(data).hexdigest()
    return Item(name, "sidecar", len(data), digest, len(data), digest)


def to_be_sealed(world: World, item: Item) -> Item:
    """Return how an object will be named and described where objects are sealed; what is encrypted already stays."""
    key_ids = world.keys.key_ids()
    if item.encryption or not key_ids:
        return item
    return replace(item, name=item.name + SUFFIX, encryption="age", recipients=key_ids)


def store_set(world: World, stores: Sequence[Store], manifest: Manifest, folder: Folder, name: str,
              sidecars: Mapping[str, bytes], *, link: bool) -> None:
    """Store the file, its sidecars and then the manifest into each of these stores, or nothing into any."""
    try:
        items = tuple(_store_item(world, stores, manifest, item, folder, name, sidecars, link=link)
                      for item in manifest.items)
        manifest = replace(manifest, items=items)
        put_everywhere(stores, manifest_key(manifest.cluster, manifest.id), [manifest.as_json()])
    except BaseException:
        # an interrupt too must leave nothing half-made; a store that has the set already keeps it
        remove_set(replace(world, stores=tuple(stores)), manifest.id)
        raise


def _store_item(world: World, stores: Sequence[Store], manifest: Manifest, item: Item, folder: Folder, name: str,
                sidecars: Mapping[str, bytes], *, link: bool) -> Item:
    """Store one object into each store; return it as it is stored. item has the digest of the file itself."""
    key = object_key(manifest.cluster, manifest.id, item.name)
    sealing = world.keys.sealing() if item.recipients else None    # what came encrypted has none that we know
    file = Tally()
    if sealing is None and link and item.role != "sidecar":
        stored = [store.put_file(key, folder.path_of(name)) for store in stores]
        digest = stored[0].sha256
    else:
        source = [sidecars[_own_name(item)]] if item.role == "sidecar" else counted(folder.read(name), world.progress)
        stored = put_everywhere(stores, key, sealing(file(source)) if sealing else file(source))
        digest = file.sha256
    if digest != item.sha256 or len({each.sha256 for each in stored}) != 1:
        raise Damaged(f"file {name} changed while it was being adopted", code="adopt.changed",
                      hint="Wait until whoever writes it is done, then adopt it again.")
    return replace(item, size=stored[0].size, sha256=stored[0].sha256)


def _own_name(item: Item) -> str:
    return item.name[:-len(SUFFIX)] if item.recipients else item.name
