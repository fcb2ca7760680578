# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure whole commands: wall time, and the largest resident size of the command's own process."""
from __future__ import annotations

import statistics
import subprocess
import threading
import time
from dataclasses import dataclass, field
from typing import Callable, Mapping, Sequence


@dataclass
class Series:
    """One contestant's runs: seconds each, and the peak memory in bytes over all of them."""

    name: str
    seconds: list[float] = field(default_factory=list)
    peak: int = 0
    size: int = 0                  # bytes of what it produced

    @property
    def median(self) -> float:
        """Return the median of the seconds."""
        return statistics.median(self.seconds)


def run(argv: Sequence[str], env: Mapping[str, str], *, cwd: str | None = None,
        heard: list[bytes] | None = None) -> tuple[float, int]:
    """Run a command to its good end and return (wall seconds, peak resident bytes of its own process).

    heard, where given, gets what it printed.

    The peak is the kernel's VmHWM, read while the process lives; pg_dump and servers that it starts are not in it.
    """
    began = time.monotonic()
    child = subprocess.Popen(argv, env=dict(env), cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT)
    peaks = [0]
    watcher = threading.Thread(target=_watch, args=(child.pid, peaks), daemon=True)
    watcher.start()
    said = child.communicate()[0]
    seconds = time.monotonic() - began
    watcher.join()
    if child.returncode:
        raise RuntimeError(f"{argv} exits {child.returncode}:\n{said.decode(errors='replace')[-3000:]}")
    if heard is not None:
        heard.append(said)
    return seconds, max(peaks)


def _watch(pid: int, peaks: list[int]) -> None:
    while True:
        try:
            with open(f"/proc/{pid}/status", encoding="ascii") as file:
                found = [line for line in file if line.startswith("VmHWM")]
        except OSError:
            return
        if not found:  # a process that ended has no memory any more
            return
        peaks.append(int(found[0].split()[1]) * 1024)
        time.sleep(0.02)


def in_turn(rounds: int, contestants: Mapping[str, Callable[[], tuple[float, int, int]]],
            say: Callable[[str], None]) -> dict[str, Series]:
    """Run every contestant once a round, in turn, so that a slow minute of the machine hits all of them.

    A contestant returns (seconds, peak bytes, size of what it produced). One round before the first is not counted.
    """
    series = {name: Series(name) for name in contestants}
    for number in range(rounds + 1):
        for name, contestant in contestants.items():
            seconds, peak, size = contestant()
            if number:
                series[name].seconds.append(seconds)
            series[name].peak = max(series[name].peak, peak)
            series[name].size = size
            say(f"  {'warm-up' if not number else f'round {number}'}: {name}: {seconds:.2f} s")
    return series


def ratio(a: Series, b: Series) -> float:
    """Return the median of a's seconds over b's of the same round."""
    return statistics.median(x / y for x, y in zip(a.seconds, b.seconds))
