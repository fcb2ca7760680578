# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run steps in lanes: those of a lane one after another, the lanes beside each other.

What the first lane prints is seen as it comes. What a step beside it prints is kept until that step ends and then shown
in one piece, so that nobody has to take two outputs apart. After the first failure nothing more begins; what runs may
end. SIGINT and SIGTERM end all of it.
"""
from __future__ import annotations

import contextlib
import signal
import sys
import time
from typing import Iterator, Sequence

from steps import Outcome, Running, Step, stop

PAUSE = 0.05     # seconds between two looks


def run(lanes: Sequence[Sequence[Step]], environment: dict[str, str]) -> list[Outcome]:
    """Return the outcomes of the steps that ran, in the order in which they ended; exit if a signal ends them."""
    waiting = [list(lane) for lane in lanes]
    running: dict[int, Running] = {}
    kept: dict[int, list[bytes]] = {}
    outcomes: list[Outcome] = []
    with _noted() as signals:
        while not signals and (running or (any(waiting) and not _failed(outcomes))):
            for number, steps in enumerate(waiting):
                if steps and number not in running and not _failed(outcomes) and not signals:
                    kept[number] = []
                    running[number] = _begin(steps.pop(0), environment, kept[number] if number else None)
            for number, outcome in [(number, step.outcome()) for number, step in running.items()]:
                if outcome:
                    del running[number]
                    outcomes.append(outcome)
                    _end(outcome, kept.pop(number), [step.step.name for step in running.values()], aside=number > 0)
            time.sleep(PAUSE)
        stop(list(running.values()))
        for number, step in running.items():
            step.outcome()      # when it returns, the last lines have come
            _show(f"\n── {step.step.name}, cut off by a signal", *kept[number])
    if signals:
        sys.exit(128 + signals[0])
    return outcomes


@contextlib.contextmanager
def _noted() -> Iterator[list[int]]:
    """Yield the list that signals go to: raised as an exception, one could lose a child that has just begun."""
    signals: list[int] = []
    before = {number: signal.signal(number, lambda number, _frame: signals.append(number))
              for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _failed(outcomes: Sequence[Outcome]) -> bool:
    return any(outcome.problem for outcome in outcomes)


def _begin(step: Step, environment: dict[str, str], kept: list[bytes] | None) -> Running:
    """Begin a step; what it prints is kept in a list, or shown."""
    _show(f"\n── {step.name}" + ("" if kept is None else " begins beside the rest; what it prints comes when it ends"))
    return Running(step, environment, _write if kept is None else kept.append)


def _end(outcome: Outcome, kept: Sequence[bytes], others: Sequence[str], aside: bool) -> None:
    """Show what was kept, how the step ended if that cannot be seen from the next line, and what still runs."""
    if aside:
        _show(f"\n── {outcome.step.name}", *kept)
    if others and (aside or outcome.problem):
        word = f"FAILED: {outcome.problem}" if outcome.problem else "ends"
        _show(f"── {outcome.step.name} {word}; {', '.join(others)} still runs")


def _show(line: str, *kept: bytes) -> None:
    """Print a line and an output in one piece."""
    body = b"".join(kept)
    _write(line.encode() + b"\n" + body + (b"" if body.endswith(b"\n") or not body else b"\n"))


def _write(text: bytes) -> None:
    sys.stdout.buffer.write(text)
    sys.stdout.flush()
