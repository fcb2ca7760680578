# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Compress and decompress streams: zstd, gzip, none. A stream that ends early or goes on after its end is damaged."""
from __future__ import annotations

import zlib
from typing import Iterable, Iterator

from ..errors import ConfigError, Damaged
from .stage import CHUNK, Stage, owned
from .zstd import zstd_compressor, zstd_decompressor, zstd_whole

METHODS = ("zstd", "gzip", "none")
LEVELS = {"zstd": range(1, 20), "gzip": range(1, 10)}
# Measured on 1 GB of pg_dump -Fc -Z0 (tables, jsonb, 200 MB of random bytes; seconds of processor time, MB):
# zstd 1: 0.9 s, 251; zstd 2: 1.2 s, 252; zstd 3: 3.1 s, 264; gzip 6: 15 s, 303. Windows of 2 to 8 MiB save 0.4 %.
DEFAULT_LEVEL = {"zstd": 1, "gzip": 6}

_GZIP = 16 + zlib.MAX_WBITS        # zlib.h: a gzip header and its CRC-32 around the deflated data


def compressor(method: str, level: int | None = None) -> Stage:
    """Return the stage that compresses; level is the method's own scale, None our default."""
    _check(method, level)
    if method == "none":
        return _pass
    chosen = DEFAULT_LEVEL[method] if level is None else level
    return zstd_compressor(chosen) if method == "zstd" else _gzip(chosen)


def compress_whole(level: int, data: memoryview) -> bytes:
    """Return data as one zstd frame with a checksum: a fifth less work than a stream of it is (16 MiB of WAL)."""
    _check("zstd", level)
    return zstd_whole(level, data)


def decompressor(method: str) -> Stage:
    """Return the stage that decompresses one or more frames (zstd) or members (gzip), one after the other.

    Raises Damaged("stream.truncated") if the input ends inside one, Damaged("stream.garbage") if something
    else follows or a checksum is wrong. Output comes in chunks of at most 1 MiB however well it was compressed.
    """
    _check(method, None)
    if method == "none":
        return _pass
    return zstd_decompressor() if method == "zstd" else _gunzip


def _check(method: str, level: int | None) -> None:
    if method not in METHODS:
        raise ConfigError(f"compression method {method!r} is not known", code="compression.method",
                          hint=f"Choose one of {', '.join(METHODS)}.")
    allowed = LEVELS.get(method, range(0))
    if level is not None and level not in allowed:
        raise ConfigError(f"compression level {level} is not one of {method}", code="compression.level",
                          hint=f"Choose a level from {allowed[0]} to {allowed[-1]}." if allowed else
                               "Remove the level.")


def _pass(chunks: Iterable[bytes]) -> Iterator[bytes]:
    with owned(chunks) as source:
        yield from source


def _gzip(level: int) -> Stage:
    def stage(chunks: Iterable[bytes]) -> Iterator[bytes]:
        packer = zlib.compressobj(level, zlib.DEFLATED, _GZIP)
        with owned(chunks) as source:
            for chunk in source:
                packed = packer.compress(chunk)
                if packed:
                    yield packed
        yield packer.flush()

    return stage


def _gunzip(chunks: Iterable[bytes]) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(_GZIP)
    with owned(chunks) as source:
        for data in source:
            while data:
                if unpacker.eof:
                    unpacker = zlib.decompressobj(_GZIP)
                try:
                    plain = unpacker.decompress(data, CHUNK)
                except zlib.error as error:
                    raise Damaged(f"gzip data is damaged: {error}", code="stream.garbage",
                                  hint="Use another backup or another repository's copy of it.") from error
                data = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
                if plain:
                    yield plain
    if not unpacker.eof:
        raise Damaged("gzip data ends before its end", code="stream.truncated",
                      hint="Use another backup or another repository's copy of it.")
