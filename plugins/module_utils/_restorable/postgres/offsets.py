# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Find where the data of a custom archive lies, and say it in its table of contents, as pg_dump does in a file.

pg_dump that writes to a pipe cannot go back, so the contents lack the places of the data, and each of pg_restore's jobs
reads the archive from its beginning to find what it wants. The form is that of src/bin/pg_dump/pg_backup_archiver.c
(WriteHead, WriteToc) and pg_backup_custom.c (WriteOffset, _StartData, _StartLO); versions 1.12 to 1.16 are PostgreSQL
9.0 to 18.
"""
from __future__ import annotations

import struct
from contextlib import suppress
from typing import Callable, Iterable, Iterator

MAGIC = b"PGDMP"
OLDEST, NEWEST = (1, 12), (1, 16)
DATA, LARGE_OBJECTS = 1, 3         # pg_backup_archiver.h BLK_DATA, BLK_BLOBS
NOT_SET, SET = 1, 2                # K_OFFSET_POS_NOT_SET, K_OFFSET_POS_SET
# COPY's text and SQL have no NUL, and no length has more than four of them in a row: five are the end of a table's data
_END = bytes(5)


class Unknown(Exception):
    """This is no archive whose form we know; whoever reads it finds the data in another way."""


def missing_offsets(chunks: Iterable[bytes], known: Callable[[], object] = bool) -> list[tuple[int, bytes]]:
    """Read an archive to its end; return (place in the archive, bytes to put there).

    known is called once its table of contents has passed, while the data is still to come. What cannot be understood
    changes nothing, and calls nothing: it is pg_restore that judges archives.
    """
    source = iter(chunks)
    found: list[tuple[int, bytes]] = []
    with suppress(Unknown):
        found = _locate(_Archive(source), known)
    for _rest in source:
        pass
    return found


def _locate(archive: _Archive, known: Callable[[], object]) -> list[tuple[int, bytes]]:
    version, compressed = _head(archive)
    wanted = dict(_contents(archive, version))
    known()
    found: list[tuple[int, bytes]] = []
    while True:
        place = archive.place()
        kind = archive.byte_or_end()
        if kind is None:
            return found
        entry = archive.number()
        if entry not in wanted or kind not in (DATA, LARGE_OBJECTS):
            raise Unknown
        found.append((wanted.pop(entry), struct.pack("<BQ", SET, place)))
        if kind == LARGE_OBJECTS:
            while archive.number():
                archive.skip_pieces()
        elif compressed:
            archive.skip_pieces()
        else:
            archive.skip_past(_END)


def _head(archive: _Archive) -> tuple[tuple[int, int], bool]:
    """Read up to the table of contents; return the version of the form, and whether the data is compressed."""
    magic, major, minor, _revision, number, offset, form = struct.unpack("<5s6B", archive.take(11))
    version = (major, minor)
    if magic != MAGIC or not OLDEST <= version <= NEWEST or (number, offset, form) != (4, 8, 1):
        raise Unknown
    compressed = archive.take(1)[0] if version >= (1, 15) else archive.number()
    for _part in range(7):             # when it was made
        archive.number()
    for _text in range(3):             # database, version of the server, version of pg_dump
        archive.text()
    return version, bool(compressed)


def _contents(archive: _Archive, version: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Yield (dump id, place of its offset) of each entry whose data nobody knows the place of."""
    for _entry in range(archive.number()):
        dump_id = archive.number()
        archive.number()               # has data
        for _text in range(4):         # catalogue, oid, tag, kind
            archive.text()
        archive.number()               # section
        for _text in range(6 if version >= (1, 14) else 5):
            archive.text()             # definition, drop, copy, schema, tablespace, and from 1.14 on access method
        if version >= (1, 16):
            archive.number()           # relkind
        for _text in range(2):         # owner, with oids
            archive.text()
        while archive.text() is not None:
            pass                       # what it depends on
        place = archive.place()
        if archive.take(9)[0] == NOT_SET:
            yield dump_id, place


class _Archive:
    """The bytes of an archive in the order in which they come."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._held, self._next, self._before = b"", 0, 0

    def place(self) -> int:
        """Return how many bytes were read."""
        return self._before + self._next

    def take(self, size: int) -> bytes:
        """Return the next bytes, exactly so many."""
        while len(self._held) - self._next < size:
            self._more()
        begin, self._next = self._next, self._next + size
        return self._held[begin:self._next]

    def byte_or_end(self) -> int | None:
        """Return the next byte, or None at the end."""
        try:
            return self.take(1)[0]
        except Unknown:
            return None

    def number(self) -> int:
        """Read a sign and four bytes (WriteInt)."""
        negative, value = struct.unpack("<BI", self.take(5))
        return -value if negative else int(value)

    def text(self) -> bytes | None:
        """Read a length and as many bytes (WriteStr); -1 is NULL."""
        size = self.number()
        return self.take(size) if size >= 0 else None

    def skip_pieces(self) -> None:
        """Go past pieces, each with its length before it, up to the empty one."""
        while True:
            size = self.number()
            if size <= 0:
                return
            while len(self._held) - self._next < size:
                size -= len(self._held) - self._next
                self._next = len(self._held)
                self._more()
            self._next += size

    def skip_past(self, mark: bytes) -> None:
        """Go past the next occurrence of a mark."""
        while True:
            found = self._held.find(mark, self._next)
            if found >= 0:
                self._next = found + len(mark)
                return
            self._next = max(self._next, len(self._held) - len(mark) + 1)
            self._more()

    def _more(self) -> None:
        chunk = next(self._chunks, None)
        if chunk is None:
            raise Unknown
        self._before += self._next
        rest = self._held[self._next:]
        self._held, self._next = rest + chunk if rest else chunk, 0
