# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Bech32 (BIP 173) without its limit of length, as age writes its keys. Pure."""
from __future__ import annotations

from typing import Iterable

_LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES = {letter: value for value, letter in enumerate(_LETTERS)}
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM = 6                      # letters


def encode(prefix: str, data: bytes) -> str:
    """Return prefix, the separator 1, and data with its checksum, in lower case."""
    values = _regroup(data, 8, 5, pad=True)
    mod = _polymod([*_expand(prefix), *values, *([0] * _CHECKSUM)]) ^ 1
    values += [(mod >> 5 * (5 - place)) & 31 for place in range(_CHECKSUM)]
    return f"{prefix}1{''.join(_LETTERS[value] for value in values)}"


def decode(text: str) -> tuple[str, bytes]:
    """Return (prefix in lower case, data); raise ValueError unless every letter and the checksum are right."""
    lower = text.lower()
    if text not in (lower, text.upper()):
        raise ValueError("upper and lower case are mixed")
    prefix, separator, rest = lower.rpartition("1")
    if not separator or not prefix or len(rest) < _CHECKSUM:
        raise ValueError("it is too short or has no separator 1")
    if not all(33 <= ord(letter) <= 126 for letter in prefix):
        raise ValueError("its prefix has letters that are not allowed")
    values = [_VALUES.get(letter, -1) for letter in rest]
    if -1 in values:
        raise ValueError(f"{rest[values.index(-1)]!r} is no letter of it")
    if _polymod([*_expand(prefix), *values]) != 1:
        raise ValueError("its checksum is wrong")
    return prefix, bytes(_regroup(values[:-_CHECKSUM], 5, 8, pad=False))


def _expand(prefix: str) -> list[int]:
    return [*(ord(letter) >> 5 for letter in prefix), 0, *(ord(letter) & 31 for letter in prefix)]


def _polymod(values: Iterable[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, term in enumerate(_GENERATOR):
            check ^= term if top >> bit & 1 else 0
    return check


def _regroup(values: Iterable[int], have: int, want: int, *, pad: bool) -> list[int]:
    held, bits, out = 0, 0, []
    for value in values:
        held, bits = (held << have | value) & 0xFFFFF, bits + have
        while bits >= want:
            bits -= want
            out.append(held >> bits & (1 << want) - 1)
    if pad and bits:
        out.append(held << want - bits & (1 << want) - 1)
    elif not pad and (bits >= have or held & (1 << bits) - 1):
        raise ValueError("its padding is wrong")
    return out
