# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""One reading for every repository: the same chunks go into several stores at once, in constant memory."""
from __future__ import annotations

import queue
import threading
from contextlib import suppress
from typing import Iterable, Iterator, Sequence

from ..errors import RestorableError
from ..ports import Store, Stored
from .stage import owned

AHEAD = 4          # chunks that one store may lag behind the others
PATIENCE = 0.2     # seconds between two looks whether a store that takes nothing has failed


class _Abandoned(Exception):
    """The reading failed, or another store did: what was put so far must not become visible."""


class _Branch:
    """One store's share of the stream, put by a thread of its own."""

    def __init__(self, store: Store, key: str) -> None:
        self.store = store
        self.stored: Stored | None = None
        self.error: BaseException | None = None
        self._key = key
        self._chunks: queue.Queue[bytes | BaseException | None] = queue.Queue(AHEAD)
        self._thread = threading.Thread(target=self._put, daemon=True)
        self._thread.start()

    def give(self, item: bytes | BaseException | None) -> bool:
        """Hand a chunk, the end (None) or a failure to the store; False if the store is done already."""
        while self._thread.is_alive():
            with suppress(queue.Full):
                self._chunks.put(item, timeout=PATIENCE)
                return True
        return False

    def wait(self) -> None:
        """Wait for the store to be done."""
        self._thread.join()

    def _put(self) -> None:
        try:
            self.stored = self.store.put(self._key, self._read())
        except BaseException as error:  # noqa: BLE001 - handed to the thread that reads
            self.error = error

    def _read(self) -> Iterator[bytes]:
        while True:
            item = self._chunks.get()
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item


def put_everywhere(stores: Sequence[Store], key: str, chunks: Iterable[bytes]) -> list[Stored]:
    """Put one stream into every store, reading it once; return what each stored, in the stores' order.

    All or none: if the reading or one store fails, its error is raised and no store shows the object.
    """
    if len(stores) == 1:
        return [stores[0].put(key, chunks)]
    branches = [_Branch(store, key) for store in stores]
    try:
        _spread(chunks, branches)
    except BaseException as error:  # noqa: BLE001 - raised again below, or the error that caused it
        for branch in branches:
            branch.give(_Abandoned())
            branch.wait()
        _take_back(branches, key)
        raise next((branch.error for branch in branches
                    if branch.error is not None and not isinstance(branch.error, _Abandoned)), error) from None
    return [branch.stored for branch in branches if branch.stored is not None]


def _spread(chunks: Iterable[bytes], branches: Sequence[_Branch]) -> None:
    with owned(chunks) as source:
        for chunk in source:
            for branch in branches:
                if not branch.give(chunk):
                    raise _Abandoned
    for branch in branches:
        if not branch.give(None):
            raise _Abandoned
    for branch in branches:
        branch.wait()
        if branch.error is not None:
            raise branch.error


def _take_back(branches: Sequence[_Branch], key: str) -> None:
    for branch in branches:
        if branch.stored is not None:
            with suppress(RestorableError):  # an object without manifest is an orphan, which the next run sweeps
                branch.store.delete(key)
