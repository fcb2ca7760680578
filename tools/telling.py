# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pass a step's output on as it comes, and keep the few lines of it that tell why the step failed."""
from __future__ import annotations

import re
import threading
from collections import deque
from typing import IO, Callable

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
GUTTER = re.compile(r"\s*│ ?")      # molecule draws it before each line of a playbook
# pytest's assertions and summary, Ansible's failed tasks, a program's own error and hint
TELLING = re.compile(
    r"\s*(E {2,}\S|FAILED (?!- RETRYING)|ERROR:? |fatal: |error: |hint: |\[ERROR\]|(msg|stderr): \S|"
    r"\S+\.(py|yml|sh):\d+: )")
Sink = Callable[[bytes], object]
KEPT, WIDTH, PATIENCE = 12, 240, 5.0     # lines, characters, seconds


class Relay:
    """Hand a pipe's lines to a sink in the background, one at a time."""

    def __init__(self, pipe: IO[bytes] | None, sink: Sink) -> None:
        self._pipe, self._sink = pipe, sink
        self._telling: deque[str] = deque(maxlen=KEPT)
        self._last: deque[str] = deque(maxlen=3)
        self._thread = threading.Thread(target=self._copy, daemon=True)
        self._thread.start()

    def _copy(self) -> None:
        for raw in self._pipe or ():
            self._sink(raw)
            line = GUTTER.sub("", COLOUR.sub("", raw.decode(errors="replace")).rstrip(), count=1)[:WIDTH]
            if line and line not in self._telling and TELLING.match(line):
                self._telling.append(line)
            if line:
                self._last.append(line)

    def end(self) -> list[str]:
        """Return the lines that tell most, or the last ones, after the step's end.

        A program that the step left running may hold the pipe open, so the wait for its end has a limit.
        """
        self._thread.join(PATIENCE)
        return list(self._telling or self._last)
