# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Make a growing file durable, and read it back from the disk, while it is still being written."""
from __future__ import annotations

import hashlib
import os
import queue
import threading
from contextlib import suppress
from typing import Sequence

from ..stream.stage import CHUNK

PAGE = 4096                        # a page that is written to again is not read back yet
AHEAD = 16 * 1024 * 1024           # bytes between two flushes; below that a file is flushed at its end only


class ReadBack:
    """Follows the writer of one file. Without it the writer would wait at the end for a whole file's disk.

    A second thread flushes what was written so far, drops it from memory and reads it again, so that at the end
    only the last piece is left to do. What fails there is raised by finish.
    """

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._size, self._digest = 0, hashlib.sha256()
        self._told = 0
        self._error: OSError | None = None
        self._ends: queue.Queue[int | None] = queue.Queue(1)
        self._thread: threading.Thread | None = None

    def written(self, size: int) -> None:
        """Say how many bytes the file has now; never waits for the disk."""
        if size - self._told < AHEAD or self._error is not None:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._follow, daemon=True)
            self._thread.start()
        with suppress(queue.Full):     # the disk is slower than the writer; it will catch up with more at once
            self._ends.put_nowait(size - size % PAGE)
            self._told = size

    def is_durable_as(self, pieces: Sequence[bytes]) -> bool:
        """Make a file durable of which nothing was read back yet, and say whether the disk has these pieces of it.

        To compare them is a tenth of the work of a digest, for a writer who has them in memory anyway.
        """
        if self._thread is not None:
            return False
        os.fsync(self._handle)
        forget(self._handle)
        place = 0
        for piece in pieces:
            for begin in range(0, len(piece), CHUNK):
                part = piece[begin:begin + CHUNK]
                if os.pread(self._handle, len(part), place) != part:
                    return False
                place += len(part)
        forget(self._handle)
        return not os.pread(self._handle, 1, place)

    def finish(self, size: int) -> tuple[int, str]:
        """Make all of it durable; return the size and SHA-256 of what was read back."""
        self.stop()
        if self._error is not None:
            raise self._error
        os.fsync(self._handle)
        self._read_to(size)
        # a byte more than was written would be as wrong as one less
        self._size += len(os.pread(self._handle, 1, self._size))
        return self._size, self._digest.hexdigest()

    def stop(self) -> None:
        """End the second thread."""
        if self._thread is not None:
            self._ends.put(None)
            self._thread.join()
            self._thread = None

    def _follow(self) -> None:
        while True:
            end = self._ends.get()
            if end is None:
                return
            if self._error is None:
                try:
                    os.fdatasync(self._handle)
                    self._read_to(end)
                except OSError as error:
                    self._error = error

    def _read_to(self, end: int) -> None:
        begin = self._size
        forget(self._handle, begin, end - begin)
        while self._size < end:
            chunk = os.pread(self._handle, min(CHUNK, end - self._size), self._size)
            if not chunk:
                break
            self._digest.update(chunk)
            self._size += len(chunk)
        forget(self._handle, begin, end - begin)


def forget(handle: int, begin: int = 0, length: int = 0) -> None:
    """Drop a file's clean pages from memory, so that the next read is the disk's; length 0 is to the end."""
    with suppress(OSError):            # some file systems have no such advice
        os.posix_fadvise(handle, begin, length, os.POSIX_FADV_DONTNEED)
