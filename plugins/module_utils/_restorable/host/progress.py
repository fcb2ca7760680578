# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Show how far long work has come: in a file for Ansible, on a terminal's line for a person, or not at all."""
from __future__ import annotations

import json
import os
import threading
import time
from contextlib import suppress
from typing import Any, TextIO

from ..model.text import human_bytes, human_duration
from .files import write_atomically

FILE_EVERY = 0.5       # seconds between two writes of the status file
LINE_EVERY = 0.2       # seconds between two paintings of the line


class Silent:
    """Shows nothing."""

    def phase(self, name: str, total: int | None = None) -> None:
        """Keeps ports.Progress."""

    def advance(self, count: int) -> None:
        """Keeps ports.Progress."""


class _Counting:
    """Counts, and calls _show now and then; what goes wrong while showing never stops the work."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._shown = 0.0
        self._name, self._total, self._done, self._since = "", None, 0, self._began

    _total: int | None

    def phase(self, name: str, total: int | None = None) -> None:
        """Begin a phase."""
        with self._lock:
            self._name, self._total, self._done, self._since = name, total, 0, time.monotonic()
            self._now()

    def advance(self, count: int) -> None:
        """Add bytes."""
        with self._lock:
            self._done += count
            if time.monotonic() - self._shown >= self._every:
                self._now()

    def _now(self) -> None:
        self._shown = time.monotonic()
        with suppress(OSError, ValueError):
            self._show()

    def _show(self) -> None:
        """Paint or write the present state."""

    def facts(self) -> dict[str, Any]:
        """Return phase, bytes, total, rate (bytes a second), elapsed and eta (seconds)."""
        elapsed = time.monotonic() - self._since
        rate = self._done / elapsed if elapsed > 0.5 else None
        eta = (self._total - self._done) / rate if rate and self._total and self._total > self._done else None
        return {"phase": self._name, "bytes": self._done, "total": self._total, "rate": rate,
                "elapsed": round(time.monotonic() - self._began, 1), "eta": eta}


class StatusFile(_Counting):
    """Writes the state as JSON into a private file, each time as a whole."""

    def __init__(self, path: str) -> None:
        super().__init__(FILE_EVERY)
        self._path = path
        self._started = time.time()

    def _show(self) -> None:
        body = {**self.facts(), "pid": os.getpid(), "started": self._started, "updated": time.time()}
        write_atomically(self._path, json.dumps(body).encode())


class TerminalLine(_Counting):
    """Paints one line of a terminal over and over; close() takes it away."""

    def __init__(self, err: TextIO) -> None:
        super().__init__(LINE_EVERY)
        self._err = err

    def _show(self) -> None:
        columns = os.get_terminal_size(self._err.fileno()).columns
        self._err.write("\r\x1b[K" + in_words(self.facts())[:columns - 1])
        self._err.flush()

    def close(self) -> None:
        """Take the line away."""
        with suppress(OSError, ValueError):
            self._err.write("\r\x1b[K")
            self._err.flush()


def in_words(facts: dict[str, Any]) -> str:
    """Return "dump app  412 MB of 1.2 GB, 96 MB/s, 4s, 8s left" for a state's facts."""
    parts = []
    if facts["bytes"]:
        total = facts["total"]
        parts.append(human_bytes(facts["bytes"]) + (f" of about {human_bytes(total)}" if total else ""))
    if facts["bytes"] and facts["rate"]:
        parts.append(f"{human_bytes(facts['rate'])}/s")
    parts.append(human_duration(facts["elapsed"]))
    if facts["eta"]:
        parts.append(f"{human_duration(facts['eta'])} left")
    # A database may be named by any characters; those that steer a terminal are shown as escapes.
    phase = "".join(each if each.isprintable() else repr(each)[1:-1] for each in facts["phase"])
    return f"{phase}  {', '.join(parts)}"
