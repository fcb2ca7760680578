# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The calendar of retention: which hour, day, week, month or year a backup belongs to in a time zone. Pure."""
from __future__ import annotations

from datetime import datetime, timezone, tzinfo
from typing import Callable
from zoneinfo import ZoneInfo, available_timezones

from ..errors import ConfigError
from .meant import did_you_mean

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PERIODS = ("hourly", "daily", "weekly", "monthly", "yearly")
ENDED_ONLY = frozenset(("weekly", "monthly", "yearly"))   # the running one counts only if the policy says so


def zone(name: str, where: str = "timezone") -> tzinfo:
    """Return an IANA time zone; raise ConfigError that names where for one this host does not know.

    UTC needs no time zone data. "localtime" is refused: it would mean another calendar on another host.
    """
    if name == "UTC":
        return timezone.utc
    try:
        if name == "localtime":
            raise ValueError(name)
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        hint = "Write an IANA name such as UTC or Europe/Berlin; if the name is right, install tzdata."
        meant = did_you_mean(name, available_timezones(), alike=0.8)
        raise ConfigError(f"{where} is {name!r}, which is no time zone this host knows",
                          hint=f"{meant} {hint}".lstrip(), code="config.timezone") from None


def local(time: datetime, place: tzinfo) -> datetime:
    """Return an aware time on that zone's wall clock."""
    try:
        return time.astimezone(place)
    except OverflowError:
        return time  # the first or last day datetime can express; its own calendar will do


def bucketing(period: str, week_ends_on: str = "sunday") -> Callable[[datetime], int]:
    """Return the function from a local time to its bucket's number; a later period has a greater number.

    A week is the 7 days that end on week_ends_on and is numbered by its last day, so no week number and no
    turn of the year can split it.
    """
    if period == "weekly":
        last = WEEKDAYS.index(week_ends_on)
        return lambda at: at.toordinal() + (last - at.weekday()) % 7
    return _BUCKETS[period]


def _hour(at: datetime) -> int:
    """Number an hour by the UTC second it began: both hours that a clock set back calls 02 are told apart."""
    offset = at.utcoffset()
    return at.toordinal() * 86400 + at.hour * 3600 - (round(offset.total_seconds()) if offset else 0)


def _month(at: datetime) -> int:
    return at.year * 12 + at.month


def _year(at: datetime) -> int:
    return at.year


_BUCKETS: dict[str, Callable[[datetime], int]] = {
    "hourly": _hour, "daily": datetime.toordinal, "monthly": _month, "yearly": _year,
}
