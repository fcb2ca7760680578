# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Where WAL waits to be archived: pg_wal of a server, or the folder of a stream."""
from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import Any, Iterator

from ..errors import ConfigError, NotFound, Unavailable
from ..model.lsn import Lsn
from ..model.wal import WalFile, is_wal_name
from ..model.wal_order import by_urgency
from .control_file import read_system_identifier
from .wal_spool import FileSpool

CHUNK = 1024 * 1024
READY, PARTIAL = ".ready", ".partial"
SERVER = "system_identifier"       # of the folder of a stream; postgres/stream_files.py writes it


class _Files:
    """Reads files of one folder."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def path(self, name: str) -> str:
        """Return a file's path."""
        return os.path.join(self.folder, name)

    def modified(self, name: str) -> float:
        """Return when a file was last written, 0 if it is gone."""
        try:
            return os.stat(self.path(name)).st_mtime
        except OSError:
            return 0.0

    def size(self, name: str) -> int:
        """Return a file's bytes; see ops/wal_ports.py."""
        try:
            return os.stat(self.path(name)).st_size
        except OSError as error:
            raise _gone(self.path(name), error) from error

    def read(self, name: str) -> Iterator[bytes]:
        """Yield a file's bytes; see ops/wal_ports.py."""
        try:
            with open(self.path(name), "rb", buffering=0) as file:
                while chunk := file.read(CHUNK):
                    yield chunk
        except OSError as error:
            raise _gone(self.path(name), error) from error

    def read_into(self, name: str, buffer: memoryview) -> Iterator[memoryview]:
        """Fill the buffer with a file's bytes and yield each piece; see ops/wal_ports.py."""
        place = 0
        try:
            with open(self.path(name), "rb", buffering=0) as file:
                while count := file.readinto(buffer[place:place + CHUNK]):
                    yield buffer[place:place + count]
                    place += count
        except OSError as error:
            raise _gone(self.path(name), error) from error

    def usage(self) -> tuple[int, int | None]:
        """Return (bytes of WAL, bytes that still fit); see ops/wal_ports.py."""
        used = 0
        try:
            with os.scandir(self.folder) as entries:
                for entry in entries:
                    with suppress(FileNotFoundError):
                        used += entry.stat(follow_symlinks=False).st_size if entry.is_file() else 0
            found = os.statvfs(self.folder)
        except OSError:
            return used, None
        return used, found.f_bavail * found.f_frsize


class PgWal(_Files):
    """A WalSource that is a data directory's pg_wal: what is complete has a file NAME.ready in archive_status.

    Nothing is ever written or removed there.
    """

    def __init__(self, data_directory: str) -> None:
        super().__init__(os.path.join(data_directory, "pg_wal"))
        self._data_directory = data_directory
        self._status = os.path.join(self.folder, "archive_status")

    def ready(self) -> list[str]:
        """Return what waits; see ops/wal_ports.py."""
        try:
            return by_urgency(name[:-len(READY)] for name in os.listdir(self._status) if name.endswith(READY))
        except FileNotFoundError as error:
            raise ConfigError(f"folder {self._status} does not exist", code="wal.no_data_directory",
                              hint="Set wal.data_directory to the server's `SHOW data_directory`.") from error
        except OSError as error:
            raise ConfigError(f"folder {self._status} cannot be listed: {error.strerror}", code="wal.denied",
                              hint="Run the shipper as the server's own account, usually postgres.") from error

    def waiting(self) -> dict[str, Any]:
        """Return how many files wait, the seconds since the oldest does, and the bytes and the room of pg_wal."""
        names, oldest = self.ready(), 0.0
        for name in names:
            with suppress(OSError):    # archived meanwhile
                oldest = max(oldest, time.time() - os.stat(os.path.join(self._status, name + READY)).st_mtime)
        used, free = self.usage()
        return {"waiting": len(names), "oldest_age": oldest, "bytes": used, "free": free}

    def system_identifier(self) -> str:
        """Return whose data directory it is; read each time, as another one may have been put in its place."""
        return read_system_identifier(self._data_directory)

    def archived(self, name: str) -> None:
        """Leave the file: PostgreSQL recycles it once archive_command said so."""


class OneFile(_Files):
    """A WalSource of a single file, for a push by hand or by archive_command itself."""

    def __init__(self, path: str) -> None:
        super().__init__(os.path.dirname(os.path.abspath(path)))
        self._name = os.path.basename(path)

    def ready(self) -> list[str]:
        """Return the file's name."""
        return [self._name]

    def system_identifier(self) -> str:
        """Return whose data directory the file's folder lies in, as pg_wal does."""
        return read_system_identifier(os.path.dirname(self.folder))

    def archived(self, name: str) -> None:
        """Leave the file."""


class StreamFolder(_Files):
    """A WalSource that is the folder of a stream: a file without .partial is complete.

    So is the last part of a timeline that the server has left. A file that is durable in the repositories is removed,
    but for the newest segment, by which the receiver knows where to go on.
    """

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        self._done: set[str] = set()

    def ready(self) -> list[str]:
        """Return what waits; see ops/wal_ports.py."""
        names = self._names()
        newest = max((WalFile.parse(name).timeline for name in names), default=0)
        self._done &= set(names)
        return by_urgency(name for name in names - self._done
                          if not name.endswith(PARTIAL) or WalFile.parse(name).timeline < newest)

    def system_identifier(self) -> str:
        """Return the server that the receiver found, "" before it has found any."""
        try:
            with open(self.path(SERVER), encoding="ascii") as file:
                return file.read().strip()
        except (FileNotFoundError, UnicodeDecodeError):
            return ""

    def archived(self, name: str) -> None:
        """Remove what is older than the newest complete segment."""
        self._done.add(name)
        segments = sorted((each for each in self._done if WalFile.parse(each).kind == "segment"),
                          key=lambda each: (each[8:], each))
        for each in [*segments[:-1], *(name for name in self._done if name.endswith(PARTIAL))]:
            with suppress(OSError):
                os.unlink(self.path(each))
            self._done.discard(each)

    def durable_until(self, segment_size: int) -> Lsn | None:
        """Return the place up to which the repositories have everything; None if that is not known yet."""
        done, names = set(self._done), [name for name in self._names() if WalFile.parse(name).kind != "history"]
        waiting = [WalFile.parse(name).segment(segment_size).start for name in names if name not in done]
        whole = [WalFile.parse(name).segment(segment_size).end for name in names if name in done]
        return min(waiting, default=max(whole, default=None))

    def _names(self) -> set[str]:
        try:
            return {name for name in os.listdir(self.folder) if is_wal_name(name)}
        except OSError as error:
            raise Unavailable(f"folder {self.folder} cannot be listed: {error.strerror}", code="wal.stream_folder",
                              hint="Run `restorable wal-stream` as the account that owns it.") from error


class ServerSpool(FileSpool):
    """A spool whose acknowledgements are younger than the files they are of."""

    def __init__(self, folder: str, source: _Files) -> None:
        super().__init__(folder)
        self._source = source

    def acknowledge(self, name: str, *, after: float = 0.0) -> None:
        """Say that a file is durable."""
        super().acknowledge(name, after=max(after, self._source.modified(name)))


def _gone(path: str, error: OSError) -> NotFound | Unavailable:
    if isinstance(error, FileNotFoundError):
        return NotFound(f"file {path} does not exist", code="wal.no_file", hint="Give the path of a WAL file.")
    return Unavailable(f"file {path} cannot be read: {error.strerror}", code="wal.unreadable",
                       hint="Run this as the server's own account, usually postgres.")
