# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Which scheduled runs nobody began, as while a host whose jobs cron starts was down. Pure."""
from __future__ import annotations

from datetime import datetime, timedelta
from typing import Mapping

from .schedule import Schedule

GRACE = timedelta(minutes=10)      # a due run may begin so late; one that comes so soon makes up for those before


def owed(schedules: Mapping[str, Schedule], begun: Mapping[str, datetime], now: datetime) -> list[tuple[datetime, str]]:
    """Return (when it was due, job) of every job that missed a run, the longest due first.

    begun says when each was last begun, or first seen if it never was. However many of its runs were missed, one makes
    up for all. A job whose next run is near is not owed one: two runs would meet.
    """
    found = []
    for name, schedule in schedules.items():
        # a beginning in the future, as after a clock was set back, was now: else its next run never came
        due = schedule.next_after(min(begun[name], now))
        if due <= now - GRACE and schedule.next_after(now) > now + GRACE:
            found.append((due, name))
    return sorted(found)
