# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Draw the recovery window of a cluster as a person would: a line of time with bases, WAL and gaps. Pure."""
from __future__ import annotations

from datetime import datetime, timedelta
from typing import Sequence

from .recovery import Window

WIDTH = 56
LONG = timedelta(hours=1)          # a shorter window's ends are told with their seconds
LEGEND = "B base backup, i incremental, ─ any moment, · no moment between"
_MARKS = {"base": "B", "incr": "i"}


def draw(windows: Sequence[Window], *, width: int = WIDTH) -> str:
    """Return one line from the oldest base to the newest reachable moment; empty without any base.

    A moment under ─ can be recovered to. A base without WAL behind it is a letter alone.
    """
    usable = sorted((each for each in windows if each.whole), key=lambda each: each.begin)
    if not usable:
        return ""
    first, last = usable[0].begin, max(_end(each) for each in usable)
    span = max(last - first, timedelta(seconds=1))

    def place(moment: datetime) -> int:
        return min(round((moment - first) / span * (width - 1)), width - 1)

    cells = ["·"] * (width if last > first else 1)
    for each in usable:
        for cell in range(place(each.begin), min(place(_end(each)) + 1, len(cells)) if _end(each) > each.begin else 0):
            cells[cell] = "─"
    for each in usable:
        # a full backup is never hidden behind an incremental that stands on it
        cell = min(place(each.begin), len(cells) - 1)
        if cells[cell] != "B":
            cells[cell] = _MARKS.get(each.backup.kind, "B")
    form = "%Y-%m-%d %H:%M" if last - first >= LONG else "%Y-%m-%d %H:%M:%S"
    return f"{first:{form}}  {''.join(cells)}  {last:{form}} UTC"


def _end(window: Window) -> datetime:
    """Return the newest moment that is reachable from a base."""
    reached = window.until if window.until is not None and window.reach > window.start else None
    return max(reached, window.begin) if reached else window.begin
