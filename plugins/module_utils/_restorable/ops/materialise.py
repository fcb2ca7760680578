# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Make a data directory of a base backup, or of a chain: unpack, join, link tablespaces."""
from __future__ import annotations

from typing import Callable, Mapping, Sequence

from ..errors import Damaged
from ..model.base import FILES
from ..model.manifest import Item, Manifest
from ..ports import Store
from ..stream.ahead import ahead
from ..stream.stage import owned
from .objects import read_item
from .recovery_ports import Recovery
from .reread import to_its_end
from .world import World

Verify = Callable[[Manifest, str], None]


def materialise(world: World, store: Store, chain: Sequence[Manifest], recovery: Recovery,
                places: Mapping[int, str], verify: Verify | None = None) -> None:
    """Fill the recovery's data directory from a chain, oldest member first; places are the final tablespaces, by oid.

    verify is called with each member and its folder, once it lies there as it was copied.
    """
    if len(chain) == 1:
        # first of all: killed from now on, it is nothing that a server would start by itself, and archive from
        recovery.write(recovery.data, "recovery.signal", b"")
        _unpack(world, store, chain[0], recovery, recovery.data, places)
        if verify:
            verify(chain[0], recovery.data)
        return
    folders: list[str] = []
    old: dict[int, str] = {}
    for number, manifest in enumerate(chain):
        spaces = {each.oid: recovery.member_folder(number, str(each.oid))
                  for each in (manifest.base.tablespaces if manifest.base else ())}
        folder = recovery.member_folder(number, "data")
        _unpack(world, store, manifest, recovery, folder, spaces)
        if verify:
            verify(manifest, folder)
        folders.append(folder)
        old = spaces
    world.progress.phase("combine")
    recovery.combine(folders, {old[oid]: place for oid, place in places.items()})


def _unpack(world: World, store: Store, manifest: Manifest, recovery: Recovery, data: str,
            places: Mapping[int, str]) -> None:
    main = [item for item in manifest.items if item.role == "base"]
    if len(main) != 1:
        raise Damaged(f"backup {manifest.id} has {len(main)} archives of its data directory", code="base.no_archive",
                      hint="Use another backup, and take a new one.")
    # the data directory last: its very last file, pg_control, makes a half unpacked one unusable
    for item in (*(each for each in manifest.items if each.role == "tablespace"), *main):
        world.progress.phase(f"unpack {item.name} of {manifest.id}", item.size)
        folder = data if item.role == "base" else places[_oid(item)]
        with to_its_end(read_item(world, store, manifest, item)) as chunks, owned(ahead(chunks)) as soon:
            recovery.unpack(soon, folder)
    for oid, place in places.items():
        recovery.link(data, oid, place)
    files = manifest.find("file_list")
    if files is not None:
        recovery.write(data, FILES, b"".join(read_item(world, store, manifest, files)))


def _oid(item: Item) -> int:
    return int(item.name.partition(".")[0])
