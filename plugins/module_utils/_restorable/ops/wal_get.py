# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Fetch one WAL file for a recovery; that it is absent is only ever said when every repository has proven it.

PostgreSQL takes exit status 1 to 125 of restore_command for the end of the WAL, and promotes (xlogarchive.c,
RestoreArchivedFile). So absence is a successful listing of every repository, each of which holds WAL of the cluster,
and none the file nor anything that came after it, on its timeline or on one that branched off later; all else is an
error, tried again for a while and then raised.
"""
from __future__ import annotations

from typing import Callable, Iterable

from ..errors import NotFound, Refused, RestorableError, Unavailable
from ..model.wal import WalFile
from ..model.wal_naming import binding_prefix
from ..ports import Store
from .wal_hole import refuse_a_hole
from .wal_ports import Pause
from .wal_reading import find_wal, read_wal
from .world import World

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0      # seconds
DECIDED = ("wal.conflict", "wal.bad_name")     # what no waiting makes better

Write = Callable[[Iterable[bytes]], None]      # puts a file in its place, whole and durable, or leaves nothing


def get_wal(world: World, name: str, write: Write, *, patience: float, pause: Pause) -> str:
    """Fetch a file and return the repository it came from, "" if it is proven to be absent.

    Anything else is tried again for patience seconds and then raised.
    """
    WalFile.parse(name)
    until, delay = world.clock.elapsed() + patience, FIRST_PAUSE
    while True:
        try:
            return _get_once(world, name, write)
        except RestorableError as error:
            if error.code in DECIDED or world.clock.elapsed() + delay > until:
                raise
        pause(delay)
        delay = min(2 * delay, LONGEST_PAUSE)


def _get_once(world: World, name: str, write: Write) -> str:
    failures: list[RestorableError] = []
    digests: set[str] = set()
    for store in world.stores:
        try:
            stored = find_wal(world, store, name)
            if stored is None:
                _refuse_an_empty_place(store, world.cluster)
                continue
            digests.add(stored.digest)
            if len(digests) > 1:
                raise _conflict(world, name)
            write(read_wal(world, store, stored))
            return store.name
        except RestorableError as error:
            if error.code in DECIDED:
                raise
            failures.append(error)
    if failures:
        raise failures[0]
    if not world.stores:
        raise Unavailable("no repository is set", code="repository.none", hint="Name one in the settings.")
    refuse_a_hole(world, name)
    return ""


def _refuse_an_empty_place(store: Store, cluster: str) -> None:
    """Raise Unavailable unless the repository is known to hold the cluster's WAL: an unmounted disk lists well too."""
    prefix = binding_prefix(cluster)
    if next(iter(store.list(prefix)), None) is None:
        raise Unavailable(f"repository {store.name} holds no WAL of cluster {cluster} at all", code="wal.no_archive",
                          hint="Check that its disk is mounted; if it never had any, leave it out of the settings of "
                               "the recovery.")


def _conflict(world: World, name: str) -> Refused:
    return Refused(f"WAL {name} of cluster {world.cluster} differs between repositories", code="wal.conflict",
                   hint="Two servers wrote as one cluster. Name the repository to recover from alone in the settings.")


def absent(name: str) -> NotFound:
    """Return the words for a file that is proven to be absent."""
    return NotFound(f"{name} is in no repository, and nothing after it", code="wal.absent",
                    hint="This is the end of the archived WAL.")
