# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Bring one WAL file into the repositories: never over another one, never of another server, whole or not at all."""
from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Iterable, Mapping

from ..errors import Refused, RestorableError
from ..model.naming import cluster_key
from ..model.wal import WalFile
from ..model.wal_header import SegmentHeader
from ..model.wal_naming import (
    COMPRESSED,
    DIGITS,
    binding_key,
    binding_prefix,
    parse_binding_key,
    parse_wal_key,
    quarantine_key,
    wal_file_prefix,
    wal_key,
)
from ..model.wal_settings import WalJob
from ..ports import Store
from ..stream.stage import Stage
from .preflight import bound_identifier
from .wal_plain import Bench, Plain
from .wal_ports import WalSource
from .wal_reading import SEALED
from .world import World

DECIDED = ("wal.conflict", "wal.other_server", "wal.segment_size")     # no other repository makes these right


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
    system_identifier: str = ""    # of the server, where it is known; else that of the first segment
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
        if plain.header is not None:
            self._check_server(store, plain.header)
        suffix = (".zst" if plain.file.kind in COMPRESSED else "") + (SEALED if sealing is not None else "")
        packed = plain.packed(self.job.level, sealing)
        if any(digest != plain.sha256[:DIGITS] for digest in there):
            raise self._conflict(store, plain, suffix, packed)
        if there:
            return True
        try:
            store.put(wal_key(self.world.cluster, plain.file.name, plain.sha256, suffix), packed)
        except Refused as error:
            if error.code != "store.exists":
                raise
            return True                # another pusher of the same bytes was faster
        return False

    def _conflict(self, store: Store, plain: Plain, suffix: str, packed: Iterable[bytes]) -> Refused:
        key = quarantine_key(self.world.cluster, plain.file.name, plain.sha256, suffix)
        if not any(entry.key == key for entry in store.list(key)):
            store.put(key, packed)
        return Refused(f"file {plain.file.name} is in repository {store.name} with other content",
                       hint=f"Two servers may archive as cluster {self.world.cluster}, or this one was reset; the "
                            f"refused file is {store.name}:{key}. Stop the wrong server, or give this one a cluster "
                            "name of its own (docs/wal.md, 'same name, other content').", code="wal.conflict")

    def _check_server(self, store: Store, header: SegmentHeader) -> None:
        wanted = (header.system_identifier, header.segment_size)
        if self.system_identifier and self.system_identifier != header.system_identifier:
            raise _other_server("the server", self.system_identifier, header.system_identifier)
        if self._bound.get(store.name) == wanted:
            return
        self._bound.pop(store.name, None)
        bind_wal(store, self.world.cluster, *wanted)
        self._bound[store.name] = wanted


def bind_wal(store: Store, cluster: str, system_identifier: str, segment_size: int) -> None:
    """Bind a cluster's WAL in a repository to one server at its first segment; refuse another server later."""
    key = cluster_key(cluster)
    if any(entry.key == key for entry in store.list(key)):
        bound = bound_identifier(store, key)
        if bound and bound != system_identifier:
            raise _other_server(f"repository {store.name}", bound, system_identifier)
    else:
        _put_once(store, key, {"format": 1, "system_identifier": system_identifier})
    sizes = [parse_binding_key(entry.key) for entry in store.list(binding_prefix(cluster))]
    if any(size not in (None, segment_size) for size in sizes):
        raise Refused(f"repository {store.name} holds segments of {sizes[0]} bytes, this server's have {segment_size}",
                      hint="Give the server a new cluster name after `pg_resetwal --wal-segsize`, and take a base "
                           "backup at once.", code="wal.segment_size")
    if segment_size not in sizes:
        _put_once(store, binding_key(cluster, segment_size),
                  {"format": 1, "system_identifier": system_identifier, "segment_size": segment_size})


def _put_once(store: Store, key: str, body: dict[str, object]) -> None:
    try:
        store.put(key, [json.dumps(body).encode()])
    except Refused as error:
        if error.code != "store.exists":
            raise                      # another worker was faster and wrote the same


def _other_server(whose: str, bound: str, found: str) -> Refused:
    return Refused(f"{whose} is bound to the system identifier {bound}, this WAL is of {found}",
                   hint="Give each server a cluster name of its own; `pg_controldata` shows a server's identifier.",
                   code="wal.other_server")
