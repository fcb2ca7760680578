# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Where a scheduler keeps when it began what, and where it shows its state to the health check."""
from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import datetime
from typing import Mapping

from ..errors import Unavailable
from ..model.watch import Watch
from .files import private_folder, write_atomically

WATCH = "/run/restorable/watch.json"


class ScheduleFiles:
    """Two files: the memory outlives the container, the watch does not."""

    def __init__(self, memory: str, watch: str) -> None:
        self._memory = memory
        self._watch = watch

    def load(self) -> Mapping[str, datetime]:
        """Return when tasks were begun; what cannot be read was never begun."""
        try:
            with open(self._memory, encoding="utf-8") as file:
                return {str(name): _aware(when) for name, when in json.load(file).items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def save(self, begun: Mapping[str, datetime]) -> None:
        """Keep it; on a full disk a missed run is not caught up, and nothing worse happens."""
        body = json.dumps({name: when.isoformat() for name, when in begun.items()})
        with suppress(OSError):
            private_folder(os.path.dirname(self._memory))
            write_atomically(self._memory, body.encode())

    def show(self, watch: Watch) -> None:
        """Write the state; a health check that finds none says so."""
        with suppress(OSError):
            private_folder(os.path.dirname(self._watch))
            write_atomically(self._watch, watch.to_json().encode())


def watch_path(environment: Mapping[str, str]) -> str:
    """Return the file that a scheduler shows its state in."""
    return environment.get("RESTORABLE_WATCH") or WATCH


def read_watch(path: str) -> Watch:
    """Return what a scheduler shows; raise Unavailable if there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            return Watch.from_json(file.read())
    except OSError as error:
        raise Unavailable(f"no scheduler shows its state in {path}: {error.strerror}", code="schedule.none",
                          hint="Start one with `restorable schedule`.") from error


def _aware(text: str) -> datetime:
    when = datetime.fromisoformat(text)
    if when.tzinfo is None:
        raise ValueError(text)
    return when
