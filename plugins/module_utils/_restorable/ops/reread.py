# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Read again what was read wrongly: a fault of the network passes, damage stays, and only damage is a finding."""
from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import replace
from typing import Callable, Iterable, Iterator, Sequence, TypeVar

from ..errors import ConfigError, NotFound, RestorableError, Unavailable
from ..model.drill import Check
from ..model.manifest import Manifest
from ..model.naming import BackupId, backup_prefix
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


def manifest_twice(world: World, store: Store, backup: BackupId, ladder: Ladder) -> Manifest:
    """Read the manifest of the backup that is drilled; a note tells of a first reading that was wrong."""
    manifest, wrong = read_twice(lambda: read_manifest(store, world.cluster, backup))
    if wrong:
        ladder.notes.append(f"manifest: {ONCE}: {wrong}; the second reading was right")
    return manifest


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
    for left in reversed(range(CLIMBS)):
        made = climb()
        wrong = _misread(world, store, ladder.own)
        if not wrong:
            break
        ladder.notes += [f"{each.name}: {ONCE}: {each.detail}; the second reading was right" for each in wrong]
        if left:
            ladder.begin_again()
        else:
            ladder.checks = [replace(each, result="not_run") if each in wrong else each for each in ladder.checks]
    ladder.notes = list(dict.fromkeys(ladder.notes))
    return made


def _misread(world: World, store: Store, checks: Sequence[Check]) -> list[Check]:
    """Return the failed checks if each tells of an object of this repository, and all of these are right as they lie.
    """
    failed = [each for each in checks if each.result == "failed"]
    try:
        for check in failed:
            named = _named(world, store, check.detail)
            if named is None:
                return []
            _read(world, store, *named)
    except RestorableError:
        return []                      # damage, or not to be read at all now
    return failed


def _named(world: World, store: Store, detail: str) -> tuple[BackupId, str] | None:
    """Return the object that an error begins with; what comes later may be the words of a database, and proves nothing.
    """
    place = re.escape(f"{store.name}:{backup_prefix(world.cluster)}")
    found = re.match(rf"(?:object )?{place}([^/\s]+)/([^/\s:]+)", detail)
    return (BackupId.parse(found[1]), found[2]) if found else None


def _read(world: World, store: Store, backup: BackupId, name: str) -> None:
    manifest = read_manifest(store, world.cluster, backup)
    item = next((each for each in manifest.items if each.name == name), None)
    if item is None:
        raise NotFound(f"backup {backup} holds no object {name}", code="object.unknown")
    if item.encryption and not world.keys.openable:
        read_stored(world, store, manifest, item)
        return
    for _chunk in read_item(world, store, manifest, item):
        pass


def _is_of_bytes(error: RestorableError) -> bool:
    """Say whether an error may come of the bytes; others tell of this machine, or of the way to the repository."""
    return not isinstance(error, (ConfigError, Unavailable))
