# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A store at whose nth step its process dies by SIGKILL, and a child process to run such a thing in.

A step is each call, the midst of each stream of a put or a get, and the end of each put.
"""
from __future__ import annotations

import os
import signal
import sys
import traceback
from typing import Any, Callable, Iterable, Iterator


class Steps:
    """Counts, and is the end of us."""

    def __init__(self, last: int) -> None:
        self._left = last

    def step(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class DeadlyStore:
    """Keeps ports.Store around another one."""

    def __init__(self, inner: Any, steps: Steps) -> None:
        self._inner, self._steps, self.name = inner, steps, inner.name

    def put(self, key: str, chunks: Iterable[bytes]) -> Any:
        self._steps.step()
        stored = self._inner.put(key, self._halved(chunks))
        self._steps.step()
        return stored

    def put_file(self, key: str, path: str) -> Any:
        self._steps.step()
        stored = self._inner.put_file(key, path)
        self._steps.step()
        return stored

    def get(self, key: str) -> Iterator[bytes]:
        self._steps.step()
        yield from self._halved(self._inner.get(key))

    def list(self, prefix: str) -> Iterator[Any]:
        self._steps.step()
        yield from self._inner.list(prefix)

    def delete(self, key: str) -> None:
        self._steps.step()
        self._inner.delete(key)

    def _halved(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for number, chunk in enumerate(chunks):
            yield chunk[:len(chunk) // 2]
            if not number:
                self._steps.step()
            yield chunk[len(chunk) // 2:]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def in_child(work: Callable[[], object]) -> int:
    """Run work in a forked process; return 0, the number of the signal that ended it, or 255 if it raised."""
    child = os.fork()
    if not child:
        try:
            work()
            os._exit(0)
        except BaseException:  # noqa: BLE001 - the end of a process that must not go on as a second pytest
            traceback.print_exc(file=sys.__stderr__)
            os._exit(255)
    status = os.waitpid(child, 0)[1]
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.waitstatus_to_exitcode(status)
