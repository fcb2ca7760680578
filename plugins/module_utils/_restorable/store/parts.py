# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Write a file that nobody sees until it is whole, durable and read back.

A part lies in the repository's .part folder, so in the same file system, and its writer holds an flock on it.
The kernel gives the lock back when the writer dies, however it dies; a part that can be locked by another is
therefore left over, and may be removed. Process ids would not do: they are used again, and a repository on a
network disk has writers on several hosts.
"""
from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import secrets
import tempfile
from contextlib import contextmanager, suppress
from typing import Iterator, Sequence

from ..errors import Damaged
from ..stream.owner import give
from ..stream.stage import CHUNK
from .readback import ReadBack, forget

FOLDER = ".part"

_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EMLINK)


class Part:
    """One file that is being written, from its making to its name; gone when the block ends.

    Without digest its SHA-256 is not made where the pieces themselves can be compared, and is "" then.
    """

    def __init__(self, root: str, *, digest: bool = True) -> None:
        self._handle, self.path = _make(_folder(root))
        self._size, self._wanted = 0, digest
        self._digest = hashlib.sha256()
        self._read_back = ReadBack(self._handle)

    def __enter__(self) -> Part:
        return self

    def __exit__(self, *_error: object) -> None:
        self._read_back.stop()
        with suppress(OSError):        # what cannot be removed now is swept by the next run
            os.unlink(self.path)
        os.close(self._handle)

    def write(self, chunk: bytes) -> None:
        """Append a chunk, all of it."""
        if self._wanted:
            self._digest.update(chunk)
        self._size += len(chunk)
        rest = memoryview(chunk)
        while rest:
            rest = rest[os.write(self._handle, rest):]
        self._read_back.written(self._size)

    def verify(self, pieces: Sequence[bytes] | None = None) -> tuple[int, str]:
        """Make the file durable, read it back from the disk, and return its size and SHA-256.

        pieces are all that was written, where the writer still has it.
        """
        if pieces is not None and self._read_back.is_durable_as(pieces):
            return self._size, self._digest.hexdigest() if self._wanted else ""
        if not self._wanted:
            for piece in pieces or ():
                self._digest.update(piece)
        found = self._read_back.finish(self._size)
        if found != (self._size, self._digest.hexdigest()):
            raise Damaged(f"{self.path} reads back {found[0]} bytes that are not the {self._size} written to it",
                          hint="Do not trust this disk or its memory; look at `journalctl -k`.", code="store.readback")
        return found


@contextmanager
def linked(root: str, path: str, handle: int) -> Iterator[str | None]:
    """Give a foreign open file a second name as a part, or None where that is impossible: other disk, other owner."""
    part = os.path.join(_folder(root), f"{secrets.token_hex(8)}.part")
    if _lock(handle) is False:         # its writer is still at work, or a sweep would take the part for left over
        yield None
        return
    try:
        os.link(path, part)
    except OSError as error:
        if error.errno not in (*_NO_LINKS, errno.EXDEV, errno.EACCES):
            raise
        yield None
        return
    try:
        yield part
    finally:
        with suppress(OSError):
            os.unlink(part)


def digest(handle: int) -> tuple[int, str]:
    """Return (size, SHA-256) of an open file as the disk has it, leaving nothing of it in memory."""
    forget(handle)
    size, total = 0, hashlib.sha256()
    while True:
        chunk = os.pread(handle, CHUNK, size)
        if not chunk:
            break
        total.update(chunk)
        size += len(chunk)
    forget(handle)
    return size, total.hexdigest()


def publish(path: str, final: str, root: str) -> bool:
    """Give a file its final name durably, or return False if the name is taken.

    A hard link never replaces a name, and one of two writers wins. Where the file system has no links (exFAT,
    some network disks) a rename under a lock is as good among writers that lock.
    """
    folder = os.path.dirname(final)
    if not _link(path, final, root):
        return False
    try:
        flush_folder(folder)
    except BaseException:
        os.unlink(final)               # not known to be durable, so it must not be seen
        raise
    return True


def _link(path: str, final: str, root: str) -> bool:
    try:
        os.link(path, final)
        return True
    except FileExistsError:
        return os.path.samefile(path, final)   # over NFS an answer may get lost and the call be repeated
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
    with _only_one(os.path.join(root, FOLDER, "lock")):
        if os.path.lexists(final):
            return False
        os.rename(path, final)
        return True


def sweep(root: str) -> list[str]:
    """Remove the parts of writers that are dead; return their paths."""
    folder = os.path.join(root, FOLDER)
    swept = []
    with suppress(FileNotFoundError):
        for name in sorted(os.listdir(folder)):
            path = os.path.join(folder, name)
            if name.endswith(".part") and _abandoned(path):
                swept.append(path)
    return swept


def make_folders(path: str, root: str) -> None:
    """Make the folders below root that path needs, each durable, open to our account only."""
    if path == root or os.path.isdir(path):
        return
    parent = os.path.dirname(path)
    make_folders(parent, root)
    with suppress(FileExistsError):
        os.mkdir(path, 0o700)
        give(path, parent)
        flush_folder(parent)


def flush_folder(path: str) -> None:
    """Make the names in a folder durable."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:        # a file system that has no such call
            raise
    finally:
        os.close(handle)


def _folder(root: str) -> str:
    folder = os.path.join(root, FOLDER)
    with suppress(FileExistsError):
        os.mkdir(folder, 0o700)
        give(folder, root)
    return folder


def _make(folder: str) -> tuple[int, str]:
    while True:
        handle, path = tempfile.mkstemp(dir=folder, suffix=".part")
        # A sweep may have taken the file for an abandoned one in the moment before it was locked.
        if _lock(handle) is not False and os.fstat(handle).st_nlink:
            give(handle, folder)
            return handle, path
        os.close(handle)


def _abandoned(path: str) -> bool:
    """Remove a part if nobody holds it."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        if not _lock(handle):
            return False
        os.unlink(path)
        return True
    except FileNotFoundError:
        return False
    finally:
        os.close(handle)


def _lock(handle: int) -> bool | None:
    """Lock a file; False if another holds it, None if this file system has no locks."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return None
        raise


@contextmanager
def _only_one(path: str) -> Iterator[None]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        give(handle, os.path.dirname(path))
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
