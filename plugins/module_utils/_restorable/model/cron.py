# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The five fields of a cron expression, each a set of values. Pure.

A field is `*`, a value, a range `a-b`, either with a step `/n`, or a list of these; months and weekdays have names.
The day of the week also takes `sun#1` for the first, … `sun#5`, and `sun#L` for the last Sunday of a month.
"""
from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Callable, Mapping

from ..errors import ConfigError

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
SUNDAY, LAST = 0, -1               # a weekday is cron's number, Sunday 0; LAST is the n of sun#L
_PART = re.compile(r"(\*|(?P<first>\w+)(?:-(?P<end>\w+))?)(?:/(?P<step>[0-9]+))?")
_NTH = re.compile(r"(?P<day>\w+)#(?P<n>[1-5l])")


@dataclass(frozen=True)
class Field:
    """What one field may hold."""

    name: str
    least: int
    most: int
    names: Mapping[str, int]

    @property
    def range(self) -> str:
        """Return "0-59", or with names "1-12 or jan-dec"."""
        words = list(self.names)
        return f"{self.least}-{self.most}" + (f" or {words[0]}-{words[-1]}" if words else "")


MINUTE = Field("minute", 0, 59, {})
HOUR = Field("hour", 0, 23, {})
DAY = Field("day of the month", 1, 31, {})
MONTH = Field("month", 1, 12, {name: number for number, name in enumerate(MONTHS, 1)})
WEEKDAY = Field("day of the week", 0, 7, {name: number for number, name in enumerate(DAYS)})
Wrong = Callable[[str, str], ConfigError]      # (what is wrong, what would be right) → the error to raise


def values(field: Field, text: str, wrong: Wrong) -> frozenset[int]:
    """Return every value that a field's text names."""
    return frozenset(value for part in text.split(",") for value in _part(field, part, wrong))


def weekdays(text: str, wrong: Wrong) -> tuple[frozenset[int], frozenset[tuple[int, int]]]:
    """Return the plain weekdays, and the (weekday, n) of the days such as sun#1; 7 is Sunday too."""
    plain: set[int] = set()
    nth: set[tuple[int, int]] = set()
    for part in text.split(","):
        found = _NTH.fullmatch(part)
        if found:
            nth.add((_value(WEEKDAY, found["day"], wrong) % 7, LAST if found["n"] == "l" else int(found["n"])))
        elif "#" in part:
            raise wrong(f"{part!r} is no day of a month", "Write sun#1 to sun#5, or sun#L for the last.")
        else:
            plain.update(value % 7 for value in _part(WEEKDAY, part, wrong))
    for day in {day for day, n in nth if n == LAST}:
        if nth & {(day, 4), (day, 5)}:
            raise wrong(f"{DAYS[day]}#L is {DAYS[day]}#4 or {DAYS[day]}#5", "Name one of them.")
    return frozenset(plain), frozenset(each for each in nth if each[0] not in plain)


def _part(field: Field, part: str, wrong: Wrong) -> range:
    found = _PART.fullmatch(part)
    if not found:
        raise wrong(f"{field.name} {part!r} cannot be read", f"Write {field.range}, a list, a range or a step.")
    if found["first"] is None:
        first, end = field.least, field.most
    else:
        first = end = _value(field, found["first"], wrong)
        if found["end"] is not None:
            end = _value(field, found["end"], wrong)
            if field is WEEKDAY and end == SUNDAY < first:
                end = 7                # fri-sun
        elif found["step"] is not None:
            raise wrong(f"{field.name} {part!r} has a step without a range",
                        f"Write */{found['step']} or {first}-{field.most}/{found['step']}.")
    if end < first:
        raise wrong(f"{field.name} {part!r} ends before it begins", "Turn the range round, or write two.")
    step = int(found["step"] or 1)
    if step < 1:
        raise wrong(f"{field.name} {part!r} has step 0", "Write a step of at least 1.")
    return range(first, end + 1, step)


def _value(field: Field, text: str, wrong: Wrong) -> int:
    value = field.names.get(text)
    if value is None and text.isascii() and text.isdigit():
        value = int(text)
    if value is None or not field.least <= value <= field.most:
        raise wrong(f"{field.name} {text} is not in {field.range}", f"Write one in {field.range}.")
    return value
