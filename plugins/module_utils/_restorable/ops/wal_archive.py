# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Bring one WAL file into the repositories: never over another one, never of another server, whole or not at all."""
from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Mapping

from ..errors import Refused, RestorableError
from ..model.wal import WalFile
from ..model.wal_naming import (
    COMPRESSED,
    DIGITS,
    parse_wal_key,
    quarantine_key,
    wal_file_prefix,
    wal_key,
)
from ..model.wal_sealing import sealed_suffix
from ..model.wal_settings import WalJob
from ..ports import Store
from ..stream.stage import Stage
from .wal_binding import bind_server, bind_wal, other_server, put_once
from .wal_histories import contradicted
from .wal_plain import Bench, Plain
from .wal_ports import Pause, WalSource
from .world import World

DECIDED = ("wal.conflict", "wal.other_server", "wal.segment_size")     # no other repository makes these right
LOOKS, LOOK = 20, 0.1              # looks, and seconds between two, in which a pusher that must give way has done so


@dataclass(frozen=True)
class Archived:
    """What became of one file: where it is now, where it was already, and where it could not be put."""

    name: str
    size: int
    stored: tuple[str, ...]        # repositories
    found: tuple[str, ...]
    failed: dict[str, RestorableError] = field(default_factory=dict)


@dataclass
class WalArchive:
    """The WAL of one cluster, for whoever writes it. May be used by several threads."""

    world: World
    job: WalJob
    pause: Pause = time.sleep
    _bound: dict[str, tuple[str, int]] = field(default_factory=dict)
    _bench: Bench = field(init=False)

    def __post_init__(self) -> None:
        self._bench = Bench(self.job.workers)

    def add(self, source: WalSource, name: str) -> Archived:
        """Archive one file; an identical one that is there already is fine.

        Raises Refused("wal.conflict") for other content under the name, which is put into quarantine, and
        Refused("wal.other_server") for another server's. Where durable is any, one repository is enough;
        otherwise the first failure is raised, and a file that some repository has by then is found there later.
        """
        file = WalFile.parse(name)
        failed: dict[str, RestorableError] = {}
        there = {store.name: digests for store in self.world.stores
                 for digests in [self._there(store, file, failed)] if digests is not None}
        if not there and failed:
            raise next(iter(failed.values()))
        sealing = self.world.keys.sealing()
        with ExitStack() as place:
            plain = Plain(source, file, place.enter_context(self._bench.place()))
            if any(digests != [plain.sha256[:DIGITS]] for digests in there.values()):
                plain.pack(self.job.level, sealing)
            if plain.light:
                place.close()          # somebody else may pack while this is stored
            return self._put_everywhere(plain, there, failed, sealing)

    def _put_everywhere(self, plain: Plain, there: Mapping[str, list[str]], failed: dict[str, RestorableError],
                        sealing: Stage | None) -> Archived:
        stored: list[str] = []
        found: list[str] = []
        for store in self.world.stores:
            if store.name not in there:
                continue
            try:
                (found if self._put(store, plain, there[store.name], sealing) else stored).append(store.name)
            except RestorableError as error:
                if error.code in DECIDED:
                    raise
                failed[store.name] = error
        enough = self.world.stores and (not failed or (self.job.durable == "any" and (stored or found)))
        if not enough:
            raise next(iter(failed.values()))
        return Archived(plain.file.name, plain.size, tuple(stored), tuple(found), failed)

    def _there(self, store: Store, file: WalFile, failed: dict[str, RestorableError]) -> list[str] | None:
        """Return the digests under which a repository has a file, or None if it cannot be asked."""
        try:
            listed = [parse_wal_key(entry.key) for entry in store.list(wal_file_prefix(self.world.cluster, file.name))]
        except RestorableError as error:
            failed[store.name] = error
            return None
        return sorted({each.digest for each in listed if each is not None})

    def _put(self, store: Store, plain: Plain, there: list[str], sealing: Stage | None) -> bool:
        """Store a file in one repository; say whether it was there already."""
        self._check_server(store, plain)
        packed = ".zst" if plain.file.kind in COMPRESSED else ""
        suffix = packed if sealing is None else sealed_suffix(packed, self.world.keys.key_ids())
        if any(digest != plain.sha256[:DIGITS] for digest in there):
            raise self._conflict(store, plain, suffix, sealing)
        if there:
            return True
        self._check_history(store, plain, suffix, sealing)
        key, found = wal_key(self.world.cluster, plain.file.name, plain.sha256, suffix), False
        try:
            store.put(key, plain.packed(self.job.level, sealing))
        except Refused as error:
            if error.code != "store.exists":
                raise
            found = True               # another pusher of the same bytes was faster
        if self._beaten(store, plain):
            refusal = self._conflict(store, plain, suffix, sealing)
            if not found:
                store.delete(key)      # nobody was told that it is there, and the quarantine has it
            raise refusal
        return found

    def _beaten(self, store: Store, plain: Plain) -> bool:
        """Say whether other content came under the name while ours was stored; then ours must go.

        A pusher is done only if it saw its own alone after it was there, so of two at most one is. Where both see both,
        the smaller digest waits for the other one to go, and goes itself if that was done long since.
        """
        own = plain.sha256[:DIGITS]
        for _look in range(LOOKS):
            others = {stored.digest for entry in store.list(wal_file_prefix(self.world.cluster, plain.file.name))
                      for stored in [parse_wal_key(entry.key)] if stored is not None and stored.digest != own}
            if not others:
                return False
            if min(others) < own:
                return True
            self.pause(LOOK)
        return True

    def _check_history(self, store: Store, plain: Plain, suffix: str, sealing: Stage | None) -> None:
        other = contradicted(self.world, store, plain.lineage) if plain.lineage is not None else ""
        if other:
            key = self._quarantine(store, plain, suffix, sealing)
            raise Refused(f"file {plain.file.name} tells another past than {other} in repository {store.name}",
                          hint=f"It is of another server; the refused file is {store.name}:{key}. Stop the wrong "
                               "server, or give this one a cluster name of its own.", code="wal.conflict")

    def _quarantine(self, store: Store, plain: Plain, suffix: str, sealing: Stage | None) -> str:
        key = quarantine_key(self.world.cluster, plain.file.name, plain.sha256, suffix)
        if not any(entry.key == key for entry in store.list(key)):
            put_once(store, key, plain.packed(self.job.level, sealing))
        return key

    def _conflict(self, store: Store, plain: Plain, suffix: str, sealing: Stage | None) -> Refused:
        key = self._quarantine(store, plain, suffix, sealing)
        return Refused(f"file {plain.file.name} is in repository {store.name} with other content",
                       hint=f"Two servers may archive as cluster {self.world.cluster}, or this one was reset; the "
                            f"refused file is {store.name}:{key}. Stop the wrong server, or give this one a cluster "
                            "name of its own (docs/wal.md, 'same name, other content').", code="wal.conflict")

    def _check_server(self, store: Store, plain: Plain) -> None:
        """Raise Refused unless a file is of the server that the repository is bound to, which its first file does."""
        header, server = plain.header, plain.system_identifier
        if header is None:
            if server and self._bound.get(store.name, ("", 0))[0] != server:
                bind_server(store, self.world.cluster, server)
            return
        if server and server != header.system_identifier:
            raise other_server("the server", server, header.system_identifier)
        wanted = (header.system_identifier, header.segment_size)
        if self._bound.get(store.name) == wanted:
            return
        self._bound.pop(store.name, None)
        bind_wal(store, self.world.cluster, *wanted)
        self._bound[store.name] = wanted
