# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Let a second thread read ahead, so that decompressing and writing use two processors."""
from __future__ import annotations

import queue
import threading
from contextlib import suppress
from typing import Iterable, Iterator

from .stage import close, owned

CHUNKS = 8                         # that may wait, of 1 MiB at most each
PATIENCE = 0.2                     # seconds between two looks whether anybody still wants chunks


def ahead(chunks: Iterable[bytes], count: int = CHUNKS) -> Iterator[bytes]:
    """Yield the same chunks, read in a thread of their own; an error of the reading is raised in its place."""
    waiting: queue.Queue[bytes | BaseException | None] = queue.Queue(count)
    given_up = threading.Event()

    def give(item: bytes | BaseException | None) -> bool:
        while not given_up.is_set():
            with suppress(queue.Full):
                waiting.put(item, timeout=PATIENCE)
                return True
        return False

    def read() -> None:
        try:
            with owned(chunks) as source:
                for chunk in source:
                    if not give(chunk):
                        return
            give(None)
        except BaseException as error:  # noqa: BLE001 - handed to the thread that takes the chunks
            give(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    try:
        while (item := waiting.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        given_up.set()
        thread.join()
        close(chunks)
