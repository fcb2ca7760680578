# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""One lock per cluster: the kernel gives it back when its holder dies, and its file says who holds it."""
from __future__ import annotations

import errno
import fcntl
import getpass
import json
import os
import socket
import time
from contextlib import contextmanager, suppress
from typing import Callable, Iterator

from ..errors import Unavailable
from ..model.text import human_duration
from ..ports import Clock
from ..stream.owner import give
from .files import private_folder

POLL = 0.5     # seconds between two tries while waiting
HINT = ("Wait until that run is done, at the host command by `--wait 1h`; if it hangs, end its process, which frees "
        "the lock.")


class FileLock:
    """Keeps ports.Lock by flock(2) on a file that is never removed: removing it would let two holders in.

    The descriptor is not inherited by children (O_CLOEXEC), so no pg_dump that survives us keeps the lock.
    """

    def __init__(self, path: str, clock: Clock, subject: str, *, wait: float = 0.0,
                 say: Callable[[str], None] | None = None) -> None:
        """Wait for another holder at most so many seconds, and say who it is."""
        self._path = path
        self._clock = clock
        self._subject = subject
        self._wait = wait
        self._say = say or (lambda _words: None)

    @contextmanager
    def hold(self, purpose: str, *, shared: bool = False) -> Iterator[None]:
        """Hold the lock, waiting as long as was allowed; see ports.Lock."""
        handle = self._open(shared=shared)
        if handle is None:
            yield
            return
        try:
            self._take(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
            self._write(handle, json.dumps(self._holder(purpose)).encode())
            yield
            if not shared or self._alone(handle):
                self._write(handle, b"")
        finally:
            os.close(handle)

    @staticmethod
    def _alone(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False               # another reader is at work, and its name may be the one that is written
        return True

    def _write(self, handle: int, text: bytes) -> None:
        with suppress(OSError):        # on a full disk the lock holds all the same, only without a name
            os.ftruncate(handle, 0)
            os.pwrite(handle, text, 0)

    def _open(self, *, shared: bool) -> int | None:
        """Open the lock file; None for a reader on a disk mounted read-only, where nothing can be deleted either."""
        try:
            folder = private_folder(os.path.dirname(self._path))
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            give(handle, folder)
            return handle
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise Unavailable(f"lock file {self._path} cannot be made: {error.strerror}", code="lock.unusable",
                                  hint=f"Make room on the disk of {os.path.dirname(self._path)}.") from error
            if shared and error.errno == errno.EROFS:
                return None
            raise Unavailable(f"lock file {self._path} cannot be opened: {error.strerror}", code="lock.unusable",
                              hint="Run as the user who owns the repository, or set state_dir to a folder that this "
                                   "user can write to.") from error

    def _take(self, handle: int, how: int) -> None:
        until, said = self._clock.elapsed() + self._wait, ""
        while True:
            try:
                fcntl.flock(handle, how | fcntl.LOCK_NB)
                return
            except OSError as error:
                if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                    raise Unavailable(f"lock file {self._path} cannot be locked: {error.strerror}",
                                      hint="Set state_dir to a folder on a local disk.",
                                      code="lock.unusable") from error
            who = self._holds(handle)
            if self._clock.elapsed() >= until:
                patience = f"; it did not become free within {human_duration(self._wait)}" if said else ""
                raise Unavailable(who + patience, code="lock.held", hint=HINT)
            if who != said:
                self._say(f"{who}; waiting at most {human_duration(until - self._clock.elapsed())}")
                said = who
            time.sleep(POLL)

    def _holder(self, purpose: str) -> dict[str, object]:
        try:
            user = getpass.getuser()
        except (KeyError, OSError):
            user = str(os.getuid())
        return {"purpose": purpose, "pid": os.getpid(), "host": socket.gethostname(), "user": user,
                "since": self._clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")}

    def _holds(self, handle: int) -> str:
        try:
            body = json.loads(os.pread(handle, 4096, 0))
            who = (f"by {body['purpose']} (pid {body['pid']}, user {body['user']} on {body['host']}) "
                   f"since {body['since']}")
        except (ValueError, KeyError, TypeError):
            who = "by another run"     # it has the lock and did not write its name yet
        return f"{self._subject} is locked {who}"
