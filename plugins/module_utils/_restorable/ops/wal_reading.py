# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Read archived WAL for base backups, recoveries and drills: what is there, and each file whole or not at all."""
from __future__ import annotations

import hashlib
from typing import Iterable, Iterator

from ..errors import Damaged, NotFound
from ..model.timeline import Lineage, lineage
from ..model.wal import Segment
from ..model.wal_catalogue import WalCatalogue
from ..model.wal_naming import StoredWal, parse_wal_key, wal_file_prefix, wal_prefix
from ..model.wal_sealing import generation_of, valid
from ..ports import Store
from ..stream.compress import decompressor
from .objects import counted
from .world import World

SEALED = ".age"


def read_wal_catalogue(world: World, store: Store) -> WalCatalogue:
    """List a cluster's WAL in one repository."""
    return WalCatalogue.of((entry.key, entry.size) for entry in store.list(wal_prefix(world.cluster)))


def read_lineage(world: World, store: Store, catalogue: WalCatalogue, timeline: int) -> Lineage:
    """Return a timeline with its ancestors, from the archived history files."""
    histories = {stored.file.timeline: b"".join(read_wal(world, store, stored)).decode()
                 for stored in valid(catalogue.histories) if stored.file.timeline == timeline}
    return lineage(timeline, histories)


def find_wal(world: World, store: Store, name: str) -> StoredWal | None:
    """Return what is stored under a WAL file's name, or None if a listing proves that nothing is."""
    found = [stored for entry in store.list(wal_file_prefix(world.cluster, name))
             for stored in [parse_wal_key(entry.key, entry.size)] if stored]
    if len({stored.digest for stored in found}) > 1:
        raise Damaged(f"WAL {name} is stored with {len(found)} different contents in repository {store.name}",
                      code="wal.conflict", hint="See `restorable status`; two servers wrote to one repository.")
    return max(found, key=generation_of, default=None)


def read_wal(world: World, store: Store, stored: StoredWal) -> Iterator[bytes]:
    """Yield a file's plain bytes; raise Damaged before the end unless they are what was archived."""
    return plain_wal(world, store, stored, counted(store.get(stored.key), world.progress))


def plain_wal(world: World, store: Store, stored: StoredWal, packed: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the plain bytes of what a repository stores; raise Damaged as read_wal does."""
    digest = hashlib.sha256()
    if stored.suffix.endswith(SEALED):
        packed = world.keys.opening()(packed)
    try:
        for chunk in decompressor("zstd" if ".zst" in stored.suffix else "none")(packed):
            digest.update(chunk)
            yield chunk
    except Damaged as error:
        if not error.code.startswith("stream."):
            raise
        raise _damaged(store, stored, f": {error.message}") from error
    if not digest.hexdigest().startswith(stored.digest):
        raise _damaged(store, stored)


def verify_segment(world: World, store: Store, segment: Segment) -> None:
    """Read a segment to its end; raise NotFound or Damaged unless it is whole.

    A host with public keys only cannot open what it sealed: there a segment is whole if every stored byte can be read.
    """
    stored = find_wal(world, store, segment.name)
    if stored is None:
        raise NotFound(f"WAL {segment.name} is not in repository {store.name}", code="wal.missing",
                       hint="Look at pg_stat_archiver on the server and at the shipper.")
    closed = stored.suffix.endswith(SEALED) and not world.keys.openable
    wanted = stored.size if closed else segment.size
    size = sum(map(len, store.get(stored.key) if closed else read_wal(world, store, stored)))
    if size != wanted:
        raise Damaged(f"WAL {segment.name} in repository {store.name} has {size} bytes, not {wanted}",
                      code="wal.damaged", hint="Take a new base backup, and look at the server's pg_wal.")


def _damaged(store: Store, stored: StoredWal, why: str = "") -> Damaged:
    return Damaged(f"WAL {stored.name} in repository {store.name} is not what was archived{why}", code="wal.damaged",
                   hint="Recover from another repository, or to before it, and take a new base backup.")
