# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Stages: bytes in, bytes out, in constant memory; an end of input is an end only if all above it ended well."""
from __future__ import annotations

from contextlib import contextmanager
from typing import Callable, Iterable, Iterator

Stage = Callable[[Iterable[bytes]], Iterator[bytes]]

CHUNK = 1024 * 1024                # bytes; the most that is asked for at once


class Pieces(list[bytes]):
    """All bytes of an object, held in memory by a writer who needs no digest of them: a store may compare instead."""


def compose(source: Iterable[bytes], *stages: Stage) -> Iterator[bytes]:
    """Lead source through the stages, first to last, and yield what the last one yields.

    Nothing runs before the first chunk is asked for. When the consumer closes this iterator, or anything
    raises, every stage and the source are closed, last to first, so that no child outlives its stream.
    """
    line: list[Iterable[bytes]] = [source]
    for stage in stages:
        line.append(stage(line[-1]))
    try:
        yield from line[-1]
    finally:
        for each in reversed(line):
            close(each)


def rechunk(chunks: Iterable[bytes], size: int = CHUNK) -> Iterator[bytes]:
    """Yield chunks of exactly size bytes; only the last may be shorter, and none is empty."""
    with owned(chunks) as source:
        hold = bytearray()
        for chunk in source:
            if not hold and len(chunk) == size:
                yield chunk
                continue
            hold += chunk
            while len(hold) >= size:
                yield bytes(hold[:size])
                del hold[:size]
        if hold:
            yield bytes(hold)


@contextmanager
def owned(chunks: Iterable[bytes]) -> Iterator[Iterator[bytes]]:
    """Iterate over chunks and close them when the block ends, however it ends.

    Every stage owns what it reads: `with owned(chunks) as source: for chunk in source: …`.
    """
    source = iter(chunks)
    try:
        yield source
    finally:
        close(source)
        close(chunks)


def close(chunks: object) -> None:
    """Close a generator or file; lists and other plain iterables have nothing to close."""
    closer = getattr(chunks, "close", None)
    if closer is not None:
        closer()
