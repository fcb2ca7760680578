# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Where a scheduler keeps when it began what, and where it shows its state to the health check."""
from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Mapping

from ..errors import Unavailable
from ..model.remembered import Remembered
from ..model.watch import Watch
from .files import private_folder, write_atomically

WATCH = "/run/restorable/watch.json"


class ScheduleFiles:
    """Two files: the memory outlives the container, the watch does not."""

    def __init__(self, memory: str, watch: str) -> None:
        self._memory = memory
        self._watch = watch

    def recall(self) -> Remembered:
        """Return what was kept; what cannot be read never was."""
        try:
            with open(self._memory, encoding="utf-8") as file:
                return Remembered.from_json(file.read())
        except (OSError, ValueError):
            return Remembered()

    def keep(self, remembered: Remembered) -> None:
        """Keep it; on a full disk a missed run is not caught up, and nothing worse happens."""
        with suppress(OSError):
            private_folder(os.path.dirname(self._memory))
            write_atomically(self._memory, remembered.to_json().encode())

    def load(self) -> Mapping[str, datetime]:
        """Return when tasks were begun."""
        return self.recall().begun

    def save(self, begun: Mapping[str, datetime]) -> None:
        """Keep when tasks were begun."""
        self.keep(replace(self.recall(), begun=begun))

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
