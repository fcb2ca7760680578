# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Give a recovery what a stream has received and no repository has: the last segments, and the one that is not whole.

A part of a segment is zeros behind what was received, which recovery takes for the end of the WAL.
"""
from __future__ import annotations

from itertools import chain
from typing import Iterable, Iterator

from ..errors import Damaged, NotFound, Refused
from ..model.naming import cluster_key
from ..model.wal import WalFile
from ..model.wal_header import SegmentHeader
from .preflight import bound_identifier
from .wal_get import Write
from .wal_ports import WalSource
from .world import World

PARTIAL = ".partial"


def get_received(world: World, source: WalSource, name: str, write: Write) -> bool:
    """Write a segment into its place and say whether there was one; raise Refused for another server's."""
    if WalFile.parse(name).kind != "segment":
        return False
    for there in (name, name + PARTIAL):
        try:
            chunks = source.read(there)
            first = next(chunks, b"")
            header = SegmentHeader.parse(first, there)
        except NotFound:
            continue
        except Damaged:
            return False               # it was only begun
        if header.address != WalFile.parse(name).segment(header.segment_size).start:
            return False               # of what the file was before
        _require_own(world, header.system_identifier)
        write(_all(first, chunks))
        return True
    return False


def _all(first: bytes, rest: Iterator[bytes]) -> Iterable[bytes]:
    return chain([first], rest)


def _require_own(world: World, system_identifier: str) -> None:
    for store in world.stores:
        bound = bound_identifier(store, cluster_key(world.cluster))
        if bound and bound != system_identifier:
            raise Refused(f"the stream's folder holds WAL of {system_identifier}, repository {store.name} is bound to "
                          f"{bound}", code="wal.other_server", hint="Give each cluster a spool of its own.")
