# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Read from the name of a dump file which series it belongs to and when it was made. Pure.

A pattern is matched against the whole name, so app-YYYYMMDD.sql.gz never takes app-archive-20261120.sql.gz. A glob
may match several series; each name is then split into what repeats (the series) and when.
"""
from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Mapping

from ..errors import ConfigError
from .buckets import zone

# YYYYMMDD, YYYY-MM-DD_HHMM, DD.MM.YYYY, YYYYMMDDTHHMMSSZ and the like; an MM after HH is the minute
_PLACEHOLDER = re.compile(r"(?:YYYY([-_.]?)MM\1DD|DD([-_.]?)MM\2YYYY|MM([-_.]?)DD\3YYYY)"
                          r"(?:[-_.T ]{0,3}HH[-_.:h]?MM(?:[-_.:m]?SS)?)?Z?")
_PARTS = {"YYYY": r"(?P<year>\d{4})", "DD": r"(?P<day>\d\d)", "HH": r"(?P<hour>\d\d)", "SS": r"(?P<second>\d\d)"}
_EITHER_WAY = re.compile(r"(?<!\d)\d\d([-_.])\d\d\1(?:19|20)\d\d(?!\d)")
_STAMPS = (
    # 20261120-030000, 2026-11-20_03-00-00, 20261120T030000Z, 2026-11-20T03:00:00+0100, 202611200300
    re.compile(r"(?<!\d)(?P<year>(?:19|20)\d\d)(?P<s>[-_.]?)(?P<month>\d\d)(?P=s)(?P<day>\d\d)"
               r"[-_.T ]{0,3}(?P<hour>\d\d)[-_.:h]?(?P<minute>\d\d)(?:[-_.:m]?(?P<second>\d\d))?"
               r"(?P<zone>Z|[+-]\d\d:?\d\d(?!\d))?(?!\d)"),
    # 2026112003
    re.compile(r"(?<!\d)(?P<year>20\d\d)(?P<month>\d\d)(?P<day>\d\d)[-_T]?(?P<hour>\d\d)(?!\d)"),
    # 20261120, 2026-11-20, 2026_11_20
    re.compile(r"(?<!\d)(?P<year>(?:19|20)\d\d)(?P<s>[-_.]?)(?P<month>\d\d)(?P=s)(?P<day>\d\d)(?!\d)"),
    # seconds since 1970
    re.compile(r"(?<!\d)(?P<epoch>1\d{9})(?!\d)"),
)
_SUFFIX = re.compile(r"(?i)(\.(gz|zst|zstd|bz2|xz|sql|dump|dmp|pgdump|pg_dump|psql|backup|bak|tar|custom|out|pg|"
                     r"enc|aes|age))+$")
LABEL_LENGTH = 48


class Unfit(Exception):
    """A file that cannot be adopted; the text says why."""


class Misdated(Unfit):
    """The name shows a time that cannot be, or that can be read in two ways."""


@dataclass(frozen=True)
class Named:
    """What a file's name tells."""

    stem: str                      # staging-db: the name without date and suffix
    time: datetime | None          # UTC; None if the name tells none
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pattern:
    """Which whole names are taken: placeholders YYYY MM DD HH MM SS, and * and ? as in a shell."""

    text: str
    regex: re.Pattern[str]

    @classmethod
    def of(cls, text: str) -> Pattern:
        """Read a pattern; raise ConfigError if it can match nothing or names a folder."""
        if not text or "/" in text:
            raise ConfigError(f"pattern {text!r} is not a pattern of file names", code="adopt.bad_pattern",
                              hint="Write whole names such as app-YYYYMMDD-HHMMSS.sql.gz or app_*.sql.gz; "
                                   "the folder is an argument of its own.")
        found = _PLACEHOLDER.search(text)
        if not found:
            return cls(text, re.compile(_glob(text), re.S))
        stamp = _stamp_regex(found[0])
        return cls(text, re.compile(_glob(text[:found.start()]) + stamp + _glob(text[found.end():]), re.S))

    def matches(self, name: str) -> bool:
        """Say whether a whole name is taken; hidden files never are, as in a shell."""
        return not name.startswith(".") and self.regex.fullmatch(name) is not None

    def read(self, name: str, place: str) -> Named:
        """Split a matching name into stem and time, local times being of the zone place; raise Misdated."""
        found = self.regex.fullmatch(name)
        if found and "stamp" in found.groupdict():
            return _named(name, found.start("stamp"), found.end("stamp"), _moment(found, found["stamp"], place))
        wrong: dict[range, Misdated] = {}
        for hit in (hit for form in _STAMPS for hit in form.finditer(name)):
            if any(hit.start() in place_of for place_of in wrong):
                continue           # the date of an impossible time is no better
            try:
                return _named(name, hit.start(), hit.end(), _moment(hit, hit[0], place))
            except Misdated as error:
                wrong[range(hit.start(), hit.end())] = error
        for first in wrong.values():
            raise first
        either = _EITHER_WAY.search(name)
        if either:
            raise Misdated(f"the name says {either[0]}, which does not tell the day from the month; "
                           "give a pattern that does, such as app-DD-MM-YYYY.sql.gz")
        return Named(_stem(name), None)


