# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The moment that a recovery must reach: latest, a time with its zone, an LSN, a transaction, a restore point. Pure."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone

from ..errors import ConfigError
from .buckets import zone
from .lsn import Lsn

KINDS = ("latest", "immediate", "time", "lsn", "xid", "name")
EXCLUSIVE = ("time", "lsn", "xid")  # recovery_target_inclusive counts for these alone (runtime-config-wal.html)
_WORDS = {"latest": "a recovery to the end of the WAL", "immediate": "a recovery to the end of the base backup",
          "name": "a restore point"}
FIRST_XID = 3                      # those before it are PostgreSQL's own (transam.h)
_HINT = ("Write it with its zone, such as 2026-11-20T14:30:00+01:00, 2026-11-20 13:30:00Z or "
         "'2026-11-20 14:30:00 Europe/Berlin'.")


@dataclass(frozen=True)
class Target:
    """Where to stop. value is a time in UTC, an LSN, a transaction id or a name, as text; empty of the first two."""

    kind: str = "latest"
    value: str = ""
    inclusive: bool = True         # stop after it, not before

    @classmethod
    def of(cls, kind: str, value: str = "", *, inclusive: bool = True) -> Target:
        """Read what a user wrote; raise ConfigError that says what would be right."""
        if kind not in KINDS:
            raise ConfigError(f"recovery target {kind!r} is not known", code="recover.bad_target",
                              hint=f"Choose one of {', '.join(KINDS)}.")
        if bool(value) != (kind not in ("latest", "immediate")):
            raise ConfigError(f"recovery target {kind} {'has' if value else 'lacks'} a value",
                              hint="Give time, lsn, xid and name a value, and latest and immediate none.",
                              code="recover.bad_target")
        if not inclusive and kind not in EXCLUSIVE:
            raise ConfigError(f"exclusive is given, and {_WORDS.get(kind, kind)} has nothing before which to stop",
                              hint="Give time, lsn or xid with it, or leave it out.", code="recover.bad_target")
        if kind == "time":
            return cls(kind, read_time(value).isoformat(), inclusive)
        if kind == "lsn":
            return cls(kind, str(Lsn.parse(value)), inclusive)
        return cls(kind, str(_read_xid(value)) if kind == "xid" else value, inclusive)

    @property
    def time(self) -> datetime:
        """Return the moment of a target of kind time."""
        return datetime.fromisoformat(self.value)

    @property
    def xid(self) -> int:
        """Return the transaction as the WAL knows it: without its epoch, which PostgreSQL cuts off as well."""
        return int(self.value) & 0xFFFFFFFF

    def settings(self, timeline: int) -> dict[str, str]:
        """Return PostgreSQL's own settings (runtime-config-wal.html, Recovery Target)."""
        found = {"recovery_target_timeline": str(timeline), "recovery_target_action": "promote",
                 "recovery_target_inclusive": "on" if self.inclusive else "off"}
        if self.kind == "immediate":
            found["recovery_target"] = "immediate"
        elif self.kind == "time":
            found["recovery_target_time"] = f"{self.time:%Y-%m-%d %H:%M:%S.%f}+00"
        elif self.kind == "xid":
            found["recovery_target_xid"] = str(self.xid)
        elif self.kind != "latest":
            found[f"recovery_target_{self.kind}"] = self.value
        return found

    def __str__(self) -> str:
        if self.kind == "latest":
            return "the end of the archived WAL"
        if self.kind == "immediate":
            return "the end of the base backup"
        words = {"time": "time", "lsn": "LSN", "xid": "transaction", "name": "restore point"}[self.kind]
        return f"{words} {self.value}" + ("" if self.inclusive else ", exclusive")


def _read_xid(text: str) -> int:
    """Read a transaction id with or without its epoch, as pg_current_xact_id() and xmin print it.

    PostgreSQL takes 0742 for an octal number and any text for transaction 0 (check_recovery_target_xid).
    """
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number >= 2**64 or number & 0xFFFFFFFF < FIRST_XID:
        raise ConfigError(f"transaction id {text!r} is none that commits", code="recover.bad_target",
                          hint="Write it as pg_current_xact_id() or a row's xmin says it, such as 7421.")
    return number


def read_time(text: str) -> datetime:
    """Read a time that says its zone, by offset or IANA name; return it in UTC.

    A time without a zone is refused, and one that a change of the clocks repeats or leaves out: a guess would recover
    to the wrong hour.
    """
    stem, _gap, name = text.strip().rpartition(" ")
    if (name and "/" in name) or name in ("UTC", "GMT"):
        return _in_zone(text, stem, name)
    try:
        moment = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError as error:
        raise ConfigError(f"recovery time {text!r} is not valid", hint=_HINT, code="recover.bad_time") from error
    if moment.tzinfo is None:
        raise ConfigError(f"recovery time {text!r} says no zone", hint=_HINT, code="recover.no_zone")
    return moment.astimezone(timezone.utc)


def _in_zone(text: str, stem: str, name: str) -> datetime:
    place = zone(name, f"the zone of recovery time {text!r}")
    try:
        local = datetime.fromisoformat(stem)
    except ValueError as error:
        raise ConfigError(f"recovery time {text!r} is not valid", hint=_HINT, code="recover.bad_time") from error
    first, second = (local.replace(tzinfo=place, fold=fold).astimezone(timezone.utc) for fold in (0, 1))
    if first != second:
        there = first.astimezone(place).replace(tzinfo=None) == local
        what = f"comes twice: {first.isoformat()} and {second.isoformat()}" if there else "was left out by the clocks"
        raise ConfigError(f"recovery time {text!r} {what}", code="recover.bad_time",
                          hint="Write the offset, such as +01:00, instead of the zone's name.")
    return first
