# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Read age's text form: strict PEM (RFC 7468 section 3) of one age file, in constant memory."""
from __future__ import annotations

import base64
import binascii
from typing import Iterable, Iterator

from ..errors import Damaged
from .stage import owned

BEGIN = b"-----BEGIN AGE ENCRYPTED FILE-----"
_END = b"-----END AGE ENCRYPTED FILE-----"
_BLANK = b" \t\r\n"
_COLUMNS = 64
_MOST_BLANK = 1024                 # bytes of white space that may stand before and after
_BATCH = 1024                      # lines decoded at once


def dearmor(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the bytes of an armored file; raise Damaged for any form but the canonical one."""
    with owned(chunks) as source:
        lines = _lines(source)
        blank = 0
        for line in lines:
            if line.strip(_BLANK):
                break
            blank += len(line) + 1
            if blank > _MOST_BLANK:
                raise _damaged("too much white space stands before it")
        else:
            raise _damaged("it is empty")
        if line.lstrip(_BLANK) != BEGIN:
            raise _damaged("its first line is another")
        yield from _body(lines)
        rest = sum(len(line) + 1 for line in _only_blank(lines))
        if rest > _MOST_BLANK:
            raise _damaged("too much white space stands after it")


def _body(lines: Iterator[bytes]) -> Iterator[bytes]:
    held: list[bytes] = []
    short = False
    for line in lines:
        if line.rstrip(_BLANK) == _END:
            yield _decode(held)
            return
        if short or not line or len(line) > _COLUMNS:
            raise _damaged("a line within it has not 64 letters")
        short = len(line) < _COLUMNS
        held.append(line)
        if len(held) == _BATCH and not short and not line.endswith(b"="):
            yield _decode(held)
            held = []
    raise _damaged("its last line is missing")


def _decode(lines: list[bytes]) -> bytes:
    text = b"".join(lines)
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _damaged(str(error)) from error
    if base64.b64encode(data) != text:
        raise _damaged("its base 64 is not in its canonical form")
    return data


def _only_blank(lines: Iterator[bytes]) -> Iterator[bytes]:
    for line in lines:
        if line.strip(_BLANK):
            raise _damaged("something stands after its last line")
        yield line


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield lines without their end, LF or CRLF; one of absurd length raises Damaged."""
    rest = b""
    for chunk in chunks:
        rest += chunk
        *lines, rest = rest.split(b"\n")
        for line in lines:
            yield line[:-1] if line.endswith(b"\r") else line
        if len(rest) > _MOST_BLANK + _COLUMNS:
            raise _damaged("a line is too long")
    if rest:
        yield rest


def _damaged(why: str) -> Damaged:
    return Damaged(f"the armor of an age file is damaged: {why}", code="age.armor",
                   hint="Use another backup or another repository's copy of it.")
