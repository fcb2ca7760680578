# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Count and digest bytes while they pass."""
from __future__ import annotations

import hashlib
from typing import Iterable, Iterator

from .stage import owned


class Tally:
    """A stage that passes bytes on; after a complete end it knows their size and SHA-256.

    hashlib lets other threads run while it works on a chunk of 2 KiB or more, and passes 2 GB/s on a processor
    with SHA instructions, so the digest stays in the thread of the stream. Without digest
    only the size is known.
    """

    def __init__(self, *, digest: bool = True) -> None:
        self._size = 0
        self._digest = hashlib.sha256() if digest else None
        self._complete = False

    def __call__(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        if self._size or self._complete:
            raise ValueError("a tally counts one stream only")
        return self._count(chunks)

    def _count(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        with owned(chunks) as source:
            for chunk in source:
                self._size += len(chunk)
                if self._digest:
                    self._digest.update(chunk)
                yield chunk
        self._complete = True

    @property
    def size(self) -> int:
        """Return the number of bytes; raise ValueError before a complete end."""
        self._ended()
        return self._size

    @property
    def sha256(self) -> str:
        """Return the SHA-256 in hex, "" if none was wanted; raise ValueError before a complete end."""
        self._ended()
        return self._digest.hexdigest() if self._digest else ""

    def _ended(self) -> None:
        if not self._complete:
            raise ValueError("the stream has not ended, its size and digest are not known yet")
