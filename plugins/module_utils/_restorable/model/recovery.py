# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Which base backup a recovery begins with, and what can be reached from it. Pure."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Iterable, Sequence

from ..errors import Refused
from .base import BaseReport
from .lsn import Lsn
from .naming import BackupId
from .recovery_target import Target
from .text import human_duration


@dataclass(frozen=True)
class Window:
    """One base backup and how far archived WAL leads from it without a gap, along one lineage."""

    backup: BackupId
    base: BaseReport
    reach: Lsn                     # the first byte that cannot be replayed; base.stop_lsn without archived WAL
    until: datetime | None         # when the last of that WAL was archived, if the repository tells
    beyond: bool = False           # there is WAL behind a gap

    @property
    def begin(self) -> datetime:
        """Return the first moment that can be asked for."""
        return datetime.fromisoformat(self.base.stop_time)

    @property
    def start(self) -> Lsn:
        """Return the first place that can be asked for."""
        return Lsn.parse(self.base.stop_lsn)

    @property
    def newest(self) -> Lsn:
        """Return the newest place behind which there are records, so that a recovery to it finds its target."""
        size = self.base.segment_size
        return max(self.start, Lsn((self.reach.value - 1) // size * size))

    @property
    def whole(self) -> bool:
        """Say whether the backup itself can be made consistent."""
        return self.base.self_contained or self.reach >= self.start

    def __str__(self) -> str:
        end = f" ({self.until:%Y-%m-%d %H:%M:%S} UTC)" if self.until else ""
        return f"{self.backup}: {self.begin:%Y-%m-%d %H:%M:%S} UTC at {self.start} to {self.reach}{end}"


def choose_window(windows: Iterable[Window], target: Target, now: datetime) -> Window:
    """Return the base to begin with: the newest from which the target can be reached.

    Raises Refused that names the nearest moments that can be reached; a target is never bent.
    """
    usable = sorted((each for each in windows if each.whole), key=lambda each: (each.start, each.backup))
    if not usable:
        raise Refused("no base backup can be recovered: none is there with its WAL", code="recover.no_base",
                      hint="Take one with `restorable backup --kind base`, and see `restorable list`.")
    if target.kind == "time":
        return _by_time(usable, target.time, now)
    if target.kind == "lsn":
        return _by_lsn(usable, Lsn.parse(target.value))
    chosen = usable[-1]
    if target.kind != "immediate" and chosen.beyond:
        raise gap(chosen, target)
    if target.kind in ("xid", "name") and chosen.reach <= chosen.start:
        raise Refused(f"base {chosen.backup} has no WAL behind it, so {target} cannot be reached",
                      code="recover.out_of_reach", hint=_nearest(usable, None))
    return chosen


def gap(chosen: Window, target: Target) -> Refused:
    """Return the refusal of a target that may lie behind the gap at which a base's WAL ends."""
    if chosen.reach <= chosen.start:
        return Refused(f"WAL has a gap right behind base {chosen.backup} at {chosen.start}, and {target} lies beyond",
                       code="recover.gap", hint="Recover to the end of the base itself with --immediate "
                                                "(`immediate: true`), or take a new base backup.")
    before = f" or a time before {chosen.until:%Y-%m-%d %H:%M:%S} UTC" if chosen.until else ""
    return Refused(f"WAL has a gap at {chosen.reach} behind base {chosen.backup}, so {target} may lie beyond it",
                   code="recover.gap", hint=f"Recover to a place before the gap, such as lsn {chosen.newest}{before}, "
                                            "or take a new base backup.")


def _by_time(usable: Sequence[Window], moment: datetime, now: datetime) -> Window:
    before = [each for each in usable if each.begin <= moment]
    if moment > now:
        raise Refused(f"time {moment.isoformat()} lies {human_duration(moment - now)} ahead",
                      code="recover.future", hint="Recover to `latest`, or check the time's zone.")
    if not before:
        raise Refused(f"time {moment.isoformat()} lies before the end of the oldest base backup",
                      code="recover.out_of_reach", hint=_nearest(usable, moment))
    chosen = before[-1]
    if chosen.reach <= chosen.start or (chosen.until is not None and moment > chosen.until):
        what = "inside a gap of the WAL" if chosen.beyond or chosen is not usable[-1] else "after the last archived WAL"
        raise Refused(f"time {moment.isoformat()} lies {what}", code="recover.out_of_reach",
                      hint=_nearest(usable, moment))
    return chosen


def _by_lsn(usable: Sequence[Window], place: Lsn) -> Window:
    # no record begins at reach itself, so a recovery to it would find its target nowhere
    fitting = [each for each in usable if place == each.start or each.start <= place < each.reach]
    if fitting:
        return fitting[-1]
    if place < usable[0].start:
        what = "lies before the end of the oldest base backup"
    elif place >= max(each.reach for each in usable) and usable[-1].beyond:
        what = "lies inside a gap of the WAL, or behind it"
    elif place >= max(each.reach for each in usable):
        what = "lies after the last archived WAL"
    else:
        what = "lies inside a gap of the WAL"
    raise Refused(f"LSN {place} {what}", code="recover.out_of_reach", hint=_nearest(usable, None))


def _nearest(usable: Sequence[Window], moment: datetime | None) -> str:
    """Say the nearest reachable moments on both sides, or without a moment everything that can be reached."""
    if moment is None:
        return "What can be reached: " + "; ".join(map(str, usable[-5:])) + "."
    earlier = max(((each.until or each.begin, each) for each in usable if (each.until or each.begin) <= moment),
                  default=None, key=lambda pair: pair[0])
    later = min((each for each in usable if each.begin > moment), default=None, key=lambda each: each.begin)
    told = [f"{_whole(earlier[0], earlier[1])} before it"] if earlier else []
    told += [f"{_whole(later.begin, later)} after it"] if later else []
    return f"The nearest moments that can be reached: {' and '.join(told) or 'none'}."


def _whole(when: datetime, window: Window) -> str:
    """Write a moment to the second if that second lies in the window, else exactly: it is to be asked for as it is."""
    down = when.replace(microsecond=0)
    for each in (down, down + timedelta(seconds=1)):
        if window.begin <= each <= (window.until or window.begin):
            return f"{each:%Y-%m-%dT%H:%M:%SZ}"
    return f"{when:%Y-%m-%dT%H:%M:%S.%fZ}"
