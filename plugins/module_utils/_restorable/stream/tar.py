# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Read a tar stream member by member, in constant memory and with hardly a copy; for what PostgreSQL writes.

PostgreSQL's archives are ustar (src/port/tar.c): names of at most 100 bytes, no extended headers, numbers in octal or,
from 8 GiB on, in base 256.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, Iterator

from ..errors import Damaged
from .stage import owned

BLOCK = 512


@dataclass(frozen=True)
class Member:
    """One entry; kind is file, folder or link."""

    name: str
    kind: str
    size: int
    mode: int
    target: str = ""               # of a link


class TarReader:
    """Gives the members in order; the bytes of one must be taken before the next one."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")
        self._source: Iterator[bytes] = iter(())
        self._left = 0             # bytes of the present member that nobody took
        self._padding = 0

    def members(self) -> Iterator[Member]:
        """Yield every member; raise Damaged if the stream ends before its end mark."""
        with owned(self._chunks) as self._source:
            while True:
                for _piece in self.content():
                    pass
                self._skip(self._padding)
                header = self._take(BLOCK)
                if not any(header):
                    break
                member = _parse(header)
                self._left = member.size if member.kind == "file" else 0
                self._padding = -self._left % BLOCK
                yield member
            for _rest in self._source:     # the second end mark, and what pads the record
                pass

    def content(self) -> Iterator[memoryview]:
        """Yield the present member's bytes, in the pieces in which they come."""
        while self._left:
            self._fill()
            piece = self._rest[:self._left]
            self._rest = self._rest[len(piece):]
            self._left -= len(piece)
            yield piece

    def _take(self, count: int) -> bytes:
        self._fill()
        data = bytes(self._rest[:count])
        self._rest = self._rest[len(data):]
        while len(data) < count:
            self._fill()
            more = bytes(self._rest[:count - len(data)])
            self._rest = self._rest[len(more):]
            data += more
        return data

    def _skip(self, count: int) -> None:
        if count:
            self._take(count)

    def _fill(self) -> None:
        while not self._rest:
            chunk = next(self._source, None)
            if chunk is None:
                raise Damaged("the archive ends before its end mark", code="stream.truncated",
                              hint="Use another backup or another repository's copy of it.")
            self._rest = memoryview(chunk)


def _parse(header: bytes) -> Member:
    """Read a header block; raise Damaged unless its checksum is right."""
    try:
        summed = sum(header) - sum(header[148:156]) + 8 * 32
        if summed != _number(header[148:156]):
            raise ValueError("its checksum is wrong")
        kinds = {b"0": "file", b"\0": "file", b"5": "folder", b"2": "link"}
        prefix = header[345:500].split(b"\0", 1)[0].decode() if header[257:262] == b"ustar" else ""
        name = header[:100].split(b"\0", 1)[0].decode()
        return Member(f"{prefix}/{name}" if prefix else name, kinds[header[156:157]], _number(header[124:136]),
                      _number(header[100:108]) & 0o777, header[157:257].split(b"\0", 1)[0].decode())
    except (ValueError, KeyError, UnicodeDecodeError) as error:
        raise Damaged(f"the archive has a header that cannot be read: {error}", code="stream.garbage",
                      hint="Use another backup or another repository's copy of it.") from error


def _number(field: bytes) -> int:
    if field[0] & 0x80:
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    return int(field.strip(b" \0") or b"0", 8)