def series_label(stem: str, known: Mapping[str, str]) -> str:
    """Return the label [a-z0-9_.] of a series: staging_db for staging-db.

    known maps the labels in use to their stems. A stem whose label another stem has taken (a-b and a_b), or which
    loses letters by becoming a label, gets a part of its SHA-256, so that two series never share a label.
    """
    plain = re.sub(r"[^a-z0-9.]+", "_", stem.lower()).strip("_.") or "files"
    faithful = re.fullmatch(r"[A-Za-z0-9._-]*", stem) and len(plain) <= LABEL_LENGTH
    if faithful and known.get(plain, stem) == stem:
        return plain
    digest = hashlib.sha256(stem.encode()).hexdigest()[:8]
    return f"{plain[:LABEL_LENGTH - 9].strip('_.')}.{digest}"


def local_time(wall: datetime, place: str) -> tuple[datetime, str]:
    """Return (UTC time, note) of a clock's time in a zone; raise Misdated for an hour that was skipped there.

    An hour that came twice, when summer time ended, is taken as the first one.
    """
    first = wall.replace(tzinfo=zone(place), fold=0)
    moment = first.astimezone(timezone.utc)
    if moment.astimezone(first.tzinfo).replace(tzinfo=None, fold=0) != wall:
        raise Misdated(f"{wall:%Y-%m-%d %H:%M:%S} does not exist in {place}, where the clock was put forward")
    second = wall.replace(tzinfo=first.tzinfo, fold=1)
    if second.utcoffset() != first.utcoffset():
        return moment, f"{wall:%Y-%m-%d %H:%M:%S} came twice in {place}; taken as the first"
    return moment, ""


def _stamp_regex(text: str) -> str:
    regex, seen = "", set[str]()
    for part in re.split("(YYYY|MM|DD|HH|SS|Z)", text):
        if part == "MM":
            part = r"(?P<minute>\d\d)" if "HH" in seen else r"(?P<month>\d\d)"
        elif part == "Z":
            part = "(?P<zone>Z)"
        else:
            seen.add(part)
            part = _PARTS.get(part) or re.escape(part)
        regex += part
    return f"(?P<stamp>{regex})"


def _glob(text: str) -> str:
    return "".join({"*": ".*", "?": "."}.get(letter) or re.escape(letter) for letter in text)


def _named(name: str, begin: int, end: int, moment: tuple[datetime, str]) -> Named:
    before, after = name[:begin], _SUFFIX.sub("", name[end:])
    stem = "-".join(part for part in (before.strip("-_. "), after.strip("-_. ")) if part)
    return Named(stem, moment[0], (moment[1],) if moment[1] else ())


def _stem(name: str) -> str:
    return _SUFFIX.sub("", name).strip("-_. ")


def _moment(found: re.Match[str], said: str, place: str) -> tuple[datetime, str]:
    parts = found.groupdict()
    if parts.get("epoch"):
        return datetime.fromtimestamp(int(parts["epoch"]), timezone.utc), ""
    numbers = [int(parts.get(key) or 0) for key in ("year", "month", "day", "hour", "minute", "second")]
    try:
        wall = datetime(*numbers)  # type: ignore[arg-type]  # noqa: DTZ001 - its zone is decided below
    except ValueError as error:
        raise Misdated(f"the name says {said}, which is no time ({error})") from error
    told = parts.get("zone")
    if told == "Z":
        return wall.replace(tzinfo=timezone.utc), ""
    if told:
        offset = timedelta(hours=int(told[1:3]), minutes=int(told[-2:])) * (-1 if told[0] == "-" else 1)
        return wall.replace(tzinfo=timezone(offset)).astimezone(timezone.utc), ""
    return local_time(wall, place)
