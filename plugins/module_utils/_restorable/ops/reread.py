# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Read again what was read wrongly: a fault of the network passes, damage stays, and only damage is a finding."""
from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Callable, Iterable, Iterator, Sequence, TypeVar

from ..errors import ConfigError, RestorableError, Unavailable
from ..model.drill import Check
from ..model.naming import BackupId, backup_prefix, manifest_generation
from ..ports import Store
from ..stream.stage import owned
from .ladder import Ladder
from .objects import read_item, read_stored
from .world import World, read_manifest

T = TypeVar("T")

ONCE = "read wrongly once"
CLIMBS = 3                         # of one copy, where each reading but the second one of an object is wrong


def read_twice(read: Callable[[], T]) -> tuple[T, str]:
    """Read, and read once more what was read wrongly; return it, and why the first reading failed or ""."""
    try:
        return read(), ""
    except RestorableError as error:
        if not _is_of_bytes(error):
            raise
        return read(), error.message


@contextmanager
def to_its_end(chunks: Iterable[bytes]) -> Iterator[Iterator[bytes]]:
    """Give a stream to whoever may fail because of what it carries; then the rest is read, and its damage told instead.

    A statement with a wrong byte is a syntax error long before the digest of the whole shows where it came from.
    """
    with owned(chunks) as source:
        try:
            yield (chunk for chunk in source)      # whoever closes that leaves the source open
        except RestorableError as error:
            if _is_of_bytes(error):
                for _chunk in source:
                    pass
            raise


def climbed(world: World, store: Store, ladder: Ladder, climb: Callable[[], T]) -> T:
    """Climb with one copy, and again where all that failed were objects which a second reading finds right.

    A copy that is never read rightly in one climb stays unproven; it was not found bad.
    """
    notes = list(ladder.notes)
    for left in reversed(range(CLIMBS)):
        made = climb()
        wrong = _misread(world, store, ladder.own)
        notes += [f"{each.name}: {ONCE}: {each.detail}; the second reading was right" for each in wrong]
        if not wrong:
            break
        if left:
            ladder.begin_again(list(notes))
        else:
            ladder.checks = [replace(each, result="not_run") if each in wrong else each for each in ladder.checks]
            ladder.notes += notes[-len(wrong):]
    return made


def _misread(world: World, store: Store, checks: Sequence[Check]) -> list[Check]:
    """Return the failed checks if each names objects of this repository, and all of these are right as they lie there.
    """
    failed = [each for each in checks if each.result == "failed"]
    try:
        for check in failed:
            named = list(_objects(world, store, check.detail))
            if not named:
                return []
            for read in named:
                read()
    except RestorableError:
        return []                      # damage, or not to be read at all now
    return failed


def _objects(world: World, store: Store, detail: str) -> Iterator[Callable[[], object]]:
    """Yield what reads each object of a set that an error names."""
    place = re.escape(f"{store.name}:{backup_prefix(world.cluster)}")
    for backup, name in sorted(set(re.findall(rf"(?<![\w.-]){place}([^/\s]+)/([^/\s:]+)", detail))):
        yield partial(_read, world, store, BackupId.parse(backup), name)


def _read(world: World, store: Store, backup: BackupId, name: str) -> None:
    manifest = read_manifest(store, world.cluster, backup)
    for item in manifest.items:
        if item.name == name and item.encryption and not world.keys.openable:
            read_stored(world, store, manifest, item)
        elif item.name == name:
            for _chunk in read_item(world, store, manifest, item):
                pass
    if manifest_generation(name) is None and name not in {item.name for item in manifest.items}:
        raise ConfigError(f"object {name} is none of backup {backup}", code="object.unknown")


def _is_of_bytes(error: RestorableError) -> bool:
    """Say whether an error may come of the bytes; others tell of this machine, or of the way to the repository."""
    return not isinstance(error, (ConfigError, Unavailable))
