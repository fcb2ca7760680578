# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Keep the evidence of drills apart from the backups, so that who proves backups need not be able to change them."""
from __future__ import annotations

import heapq
from typing import Iterable, Iterator

from ..errors import NotFound, Unavailable
from ..model.naming import is_evidence
from ..ports import Entry, Store, Stored


class EvidenceApart:
    """A Store of two: new evidence goes into one, everything else into the other; both are read as one.

    Evidence that was stored beside the backups before it was kept apart is still seen.
    """

    def __init__(self, backups: Store, evidence: Store) -> None:
        self.backups = backups
        self._evidence = evidence
        self.name = backups.name

    def check(self, *, write: bool = True) -> None:
        """Raise unless both can be trusted. Backups may be mounted read-only: a put of one would say so."""
        self._evidence.check(write=write)
        try:
            self.backups.check(write=write)
        except Unavailable as error:
            if error.code != "store.read_only":
                raise
            self.backups.check(write=False)

    def put(self, key: str, chunks: Iterable[bytes]) -> Stored:
        """Store where the key belongs; see Store.put."""
        return self._home(key).put(key, chunks)

    def put_file(self, key: str, path: str, *, move: bool = False) -> Stored:
        """Store a file where the key belongs; see Store.put_file."""
        return self._home(key).put_file(key, path, move=move)

    def get(self, key: str) -> Iterator[bytes]:
        """Yield an object's bytes from where it is."""
        if not is_evidence(key):
            yield from self.backups.get(key)
            return
        chunks = self._evidence.get(key)
        try:
            first = next(chunks, b"")
        except NotFound:
            yield from self.backups.get(key)
            return
        yield first
        yield from chunks

    def list(self, prefix: str) -> Iterator[Entry]:
        """Yield what both hold, sorted by key."""
        return heapq.merge(self.backups.list(prefix), self._evidence.list(prefix), key=_key)

    def delete(self, key: str) -> None:
        """Remove an object from wherever it is."""
        if is_evidence(key):
            self._evidence.delete(key)
        self.backups.delete(key)

    def free_bytes(self) -> int | None:
        """Return how many bytes of backups still fit."""
        return self.backups.free_bytes()

    def _home(self, key: str) -> Store:
        return self._evidence if is_evidence(key) else self.backups


def _key(entry: Entry) -> str:
    return entry.key
