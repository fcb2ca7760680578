# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The header of an age file: for whom it is sealed. Pure. The rules are those of C2SP age.md, "Header"."""
from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

INTRO = b"age-encryption.org/v1\n"
LONGEST = 1 << 20                  # bytes of a header; hundreds of recipients fit

_COLUMNS = 64
_MAC = re.compile(rb"--- ([A-Za-z0-9+/]{43})\n")
_ARGUMENTS = re.compile(rb"-> ([\x21-\x7e]+(?: [\x21-\x7e]+)*)\n")


class BadHeader(ValueError):
    """What stands where a header should be is none; the text says why."""


@dataclass(frozen=True)
class Stanza:
    """The file key, wrapped for one recipient: its kind, what goes with it, and the wrapped key."""

    kind: str
    arguments: tuple[str, ...]
    body: bytes

    def as_bytes(self) -> bytes:
        """Return the stanza as it stands in a header."""
        text = raw64(self.body)
        lines = [text[at:at + _COLUMNS] for at in range(0, len(text), _COLUMNS)]
        if not lines or len(lines[-1]) == _COLUMNS:
            lines.append("")           # a body ends with a line that is not full
        return "\n".join([" ".join(["->", self.kind, *self.arguments]), *lines, ""]).encode()


@dataclass(frozen=True)
class Header:
    """All stanzas, the code that seals them, and the bytes that the code is of."""

    stanzas: tuple[Stanza, ...]
    mac: bytes
    covered: bytes


def covered_by_mac(stanzas: tuple[Stanza, ...]) -> bytes:
    """Return the bytes of a header that its code is computed of: up to and with the three dashes."""
    return INTRO + b"".join(stanza.as_bytes() for stanza in stanzas) + b"---"


def end_of_header(data: bytes) -> int:
    """Return the length of the header that data begins with, or 0 while its end is still to come.

    Raises BadHeader as soon as it cannot become one, so that a foreign file is not read to its end.
    """
    if not data.startswith(INTRO[:len(data)]):
        first = data.split(b"\n", 1)[0]
        if first.startswith(INTRO[:19]):
            raise BadHeader(f"its version is {first[19:40].decode(errors='replace')!r}, only v1 is known")
        raise BadHeader("it does not begin as an age file does")
    at = data.find(b"\n---", len(INTRO) - 1)
    end = data.find(b"\n", at + 1) + 1 if at >= 0 else 0
    if not end and len(data) > LONGEST:
        raise BadHeader(f"its header has no end within {LONGEST} bytes")
    return end


def parse_header(data: bytes) -> Header:
    """Read a header, whole and without anything after it; raise BadHeader for any other form than the one allowed."""
    end = data.rfind(b"\n---") + 1
    found = _MAC.fullmatch(data, max(end, 0))
    if not found or not data.startswith(INTRO):
        raise BadHeader("its last line is no code of 43 letters")
    stanzas, at = [], len(INTRO)
    while at < end:
        stanza, at = _stanza(data, at, end)
        stanzas.append(stanza)
    if not stanzas:
        raise BadHeader("it is sealed for nobody")
    return Header(tuple(stanzas), unraw64(found[1].decode()), data[:end + 3])


def _stanza(data: bytes, at: int, end: int) -> tuple[Stanza, int]:
    first = _ARGUMENTS.match(data, at, end)
    if not first:
        raise BadHeader("a stanza does not begin with an arrow and its arguments")
    kind, *arguments = first[1].decode("ascii").split(" ")
    at, text = first.end(), ""
    while True:
        stop = data.find(b"\n", at, end)
        if stop < 0:
            raise BadHeader("a stanza has no last line")
        line = data[at:stop].decode("ascii", "replace")
        if len(line) > _COLUMNS:
            raise BadHeader(f"a line of a stanza has {len(line)} letters")
        text, at = text + line, stop + 1
        if len(line) < _COLUMNS:
            break
    return Stanza(kind, tuple(arguments), unraw64(text)), at


def raw64(data: bytes) -> str:
    """Return base 64 without padding."""
    return base64.b64encode(data).decode().rstrip("=")


def unraw64(text: str) -> bytes:
    """Read base 64 without padding; raise BadHeader for anything but its one canonical form."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadHeader(f"base 64 is damaged: {error}") from error
    if raw64(data) != text:
        raise BadHeader("base 64 is not in its canonical form")
    return data
