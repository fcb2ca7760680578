# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The folder of fetched segments beside the spool, and a file put in its place whole and durable."""
from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from typing import Callable, Iterable

from ..errors import Unavailable
from ..model.wal import is_wal_name
from ..stream.stage import owned
from .files import write_atomically

PID, WANT, LOCK = "pid", "want", "lock"
COMING, PART = ".coming", ".part"


def write_whole(path: str, chunks: Iterable[bytes]) -> None:
    """Write a file beside its place, flush it, and give it its name; on any error nothing is left.

    Raises Unavailable for an error of the disk; an error of chunks passes through.
    """
    part = path + PART
    with owned(chunks) as source:
        try:
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            try:
                for chunk in source:
                    rest = memoryview(chunk)
                    while rest:
                        rest = rest[os.write(handle, rest):]
                os.fsync(handle)
            finally:
                os.close(handle)
            os.rename(part, path)
            _flush(os.path.dirname(path) or ".")
        except BaseException as error:
            with suppress(OSError):
                os.unlink(part)
            if isinstance(error, OSError):
                raise Unavailable(f"file {path} cannot be written: {error.strerror}", code="wal.target",
                                  hint="Make room on its disk, or run this as the account that owns the folder."
                                  ) from error
            raise


class AheadFolder:
    """Keeps ops/wal_prefetch.Ahead in a folder of mode 0700; restore.sh takes the segments out of it."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._lock = -1

    def want(self, name: str) -> None:
        """Say which segment a recovery was just given."""
        with suppress(FileExistsError):
            os.mkdir(self.folder, 0o700)
        write_atomically(self._path(WANT), name.encode())

    def claim(self) -> bool:
        """Become the one who fetches ahead, into an empty folder; False if another one is alive."""
        handle = os.open(self._path(LOCK), os.O_RDWR | os.O_CREAT, 0o600)
        if not _locked(handle):
            os.close(handle)
            return False
        self._lock = handle
        for name in os.listdir(self.folder):
            if name not in (WANT, LOCK):
                self.drop(name)
        write_atomically(self._path(PID), f"{os.getpid()}\n".encode())
        return True

    def busy(self) -> bool:
        """Say whether somebody fetches ahead; a process id may be somebody else's by now, a lock is not."""
        try:
            handle = os.open(self._path(LOCK), os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            return not _locked(handle)
        finally:
            os.close(handle)

    def give_up(self) -> None:
        """Stop being the one who fetches ahead."""
        self.drop(PID)
        os.close(self._lock)

    def wanted(self) -> str:
        """Return the segment after which we begin."""
        return self._read(WANT)

    def here(self) -> set[str]:
        """Return the segments that are there and not taken yet."""
        return {name for name in os.listdir(self.folder) if is_wal_name(name)}

    def coming(self, name: str) -> None:
        """Say that a segment is being fetched."""
        write_atomically(self._path(name + COMING), b"")

    def not_coming(self, name: str) -> None:
        """Take that back."""
        self.drop(name + COMING)

    def writer(self, name: str) -> Callable[[Iterable[bytes]], None]:
        """Return what puts a segment there."""
        return lambda chunks: write_whole(self._path(name), chunks)

    def drop(self, name: str) -> None:
        """Remove a file; absent is fine."""
        with suppress(FileNotFoundError):
            os.unlink(self._path(name))

    def _path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def _read(self, name: str) -> str:
        try:
            with open(self._path(name), encoding="ascii") as file:
                return file.read().strip()
        except (OSError, UnicodeDecodeError):
            return ""


def _locked(handle: int) -> bool:
    """Lock a file until its handle is closed, by us or by our end; False if somebody else has it."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _flush(folder: str) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
