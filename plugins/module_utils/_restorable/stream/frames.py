# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Follow the frames of zstd data without decompressing it, to know whether it ends where a frame ends.

The layout is RFC 8878 section 3.1: magic number, frame header, blocks that tell their size, a checksum if the
header says so. The zstandard package's reader ends without an error when its input ends inside a frame.
"""
from __future__ import annotations

from typing import Iterable, Iterator

from .stage import owned

_MAGIC = b"\x28\xb5\x2f\xfd"
_SKIPPABLE = b"\x2a\x4d\x18"       # after a first byte of 0x50 to 0x5f
_DICTIONARY = (0, 1, 2, 4)         # bytes, by the two lowest bits of the descriptor


class FrameWalk:
    """Takes the data in any pieces; frames is how many began, garbage that something else was found."""

    def __init__(self) -> None:
        self.frames = 0
        self.garbage = False
        self._skip = 0                 # bytes until the next header
        self._held = b""               # a header that is not whole yet
        self._inside = False           # between a frame's header and its last block
        self._checksum = 0             # bytes after the last block

    @property
    def complete(self) -> bool:
        """Say whether all that was added is a number of whole frames, at least one."""
        return bool(self.frames) and not (self._skip or self._held or self._inside or self.garbage)

    def watch(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Pass chunks on and follow them."""
        with owned(chunks) as source:
            for chunk in source:
                self.add(chunk)
                yield chunk

    def add(self, data: bytes) -> None:
        """Follow the next piece."""
        place = 0
        while place < len(data) and not self.garbage:
            if self._skip:
                step = min(self._skip, len(data) - place)
                self._skip -= step
                place += step
                continue
            need = self._needed()
            step = min(need - len(self._held), len(data) - place)
            self._held += data[place:place + step]
            place += step
            if len(self._held) == self._needed():
                self._take()

    def _needed(self) -> int:
        """Return how many bytes the header at this place has, as far as its beginning tells."""
        if self._inside:
            return 3
        if len(self._held) < 5:
            return 5
        return 5 + _header_size(self._held[4]) if self._held[:4] == _MAGIC else 8

    def _take(self) -> None:
        """Read a whole header and set what follows it."""
        head, self._held = self._held, b""
        if self._inside:
            value = int.from_bytes(head, "little")
            kind, size = value >> 1 & 3, value >> 3
            self._skip = 1 if kind == 1 else size      # RLE_Block: one byte, repeated size times
            if value & 1:
                self._inside = False
                self._skip += self._checksum
            self.garbage = kind == 3
        elif head[:4] == _MAGIC:
            self.frames += 1
            self._inside = True
            self._checksum = 4 if head[4] & 4 else 0
        elif head[1:4] == _SKIPPABLE and 0x50 <= head[0] <= 0x5F:
            self._skip = int.from_bytes(head[4:8], "little")
        else:
            self.garbage = True


def _header_size(descriptor: int) -> int:
    """Return the bytes after the descriptor: window, dictionary id, content size (RFC 8878 section 3.1.1.1)."""
    single = descriptor >> 5 & 1
    content = (1 if single else 0, 2, 4, 8)[descriptor >> 6]
    return (0 if single else 1) + _DICTIONARY[descriptor & 3] + content
