# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The folder of a stream: segments as they are received, NAME.partial until they are whole, and history files.

It looks as pg_receivewal leaves it: a segment that is being written has its full length from the beginning, with
zeros where nothing came yet, which recovery takes for the end of the WAL.
"""
from __future__ import annotations

import os
from contextlib import contextmanager
from typing import Iterator

from ..errors import Refused, Unavailable
from ..model.lsn import Lsn
from ..model.wal import Segment, WalFile, is_wal_name

PARTIAL = ".partial"
SERVER = "system_identifier"       # whose WAL it is; no name of a WAL file


class StreamFiles:
    """Writes WAL in its order. Nothing is durable before flush(), or before its segment is whole."""

    def __init__(self, folder: str, segment_size: int) -> None:
        self.folder = folder
        self._size = segment_size
        self._segment: Segment | None = None
        self._handle = -1
        self._dirty = False

    def newest(self) -> Segment | None:
        """Return the newest whole segment, by its place and then by its timeline, as pg_receivewal looks for it."""
        found = [WalFile.parse(name).segment(self._size) for name in os.listdir(self.folder)
                 if is_wal_name(name) and len(name) == 24]
        return max(found, key=lambda each: (each.number, each.timeline), default=None)

    def has(self, name: str) -> bool:
        """Say whether a file is there."""
        return os.path.exists(os.path.join(self.folder, name))

    def claim(self, system_identifier: str) -> None:
        """Give the folder to a server; raise Refused if it is another one's."""
        path = os.path.join(self.folder, SERVER)
        if self.has(SERVER):
            with open(path, encoding="ascii", errors="replace") as file:
                known = file.read().strip()
            if known != system_identifier:
                raise Refused(f"folder {self.folder} holds WAL of {known}, the server is {system_identifier}",
                              code="wal.other_server", hint="Give each server a cluster name and a spool of its own; "
                              "if that server is gone for good, empty the folder once its WAL is archived.")
            return
        self._write_whole(SERVER, f"{system_identifier}\n".encode())

    def write(self, timeline: int, start: Lsn, data: bytes) -> None:
        """Write what came for a place, which is where the last piece ended or where a segment begins."""
        rest, place = memoryview(data), start
        while rest:
            segment = Segment.of_lsn(timeline, place, self._size)
            if self._segment != segment:
                self._open(segment, place)
            piece = rest[:segment.end - place]
            with self._explained(segment.name):
                offset = place - segment.start
                while piece:
                    count = os.pwrite(self._handle, piece, offset)
                    piece, rest, offset, place = piece[count:], rest[count:], offset + count, place + count
            self._dirty = True
            if place == segment.end:
                self._finish(segment)

    def flush(self) -> None:
        """Make durable what was written so far."""
        if self._dirty:
            with self._explained("of the segment that is being received"):
                os.fdatasync(self._handle)
            self._dirty = False

    def write_history(self, name: str, content: bytes) -> None:
        """Write a history file, whole or not at all."""
        self._write_whole(name, content)

    def _write_whole(self, name: str, content: bytes) -> None:
        path = os.path.join(self.folder, name)
        with self._explained(name):
            with open(f"{path}.new", "wb") as file:
                os.fchmod(file.fileno(), 0o600)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.rename(f"{path}.new", path)
            self._flush_folder()

    def close(self) -> None:
        """Make what was received durable; a segment that is not whole keeps its name."""
        if self._handle >= 0:
            try:
                self.flush()
            finally:
                os.close(self._handle)
                self._handle, self._segment = -1, None

    def _open(self, segment: Segment, place: Lsn) -> None:
        self.close()
        if place != segment.start:
            raise Unavailable(f"the server sends WAL from {place} on, which is inside of segment {segment.name}",
                              code="wal.stream_place", hint="Run `restorable wal-stream` again.")
        with self._explained(segment.name):
            self._handle = os.open(os.path.join(self.folder, segment.name + PARTIAL), os.O_RDWR | os.O_CREAT, 0o600)
            # what lies there is not thrown away: the server sends the same again, if it lives that long
            os.ftruncate(self._handle, self._size)
            self._flush_folder()
        self._segment = segment

    def _finish(self, segment: Segment) -> None:
        self.close()
        path = os.path.join(self.folder, segment.name)
        with self._explained(segment.name):
            os.rename(path + PARTIAL, path)
            self._flush_folder()

    def _flush_folder(self) -> None:
        handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    @contextmanager
    def _explained(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise Unavailable(f"{name} cannot be written in {self.folder}: {error.strerror}", code="wal.stream_folder",
                              hint="Make room on its disk; the server keeps the WAL for the slot meanwhile.") from error
