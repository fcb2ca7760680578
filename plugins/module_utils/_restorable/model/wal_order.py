# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""In which order waiting files are archived, and when the disk of the WAL will be full. Pure."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable

from .text import human_bytes, human_duration
from .wal import is_wal_name

ALARM = 86400.0                    # seconds to a full disk from which on it is told
LEAST = 60.0                       # seconds of samples below which no rate is believed
KEPT = 3600.0                      # seconds of samples that are kept


def by_urgency(names: Iterable[str]) -> list[str]:
    """Return the names of WAL files: history first, as PostgreSQL chooses its next timeline by them, then the oldest.

    Segments sort by their place and not by their timeline, as the archiver takes them (pgarch.c).
    """
    return sorted((name for name in names if is_wal_name(name)),
                  key=lambda name: (not name.endswith(".history"), name[8:], name))


@dataclass(frozen=True)
class Sample:
    """How much WAL waited at a moment, and how much still fitted beside it."""

    at: float                      # seconds on a scale that never goes back
    used: int
    free: int


@dataclass(frozen=True)
class Growth:
    """The samples of the last hour."""

    samples: tuple[Sample, ...] = ()

    def seen(self, sample: Sample) -> Growth:
        """Return the growth with one more sample."""
        return Growth((*(each for each in self.samples if sample.at - each.at <= KEPT), sample))

    @property
    def seconds_to_full(self) -> float | None:
        """Return when the disk is full if it goes on like this, None if it does not grow or is not known."""
        if len(self.samples) < 2 or self.samples[-1].at - self.samples[0].at < LEAST:
            return None
        first, last = self.samples[0], self.samples[-1]
        rate = (last.used - first.used) / (last.at - first.at)
        return last.free / rate if rate > 0 else None

    def warning(self, waiting: int) -> str:
        """Return what a person should know now, or nothing."""
        left = self.seconds_to_full
        if not waiting or left is None or left > ALARM:
            return ""
        last = self.samples[-1]
        return (f"{waiting} WAL files wait to be archived, {human_bytes(last.used)} in all; "
                f"the disk has {human_bytes(last.free)} left and is full in about {human_duration(left)}")
