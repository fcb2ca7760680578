# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""CRC-32C, by which PostgreSQL's list of a backup's files judges their contents. Pure.

Python has no such function. A loop over bytes would take minutes for a gigabyte, so a block is cut into lanes that go
forward together: the four bytes of all their sums are four long texts, a step's table is bytes.translate, and an XOR is
one of long integers. The lanes are joined as zlib's crc32_combine does, by the operator that appends zero bytes.
"""
from __future__ import annotations

from functools import cache
from typing import Sequence

POLYNOMIAL = 0x82F63B78            # Castagnoli's, reflected (port/pg_crc32c.h)
START = 0xFFFFFFFF
LEAST = 512                        # bytes from which lanes pay


def _row(number: int) -> int:
    for _bit in range(8):
        number = number >> 1 ^ (POLYNOMIAL if number & 1 else 0)
    return number


TABLE = tuple(_row(number) for number in range(256))
_PLANES = tuple(bytes(row >> 8 * plane & 0xFF for row in TABLE) for plane in range(4))


class Crc32c:
    """A digest with hashlib's methods."""

    def __init__(self) -> None:
        self._sum = START

    def update(self, data: bytes) -> None:
        """Take more bytes."""
        length = 1 << max(len(data).bit_length() // 2, 5)       # of a lane: about as long as there are lanes
        lanes = len(data) // length if len(data) >= LEAST else 0
        if lanes:
            self._sum = _join(_lanes(data, lanes, length, self._sum), length)
        found = self._sum
        for byte in data[lanes * length:]:
            found = TABLE[(found ^ byte) & 0xFF] ^ found >> 8
        self._sum = found

    def hexdigest(self) -> str:
        """Return the sum as a backup_manifest writes it: its bytes as they lie in the memory of the server."""
        return (self._sum ^ START).to_bytes(4, "little").hex()


def _lanes(data: bytes, lanes: int, length: int, start: int) -> Sequence[int]:
    """Return the sum of each lane; the first one goes on from start, the others begin with nothing."""
    planes = [start >> 8 * plane & 0xFF for plane in range(4)]
    end = lanes * length
    for place in range(length):
        column = int.from_bytes(data[place:end:length], "little")
        low = (planes[0] ^ column).to_bytes(lanes, "little")
        t0, t1, t2, t3 = (int.from_bytes(low.translate(table), "little") for table in _PLANES)
        planes = [planes[1] ^ t0, planes[2] ^ t1, planes[3] ^ t2, t3]
    texts = [plane.to_bytes(lanes, "little") for plane in planes]
    return [a | b << 8 | c << 16 | d << 24 for a, b, c, d in zip(*texts)]


def _join(sums: Sequence[int], length: int) -> int:
    t0, t1, t2, t3 = _zeros(length)
    found = 0
    for each in sums:
        found = t0[found & 0xFF] ^ t1[found >> 8 & 0xFF] ^ t2[found >> 16 & 0xFF] ^ t3[found >> 24] ^ each
    return found


@cache
def _zeros(length: int) -> tuple[tuple[int, ...], ...]:
    """Return what appending so many zero bytes, a power of two, makes of each byte of a sum."""
    operator = [TABLE[1 << bit] if bit < 8 else 1 << bit - 8 for bit in range(32)]      # of one zero byte
    for _square in range(length.bit_length() - 1):
        operator = [_apply(operator, each) for each in operator]
    return tuple(tuple(_apply(operator, value << 8 * plane) for value in range(256)) for plane in range(4))


def _apply(operator: Sequence[int], value: int) -> int:
    found, bit = 0, 0
    while value:
        if value & 1:
            found ^= operator[bit]
        value >>= 1
        bit += 1
    return found
