# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Custom archives that are restored while they are read: only the beginning, and what is chosen, comes to the disk."""
from __future__ import annotations

import os
from contextlib import contextmanager
from typing import Iterable, Iterator, Sequence

from ..errors import Damaged
from ..stream.program import picking
from ..stream.stage import CHUNK, owned
from .archives import StagedArchive, damage, no_room, plain_environment, staging_folder

# pg_backup_archiver.c READ_ERROR_EXIT: what pg_restore says of an archive whose table of contents is cut off
_CUT = ("end of file", "too short")


class FlowingArchive(StagedArchive):
    """An archive of which only the head is a file; the rest comes from the store when the data is wanted, once.

    The head holds the table of contents, and everything in it that is no data can be had from there. In a custom
    archive the data follows in the order of the contents (pg_backup_archiver.c WriteDataChunks), so one pass finds all.
    """

    def __init__(self, folder: str, head: str, rest: Iterator[bytes], bin_dir: str = "") -> None:
        super().__init__(head, bin_dir)
        self._folder, self._rest = folder, rest

    def chunks(self) -> Iterator[bytes]:
        """Yield the whole archive, head and rest. Only once."""
        with open(self.path, "rb") as head:
            yield from iter(lambda: head.read(CHUNK), b"")
        yield from self._rest

    def read_all(self) -> None:
        """Read every byte of data, in passing; raise Damaged if that fails. Only once, as chunks."""
        with damage():
            for _chunk in picking([self.tool(), "--file=/dev/null"], env=plain_environment())(self.chunks()):
                pass

    @contextmanager
    def content(self, ids: Iterable[int], flags: Sequence[str] = ()) -> Iterator[Iterator[bytes]]:
        """Give the SQL of these entries with their data, once the archive was read to its end and found whole.

        It waits on the disk: a transaction in a living database must not wait for a network, nor begin with bytes
        that nobody has checked yet.
        """
        path = os.path.join(self._folder, "chosen")
        with self.selection(ids) as listed, damage(), no_room(self._folder):
            argv = [self.tool(), "--file=-", f"--use-list={listed}", *flags]
            _write(picking(argv, env=plain_environment())(self.chunks()), path, "wb")
        try:
            with open(path, "rb") as file:
                yield iter(lambda: file.read(CHUNK), b"")
        finally:
            os.unlink(path)


@contextmanager
def flowing(chunks: Iterable[bytes], stage: str = "", bin_dir: str = "") -> Iterator[FlowingArchive]:
    """Take as much of a custom archive as holds its table of contents; the rest is read when its data is wanted."""
    with owned(chunks) as source, staging_folder(stage) as folder:
        path = os.path.join(folder, "archive")
        wanted = CHUNK
        while True:
            with no_room(folder):
                got = _write(_some(source, wanted), path, "ab")
            archive = FlowingArchive(folder, path, source, bin_dir)
            try:
                archive.text()
                break
            except Damaged as error:
                if got < wanted or not any(each in error.message for each in _CUT):
                    raise
            wanted *= 2
        yield archive


def _some(source: Iterator[bytes], least: int) -> Iterator[bytes]:
    """Yield chunks until there are least bytes, or no more."""
    seen = 0
    while seen < least:
        chunk = next(source, None)
        if chunk is None:
            return
        seen += len(chunk)
        yield chunk


def _write(chunks: Iterable[bytes], path: str, how: str) -> int:
    """Write chunks to a file that only we can read; return how many bytes they were."""
    seen = 0
    with owned(chunks) as source, open(path, how, opener=_private) as file:
        for chunk in source:
            file.write(chunk)
            seen += len(chunk)
    return seen


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
