# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Tell what an error of the file system means for a repository, and what to do about it."""
from __future__ import annotations

import errno
import os
import pwd
import shlex
from types import TracebackType

from ..errors import ConfigError, Damaged, RestorableError, Unavailable
from ..model.text import human_bytes

_FULL = (errno.ENOSPC, errno.EDQUOT)
_DENIED = (errno.EACCES, errno.EPERM)
_ABSENT = (errno.ENOENT, errno.ENOTDIR)
_AWAY = (errno.ESTALE, errno.ETIMEDOUT, errno.ENOTCONN, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENODEV,
         errno.ENXIO)


class Trouble:
    """Turns an OSError of the block into one of our errors: `with Trouble("local", "/srv/backup"): …`."""

    def __init__(self, name: str, root: str) -> None:
        self._name = name
        self._root = root

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 _trace: TracebackType | None) -> None:
        if isinstance(error, OSError):
            raise self.explain(error) from error

    def explain(self, error: OSError) -> RestorableError:
        """Return the error that a person can act on."""
        where = f"repository {self._name}: {error.filename or self._root}"
        number = error.errno
        if number in _FULL:
            limit = "over its quota" if number == errno.EDQUOT else "full"
            return Unavailable(f"{where} is {limit}, {human_bytes(free_bytes(self._root))} free", code="store.full",
                               hint=f"Make room in {self._root}, or see with `restorable prune --dry-run` what may go.")
        if number == errno.EROFS:
            return Unavailable(f"{where} is on a read-only file system", code="store.read_only",
                               hint=f"See with `findmnt -T {self._root}` what is mounted there, and remount it "
                                    "read-write; the kernel turns a disk with errors read-only (`journalctl -k`).")
        if number in _DENIED:
            return ConfigError(f"{where} is closed to user {account()}: {error.strerror}", code="store.denied",
                               hint=f"As root, run `{self._give()}`, or run this as the folder's owner.")
        if number == errno.ENOTDIR and os.path.isfile(self._root):
            return ConfigError(f"repository {self._name}: {self._root} is a file, not a folder",
                               code="store.no_folder", hint="Correct the repository's path.")
        if number in _ABSENT:
            return ConfigError(f"{where} does not exist for user {account()}", code="store.no_folder",
                               hint=f"Check that the disk is mounted, or run as root `{self._give()}`.")
        if number == errno.ENAMETOOLONG:
            return ConfigError(f"{where} is a name too long for its file system", code="store.name",
                               hint="Use a shorter path for the repository, or a shorter name for the cluster.")
        if number == errno.EIO:
            return Damaged(f"{where} cannot be read or written: {error.strerror}", code="store.io",
                           hint="The disk reports an error; look at it with `journalctl -k` and `smartctl -a`.")
        code = "store.unreachable" if number in _AWAY else "store.failed"
        return Unavailable(f"{where}: {error.strerror or error}", code=code,
                           hint=f"See with `findmnt -T {self._root}` and `journalctl -k` what became of the disk.")

    def _give(self) -> str:
        """Return the command that makes the folder ours; what cannot be seen may be there."""
        if os.path.isdir(self._root):
            return f"chown -R {account()} {shlex.quote(self._root)}"
        return f"install -d -o {account()} -m 0700 {shlex.quote(self._root)}"


def free_bytes(path: str) -> int:
    """Return the bytes that still fit beside path, 0 if that cannot be asked."""
    try:
        found = os.statvfs(path)
    except OSError:
        return 0
    return found.f_bavail * found.f_frsize


def account() -> str:
    """Return the name of the account that we are."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())       # a container's user without an entry
