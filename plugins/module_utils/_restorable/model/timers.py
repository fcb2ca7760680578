# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""A schedule as systemd's OnCalendar and as lines of a crontab, and a warning where clocks change. Pure.

    0 4 * * sun#1   →  OnCalendar=Sun *-*-1..7 4:0:00 UTC
                    →  0 4 1-7 * *  with the guard  test "$(date +\\%u)" = 7
    0 3 1 * mon     →  two OnCalendar lines, because cron joins day and weekday by OR and systemd by AND

cron has no notion of the first Sunday: a crontab with `1-7 * sun` would run on days 1 to 7 OR Sundays. So the line
names the seven days, and the command asks for the weekday first. cron also knows no zone but the host's: a crontab
means what it says only where the host's zone is the schedule's.
"""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Iterable, Iterator

from .cron import LAST
from .schedule import Schedule, after_gap

NAMES = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
ALL_DAYS, ALL_MONTHS = frozenset(range(1, 32)), frozenset(range(1, 13))
AHEAD = 10      # years in which a change of clocks is looked for


@dataclass(frozen=True)
class CronLine:
    """The five fields, and a test to be put before the command with `&&`; empty if cron itself can say it all."""

    fields: str
    guard: str = ""


def on_calendar(schedule: Schedule) -> tuple[str, ...]:
    """Return the OnCalendar values that together mean the schedule; a timer runs once where two of them meet."""
    months = _spans(schedule.months, ALL_MONTHS, "..")
    clock = f"{_spans(schedule.hours, range(24), '..')}:{_spans(schedule.minutes, range(60), '..')}:00"
    return tuple(f"{f'{names} ' if names else ''}*-{months}{days} {clock} {schedule.timezone}"
                 for names, days in _days(schedule))


def _days(schedule: Schedule) -> Iterator[tuple[str, str]]:
    """Yield (weekdays, days of the month with their separator) whose union are the schedule's days."""
    among = schedule.days if schedule.both else ALL_DAYS
    everyday = len(schedule.weekdays) == len(NAMES)
    if not schedule.both:
        yield "", f"-{_spans(schedule.days, ALL_DAYS, '..')}"
    if schedule.weekdays:
        yield "" if everyday else ",".join(NAMES[day] for day in sorted(schedule.weekdays)), \
            f"-{_spans(among, ALL_DAYS, '..')}"
    for weekday, n in sorted(schedule.nth):
        if n == LAST:
            yield NAMES[weekday], "~7/1"       # from the seventh day before the month's end on
        elif week(n) & among:
            yield NAMES[weekday], f"-{_spans(week(n) & among, ALL_DAYS, '..')}"


def crontab(schedule: Schedule) -> tuple[CronLine, ...]:
    """Return the lines that together mean the schedule in a host of its zone; no run comes from two of them."""
    minute, hour, day, _month, weekday = schedule.text.split()
    months = _spans(schedule.months, ALL_MONTHS, "-")
    # a leading * is what makes cron join by AND, so it must be kept as it was written; sun#1 gets a line of its own
    names = ",".join(part for part in weekday.split(",") if "#" not in part) if weekday.startswith("*") else \
        ",".join(map(str, sorted(schedule.weekdays)))
    if schedule.both:
        found = [CronLine(f"{minute} {hour} {day} {months} {names}")] if schedule.weekdays else []
        among = schedule.days
    else:
        found = [CronLine(f"{minute} {hour} {day} {months} {names or '*'}")]
        among = ALL_DAYS - schedule.days       # the first line runs on the others
    for each, n in sorted(schedule.nth):
        days = (week(n) if n != LAST else frozenset(range(22, 32))) & among
        if days:
            guard = f'test "$(date +\\%u)" = {each or 7}'
            guard += ' && test "$(date +\\%m)" != "$(date -d 7days +\\%m)"' if n == LAST else ""
            found.append(CronLine(f"{minute} {hour} {_spans(days, ALL_DAYS, '-')} {months} *", guard))
    return tuple(found)


def week(n: int) -> frozenset[int]:
    """Return the days of a month that can be its nth Sunday."""
    return frozenset(range(7 * n - 6, min(7 * n, 31) + 1))


def _spans(numbers: Iterable[int], everything: Iterable[int], dash: str) -> str:
    """Return "*", or a list with spans: "1-5,9" for {1, 2, 3, 4, 5, 9}."""
    left = sorted(set(numbers))
    if left == sorted(everything):
        return "*"
    spans: list[list[int]] = []
    for number in left:
        if spans and number == spans[-1][-1] + 1:
            spans[-1].append(number)
        else:
            spans.append([number])
    return ",".join(str(span[0]) if len(span) == 1 else
                    f"{span[0]}{dash}{span[-1]}" if len(span) > 2 else f"{span[0]},{span[1]}" for span in spans)


def warnings(schedule: Schedule, now: datetime) -> tuple[str, ...]:
    """Return a sentence for each kind of change of clocks that a run meets in the next ten years: skipped, repeated."""
    told: dict[str, str] = {}
    for instant in _changes(schedule, now) if schedule.fixed else ():
        after = instant.astimezone(schedule.place).replace(tzinfo=None)
        second = timedelta(seconds=1)
        before = (instant - second).astimezone(schedule.place).replace(tzinfo=None) + second
        first, end = min(before, after), max(before, after)
        kind, what = ("skipped", "does not exist") if after > before else ("repeated", "comes twice")
        for local in _within(schedule, first, end) if kind not in told else ():
            told.setdefault(kind, f"{schedule.text}: {local:%H:%M} {what} in {schedule.timezone} on {local:%Y-%m-%d}, "
                                  f"when clocks change; choose a time before {first:%H:%M} or from {end:%H:%M} on, "
                                  "or the time zone UTC")
    return tuple(told.values())


def _within(schedule: Schedule, first: datetime, end: datetime) -> Iterator[datetime]:
    for minutes in range(int((end - first).total_seconds()) // 60):
        local = first + timedelta(minutes=minutes)
        if local.hour in schedule.hours and local.minute in schedule.minutes and schedule.on(local.date()):
            yield local


def _changes(schedule: Schedule, now: datetime) -> Iterator[datetime]:
    """Yield the instants at which the zone's offset from UTC changes."""
    day = now.astimezone(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    offset = day.astimezone(schedule.place).utcoffset()
    for _each in range(366 * AHEAD):
        day += timedelta(days=1)
        if day.astimezone(schedule.place).utcoffset() != offset:
            offset = day.astimezone(schedule.place).utcoffset()
            yield after_gap(day, schedule.place)
