# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Clock that stands still until a test moves it."""
from __future__ import annotations

from datetime import datetime, timedelta, timezone


class FrozenClock:
    """Keeps ports.Clock. Every reading of elapsed may move it by step, for code that waits."""

    def __init__(self, now=datetime(2026, 11, 20, 3, 0, tzinfo=timezone.utc), *, step=0.0):
        self._now = now
        self._elapsed = 0.0
        self._step = step

    def now(self):
        return self._now

    def elapsed(self):
        self.move(self._step)
        return self._elapsed

    def move(self, seconds):
        """Let seconds pass."""
        self._now += timedelta(seconds=seconds)
        self._elapsed += seconds
