# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Run this very command as a child, line by line, and end it cleanly when we are told to end."""
from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from typing import Callable, Iterator, Mapping, Sequence

from ..stream.held import HeldSignals

GRACE = 45.0                       # seconds that a child has to remove what is unfinished; then it is killed
BEAT = 15.0                        # seconds between two signs of life while a child says nothing
KILLED = 124                       # as of a run that a signal stopped
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class OwnCommand:
    """Runs verbs of the host command in processes of their own, so that what they took is given back in the end."""

    def __init__(self, environment: Mapping[str, str], beat: Callable[[], None], *options: str) -> None:
        """Give every verb these options of the command, which stand before it."""
        self._environment = environment
        self._beat = beat
        self._options = options

    def __call__(self, words: Sequence[str], say: Callable[[str], None]) -> int:
        """Run one verb, say each line it writes, and return its exit status, of at most 125.

        A child that a signal killed, as when memory runs out, is an error that we say for it, and status 124.
        An exception that arrives meanwhile, such as SIGTERM's, ends the child first and then goes on.
        """
        argv, environment = own_command()
        with HeldSignals() as held:
            child = subprocess.Popen([*argv, *self._options, *words], env={**self._environment, **environment},
                                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                     start_new_session=True)  # a terminal's Ctrl-C reaches us, and we pass it on once
            try:
                held.let_through()
                for line in self._lines(child):
                    say(line)
                status = child.wait()
            except BaseException:
                self._end(child, say)
                raise
            finally:
                if child.stdout:
                    child.stdout.close()
        if status < 0:
            say(f"error: {' '.join(words)} was killed by {_name(-status)}")
            return KILLED
        return min(status, 125)

    def _lines(self, child: subprocess.Popen[bytes], until: float | None = None) -> Iterator[str]:
        """Yield lines until the child has closed its output, or until a moment of the monotonic clock."""
        rest = b""
        with selectors.DefaultSelector() as selector:
            selector.register(_output(child), selectors.EVENT_READ)
            while until is None or time.monotonic() < until:
                if not selector.select(BEAT if until is None else max(0.0, until - time.monotonic())):
                    self._beat()
                    continue
                data = os.read(_output(child), 65536)
                *lines, rest = (rest + data).split(b"\n")
                yield from (line.decode(errors="replace") for line in lines)
                if not data:
                    break
        if rest:
            yield rest.decode(errors="replace")

    def _end(self, child: subprocess.Popen[bytes], say: Callable[[str], None]) -> None:
        try:
            child.send_signal(signal.SIGTERM)
            for line in self._lines(child, time.monotonic() + GRACE):
                say(line)
            child.wait(1)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def own_command() -> tuple[list[str], dict[str, str]]:
    """Return the words and the variables that start this command again: from its zip, or as a package."""
    home = os.path.dirname(_PACKAGE)
    if os.path.isfile(home):
        # isolated like the zip's own first line, so that no variable decides which code runs
        return [sys.executable, "-I", home], {}
    return [sys.executable, "-m", os.path.basename(_PACKAGE)], {"PYTHONPATH": home}


def _name(number: int) -> str:
    return next((each.name for each in signal.Signals if each == number), f"signal {number}")


def _output(child: subprocess.Popen[bytes]) -> int:
    if child.stdout is None:
        raise ValueError("the child's output is not a pipe")
    return child.stdout.fileno()
