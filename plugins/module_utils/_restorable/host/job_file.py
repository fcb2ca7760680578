# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The file in which a scheduled job leaves how its last run went, for monitors and for a person at night.

    {"format": 1, "cluster": "shop", "verb": "backup", "state": "done", "exit_status": 0, "pid": 4711,
     "began": "2026-11-20T03:00:00+00:00", "ended": …, "words": "done: dump shop …", "last_success": …}

state is running, done or failed. A run that was killed leaves running and a pid that is gone. The file never decides
anything: what a repository holds is told by its listing alone.
"""
from __future__ import annotations

import json
import os
from datetime import datetime, timezone
from typing import Any

from ..errors import Unavailable
from .files import private_folder, write_atomically

FORMAT = 1


class JobFile:
    """One job's file; see above."""

    def __init__(self, path: str, cluster: str, verb: str) -> None:
        self._path = path
        self._body: dict[str, Any] = {"format": FORMAT, "cluster": cluster, "verb": verb}
        self._success = _last_success(path)

    def begin(self) -> None:
        """Say that the job runs; raise Unavailable if the file cannot be written, before anything else is done."""
        self._body.update(state="running", exit_status=None, pid=os.getpid(), began=_now(), ended=None, words="")
        self._write()

    def end(self, exit_status: int, words: str) -> None:
        """Say how it went."""
        ended = _now()
        self._success = ended if exit_status == 0 else self._success
        self._body.update(state="failed" if exit_status else "done", exit_status=exit_status, ended=ended, words=words)
        self._write()

    def _write(self) -> None:
        text = json.dumps({**self._body, "last_success": self._success}, indent=1) + "\n"
        try:
            private_folder(os.path.dirname(os.path.abspath(self._path)))
            write_atomically(self._path, text.encode(), mode=0o640)
        except OSError as error:
            raise Unavailable(f"status file {self._path} cannot be written: {error.strerror}", code="status.unwritable",
                              hint="Name a place this user can write to with --status-file, or make room there."
                              ) from error


def last_begun(path: str) -> datetime | None:
    """Return when the job of a status file last began; None if it is not known."""
    try:
        with open(path, encoding="utf-8") as file:
            when = datetime.fromisoformat(json.load(file)["began"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return when if when.tzinfo else None


def _last_success(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file).get("last_success")
    except (OSError, ValueError, AttributeError):
        return None
    return found if isinstance(found, str) else None


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
