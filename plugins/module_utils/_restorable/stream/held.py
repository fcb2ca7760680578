# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Hold signals back while a child is begun, so that none can come between its beginning and whoever ends it.

    with HeldSignals() as held:
        child = subprocess.Popen(…)
        try:
            held.let_through()         # what came meanwhile is raised here
            …
        finally:
            …                          # ends the child

Without it an exception that a handler raises, such as Ctrl-C's, can strike inside Popen, which has forked already, or
before the try: nobody would know the child. Masking the signals instead would be inherited by the child.
"""
from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

HELD = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class HeldSignals:
    """Keeps Python's handlers from being called until let_through, or the end of the context. Used once."""

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}
        self._came: list[int] = []
        self._note = self._take            # one object, to be known again

    def __enter__(self) -> HeldSignals:
        if threading.current_thread() is not threading.main_thread():
            return self                    # handlers are called in the main thread alone
        try:
            for number in HELD:
                handler = signal.getsignal(number)
                if callable(handler):      # the others end this process, or nothing at all
                    self._before[number] = handler
                    signal.signal(number, self._note)
        except BaseException:
            self._give_back()
            raise
        return self

    def __exit__(self, *_trouble: object) -> None:
        self.let_through()

    def let_through(self) -> None:
        """Call the handler of the first signal that came, and hold none back any more. May be called twice."""
        self._give_back()
        came, self._came = self._came, []
        if came:
            self._before[came[0]](came[0], None)

    def _give_back(self) -> None:
        for number, handler in self._before.items():
            # a handler that was called by now may have chosen another one, such as none
            if signal.getsignal(number) is self._note:
                signal.signal(number, handler)

    def _take(self, number: int, _frame: FrameType | None) -> None:
        self._came.append(number)
