# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""When a job runs: five fields of cron, with `sun#1` for the first Sunday, on the wall clock of a named zone. Pure.

As in Debian's cron(8), days of the month and days of the week are joined by OR if both are restricted, and by AND if
either begins with `*`. Where clocks change, a run at fixed times that falls into the skipped hour takes place right
after it, and one in the repeated hour takes place once; a schedule that begins its minutes or hours with `*` follows
real time.
"""
from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from typing import Iterator

from ..errors import ConfigError
from .buckets import zone
from .cron import DAY, HOUR, LAST, MINUTE, MONTH, Wrong, values, weekdays

ALIASES = {"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
           "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *"}
EXAMPLES = 'Write five fields such as "0 3 * * *", "30 2 * * mon-fri" or "0 4 * * sun#1".'
CYCLE = range(2000, 2028)          # every kind of year: each first weekday, leap and not
FAR = 366 * 40                     # days; 29 February on a certain weekday can be 40 years away


@dataclass(frozen=True)
class Schedule:
    """Local times on certain days. text is the expression, lower case, as five fields."""

    text: str
    timezone: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]                   # Sunday is 0
    nth: frozenset[tuple[int, int]]            # (weekday, n), n 1 to 5 or LAST
    place: tzinfo = field(compare=False, repr=False)

    @classmethod
    def parse(cls, text: str, *, timezone: str = "UTC", where: str = "schedule") -> Schedule:
        """Read an expression; raise ConfigError that names where, the wrong value, and the cure."""
        def wrong(what: str, right: str) -> ConfigError:
            return ConfigError(f"{where} is {text!r}: {what}", hint=right, code="schedule.invalid")
        place = zone(timezone, f"the time zone of {where}")
        plain = ALIASES.get(text.strip().lower(), text).lower()
        fields = plain.split()
        if plain.strip().startswith("@"):
            raise wrong("there is no such word", f"Known are {', '.join(ALIASES)}.")
        if len(fields) != 5:
            raise wrong(f"it has {len(fields)} fields, not 5", EXAMPLES)
        found = cls(
            " ".join(fields), timezone, tuple(sorted(values(MINUTE, fields[0], wrong))),
            tuple(sorted(values(HOUR, fields[1], wrong))), values(DAY, fields[2], wrong),
            values(MONTH, fields[3], wrong), *weekdays(fields[4], wrong), place)
        found._check(wrong)
        return found

    def _check(self, wrong: Wrong) -> None:
        if self.both and self.text.split()[2] != "*" and any(n == LAST for _day, n in self.nth):
            raise wrong("the last weekday of a month cannot be joined with a step of days", "Write * for the day.")
        if not any(self.on(date(year, month, day)) for year in CYCLE for month in sorted(self.months)
                   for day in range(1, monthrange(year, month)[1] + 1)):
            raise wrong("no year has such a day", "Name a day that its month has; 28 is in every month.")

    @property
    def both(self) -> bool:
        """Say whether the day of the month AND the day of the week must fit, rather than either."""
        fields = self.text.split()
        return fields[2].startswith("*") or fields[4].startswith("*")

    @property
    def fixed(self) -> bool:
        """Say whether it runs at fixed times, and not every so many minutes or hours."""
        fields = self.text.split()
        return not (fields[0].startswith("*") or fields[1].startswith("*"))

    def on(self, day: date) -> bool:
        """Say whether it runs on a day."""
        if day.month not in self.months:
            return False
        by_date, by_name = day.day in self.days, self._by_name(day)
        return by_date and by_name if self.both else by_date or by_name

    def _by_name(self, day: date) -> bool:
        weekday = day.isoweekday() % 7
        if weekday in self.weekdays or (weekday, (day.day + 6) // 7) in self.nth:
            return True
        return (weekday, LAST) in self.nth and day.day + 7 > monthrange(day.year, day.month)[1]

    def next_after(self, when: datetime) -> datetime:
        """Return the first run strictly later than an aware time, in UTC."""
        day = when.astimezone(self.place).date() - timedelta(days=1)
        best: datetime | None = None
        for _each in range(FAR):
            if self.on(day):
                later = [run for run in self._runs(day) if run > when]
                if best is not None:
                    return min([best, *later])     # where clocks change at midnight, days overlap
                best = min(later, default=None)
            elif best is not None:
                return best
            day += timedelta(days=1)
        raise ConfigError(f"schedule {self.text!r} has no run in forty years", hint=EXAMPLES, code="schedule.invalid")

    def _runs(self, day: date) -> Iterator[datetime]:
        """Yield the instants of one day's runs, in UTC."""
        for hour in self.hours:
            for minute in self.minutes:
                local = datetime.combine(day, time(hour, minute), self.place)
                first = local.astimezone(timezone.utc)
                real = first.astimezone(self.place).replace(fold=0) == local
                if self.fixed:
                    yield first if real else after_gap(first, self.place)
                    continue
                if real:
                    yield first
                    yield local.replace(fold=1).astimezone(timezone.utc)


def after_gap(wrong: datetime, place: tzinfo) -> datetime:
    """Return the instant at which clocks jumped over a local time; wrong is its reading by the offset before."""
    low, high = wrong - timedelta(days=1), wrong
    before = low.astimezone(place).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        low, high = (middle, high) if middle.astimezone(place).utcoffset() == before else (low, middle)
    return high.replace(microsecond=0)
