# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""What a rekey has to do to a set: which objects get a new header, under which names. Pure."""
from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Iterable, Mapping

from .manifest import Item, Manifest
from .naming import manifest_generation
from .stock import create_roles, restore_commands
from .stock_base import base_commands

_GENERATION = re.compile(r".*\.r([1-9][0-9]{0,4})\.age", re.S)
_SEALED = re.compile(r"(.*?)(?:\.r[1-9][0-9]*)?\.age", re.S)


@dataclass(frozen=True)
class Change:
    """One object that is to be stored again; its payload stays, or is sealed for the first time."""

    old: Item
    name: str


def changes(manifest: Manifest, key_ids: tuple[str, ...], generation: int) -> tuple[Change, ...]:
    """Return the objects that are not sealed for exactly these keys; openssl's files stay as they are."""
    return tuple(Change(item, new_name(item.name, generation)) for item in manifest.items
                 if item.encryption in ("", "age") and (item.encryption != "age" or item.recipients != key_ids))


def next_generation(newest: str, taken: Iterable[str] = ()) -> int:
    """Return the number after that of the newest manifest, and after those in the names of objects that stay."""
    numbers = [int(found[1]) for found in map(_GENERATION.fullmatch, taken) if found]
    return max([manifest_generation(newest) or 0, *numbers]) + 1


def new_name(name: str, generation: int) -> str:
    """Return the name of an object's next form: app.dump.zst.age becomes app.dump.zst.r1.age."""
    found = _SEALED.fullmatch(name)
    return f"{found[1] if found else name}.r{generation}.age"


def rekeyed(manifest: Manifest, stored: Mapping[str, Item]) -> Manifest:
    """Return the manifest with the new objects, by the names of the old ones, in the place of those."""
    items = tuple(stored.get(item.name, item) for item in manifest.items)
    adopted = dict(manifest.adopted)
    if adopted and "sha256" not in adopted:
        # the file's own digest, by which it is known when it is met again
        adopted["sha256"] = next((item.sha256 for item in manifest.dumps()), "")
    return replace(manifest, items=items, adopted=adopted, restore=_commands(manifest, items))


def _commands(manifest: Manifest, items: Iterable[Item]) -> tuple[str, ...]:
    every = tuple(items)
    if manifest.base is not None:
        return base_commands(every, manifest.base, int(manifest.server.get("version_num", 0)) // 10000)
    if not manifest.adopted:
        return restore_commands(every)
    user = manifest.server.get("bootstrap_user")
    roles = [str(name) for name in manifest.adopted.get("roles", ()) if name != user]
    return (*create_roles(roles), *restore_commands(every, adopted=True))
