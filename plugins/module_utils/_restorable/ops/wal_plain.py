# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""A WAL file as it is read once: its digest, what its first page says, and its bytes as they are stored.

Reading and packing is work for a processor and takes memory, storing is mostly waiting for a disk or a network. So a
file that is on its way holds a place at the bench only while it is read and packed.
"""
from __future__ import annotations

import hashlib
import queue
from contextlib import contextmanager
from typing import Iterable, Iterator, Sequence

from ..errors import Damaged
from ..model.wal import WalFile
from ..model.wal_header import LENGTH, SegmentHeader
from ..model.wal_naming import COMPRESSED
from ..model.wal_texts import TEXTS, check_text
from ..stream.compress import compress_whole, compressor
from ..stream.stage import CHUNK, Pieces, Stage, compose
from .wal_ports import WalSource

BUFFERED = 16 * 1024 * 1024        # bytes of a file up to which it is read and packed once for all repositories
LIGHT = 6 * 1024 * 1024            # packed bytes of a file that may lie beside those that are being packed


class Bench:
    """So many places, each with a buffer that is used again and again: fresh memory costs as much as reading does."""

    def __init__(self, places: int) -> None:
        self._places: queue.LifoQueue[bytearray | None] = queue.LifoQueue()
        for _place in range(places):
            self._places.put(None)

    @contextmanager
    def place(self) -> Iterator[bytearray]:
        """Wait for a place and give its buffer."""
        buffer = self._places.get()
        try:
            buffer = bytearray(BUFFERED + 1) if buffer is None else buffer     # one more tells that a file is larger
            yield buffer
        finally:
            self._places.put(buffer)


class Plain:
    """A file that was read. Its bytes are in the buffer as long as its reader has its place at the bench."""

    def __init__(self, source: WalSource, file: WalFile, buffer: bytearray) -> None:
        self._source, self.file = source, file
        self._buffer = memoryview(buffer)
        self.size, self.sha256 = _measured(source.read_into(file.name, self._buffer))
        head = bytes(self._buffer[:min(LENGTH, self.size)])
        if self.size > BUFFERED:
            self.size, self.sha256 = _measured(source.read(file.name))
        self._buffer = self._buffer[:self.size]
        self._packed = Pieces()
        self.system_identifier = source.system_identifier()
        self.header = self._checked(head) if file.kind in ("segment", "partial") else None
        if not self.size:
            raise Damaged(f"file {file.name} is empty", code="wal.no_segment",
                          hint="Look into pg_wal of the server; its disk may be failing.")
        self.lineage = check_text(file, bytes(self._buffer)) if file.kind in TEXTS else None

    def pack(self, level: int, sealing: Stage | None) -> None:
        """Make the bytes as they are stored, while the buffer holds the file; of a large file nothing is made yet."""
        if self.size > BUFFERED:
            return
        if sealing is None and self.file.kind in COMPRESSED:
            self._packed = Pieces([compress_whole(level, self._buffer)])
        else:                          # piece by piece, so that it is not held a third time between the two
            pieces = (bytes(self._buffer[begin:begin + CHUNK]) for begin in range(0, self.size, CHUNK))
            self._packed = Pieces(compose(pieces, *self._stages(level, sealing)))

    @property
    def light(self) -> bool:
        """Say whether what is packed takes so little memory that its place at the bench can be given up."""
        return sum(map(len, self._packed)) <= LIGHT

    def packed(self, level: int, sealing: Stage | None) -> Iterable[bytes]:
        """Return the bytes as they are stored; a large file is read again for each repository."""
        if self._packed:
            return self._packed
        return compose(self._source.read(self.file.name), *self._stages(level, sealing))

    def _stages(self, level: int, sealing: Stage | None) -> Sequence[Stage]:
        return [*([compressor("zstd", level)] if self.file.kind in COMPRESSED else []),
                *([] if sealing is None else [sealing])]

    def _checked(self, head: bytes) -> SegmentHeader:
        header = SegmentHeader.parse(head, self.file.name)
        segment = self.file.segment(header.segment_size)
        if self.size != header.segment_size or header.address != segment.start or \
                header.timeline > self.file.timeline:
            raise Damaged(f"file {self.file.name} has {self.size} bytes and begins with place {header.address} of "
                          f"timeline {header.timeline}", code="wal.no_segment",
                          hint="It is not what its name says; look at it with `pg_waldump`.")
        return header


def _measured(pieces: Iterable[bytes | memoryview]) -> tuple[int, str]:
    size, digest = 0, hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
        size += len(piece)
    return size, digest.hexdigest()
