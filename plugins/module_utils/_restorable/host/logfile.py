# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""A log beside standard output: lines are appended to a file that never grows beyond two times its limit."""
from __future__ import annotations

import os
from typing import TextIO

from ..ports import Clock

LIMIT = 1024 * 1024                # bytes; then the file becomes NAME.1 and a new one is begun


class LogFile:
    """Writes lines with their time to out and, if it can, into a file of mode 0600. A full disk stops no backup."""

    def __init__(self, path: str, out: TextIO, clock: Clock) -> None:
        self._path = path
        self._out = out
        self._clock = clock
        self._told = ""

    def __call__(self, text: str) -> None:
        """Write each line of a text."""
        now = f"{self._clock.now():%Y-%m-%dT%H:%M:%SZ}"
        lines = [f"{now} {line}\n" for line in text.splitlines()]
        self._out.writelines(lines)
        self._out.flush()
        if self._path:
            self._append("".join(lines), now)

    def _append(self, text: str, now: str) -> None:
        try:
            handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                os.write(handle, text.encode(errors="replace"))
                full = os.fstat(handle).st_size > LIMIT
            finally:
                os.close(handle)
            if full:
                os.replace(self._path, f"{self._path}.1")
            self._told = ""
        except OSError as error:
            problem = f"log file {self._path} cannot be written: {error.strerror}"
            if problem != self._told:      # once, not with every line
                self._told = problem
                self._out.write(f"{now} warning: {problem}\n")
                self._out.flush()
