# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""A retention policy: how many of each period are kept, by which calendar, and what no plan may do. Pure."""
from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from datetime import timedelta
from typing import Any, Mapping

from ..errors import ConfigError
from .buckets import PERIODS, WEEKDAYS, zone
from .reading import Reader, duration

COUNTS = ("last", *PERIODS)
UNLIMITED = -1
DEFAULT_TIERS = {"daily": 7, "weekly": 4, "monthly": 3}
_UNITS = (("w", 604800), ("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
_SELECTING = (*COUNTS, "within", "timezone", "week_ends_on", "count_current_period")


@dataclass(frozen=True)
class Policy:
    """What is kept. A tier's count is 0 for off and -1 for unlimited; a policy that keeps nothing cannot exist."""

    last: int = 0
    hourly: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    yearly: int = 0
    within: timedelta = timedelta(0)          # everything less than so much older than the newest
    timezone: str = "UTC"
    week_ends_on: str = "sunday"
    count_current_period: bool = False        # let the running week, month and year use up a place too
    min_keep: int = 3                         # the newest good ones, whatever the tiers say
    min_age: timedelta = timedelta(hours=24)  # nothing younger is dropped
    max_delete_percent: int = 50
    size_anomaly_percent: int = 50
    pitr: tuple[str, ...] = COUNTS            # tiers of base backups whose backups can be left for any later moment

    def __post_init__(self) -> None:
        if not self.within and not any(self.tiers().values()):
            raise _keeps_nothing("retention")

    @classmethod
    def of(cls, settings: Mapping[str, Any], where: str = "retention", *, bases: bool = False) -> Policy:
        """Read settings strictly; raise ConfigError that names where, the value and the cure.

        Without any tier the default is daily 7, weekly 4, monthly 3; with one, the unnamed tiers are off.
        Durations are texts with a unit ("90m", "36h", "14d", "2w") or 0. bases allows a tier to be {keep, pitr}.
        """
        settings, pitr = plain_tiers(settings, where) if bases else (settings, COUNTS)
        reader = Reader(settings, where)
        named = any(settings.get(tier) is not None for tier in (*COUNTS, "within"))
        counts = {tier: _count(reader, tier, 0 if named else DEFAULT_TIERS.get(tier, 0)) for tier in COUNTS}
        within = _span(reader, "within", "0s")
        if not within and not any(counts.values()):
            raise _keeps_nothing(where)
        policy = cls(
            counts["last"], counts["hourly"], counts["daily"], counts["weekly"], counts["monthly"], counts["yearly"],
            within, _zone_name(reader), _week_end(reader), reader.flag("count_current_period", False),
            reader.number("min_keep", cls.min_keep), _span(reader, "min_age", "24h"),
            reader.number("max_delete_percent", cls.max_delete_percent, most=100),
            reader.number("size_anomaly_percent", cls.size_anomaly_percent, most=100), pitr)
        reader.done()
        return policy

    def tiers(self) -> dict[str, int]:
        """Return the counts of all tiers, finest first."""
        return {tier: getattr(self, tier) for tier in COUNTS}

    def digest(self) -> str:
        """Return 16 hex digits of all that selects: tiers, zone and week end, but no floor and no guard."""
        chosen = {key: value for key, value in self.as_dict().items() if key in _SELECTING}
        return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()[:16]

    def changes(self, known: Mapping[str, Any]) -> list[str]:
        """Return "daily 7 is now 14" for all that selects otherwise than known, which as_dict gave."""
        mine, usual = self.as_dict(), {each.name: each.default for each in fields(self)}
        pairs = [(key, known.get(key, _plain(usual[key])), mine[key]) for key in _SELECTING]
        return [f"{key} {_told(old)} is now {_told(new)}" for key, old, new in pairs if old != new]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that Policy.of reads back as an equal policy."""
        plain = {key: _plain(value) for key, value in asdict(self).items()}
        del plain["pitr"]
        return {**plain, **{tier: {"keep": plain[tier], "pitr": False} for tier in COUNTS if tier not in self.pitr}}

    def __str__(self) -> str:
        tiers = [f"{tier} {'unlimited' if count < 0 else count}{'' if tier in self.pitr else ' without PITR'}"
                 for tier, count in self.tiers().items() if count]
        tiers += [f"within {_spell(self.within)}"] if self.within else []
        running = ", the running period counts" if self.count_current_period else ""
        return f"{', '.join(tiers)} ({self.timezone}, weeks end on {self.week_ends_on}{running})"


def plain_tiers(settings: Mapping[str, Any], where: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the settings with {keep, pitr} of a tier cut down to its count, and the tiers with PITR."""
    plain, pitr = dict(settings), list(COUNTS)
    for tier in COUNTS:
        if isinstance(settings.get(tier), Mapping):
            reader = Reader(settings[tier], f"{where}.{tier}")
            plain[tier] = reader.number("keep", 0, least=UNLIMITED)
            if not reader.flag("pitr", True):
                pitr.remove(tier)
            reader.done()
    return plain, tuple(pitr)


def _plain(value: Any) -> Any:
    return _spell(value) if isinstance(value, timedelta) else value


def _told(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{_told(value.get('keep', 0))} without PITR"
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else \
        {0: "off", "0s": "off", UNLIMITED: "unlimited"}.get(value, str(value))


def _count(reader: Reader, tier: str, default: int) -> int:
    value = reader.raw(tier, default)
    if isinstance(value, int) and value < UNLIMITED:
        raise reader.wrong(tier, value, f"0 for off, a number of periods, or {UNLIMITED} to keep every one")
    return reader.number(tier, default, least=UNLIMITED)


def _zone_name(reader: Reader) -> str:
    name = reader.text("timezone", "UTC")
    zone(name, f"{reader.where}.timezone")
    return name


def _week_end(reader: Reader) -> str:
    name = reader.text("week_ends_on", "sunday")
    if name.lower() not in WEEKDAYS:
        raise reader.wrong("week_ends_on", name, "one of " + ", ".join(WEEKDAYS))
    return name.lower()


def _span(reader: Reader, key: str, default: str) -> timedelta:
    """Read a duration; a number without a unit is refused, because a guessed unit deletes backups."""
    value = reader.raw(key, default)
    unitless = isinstance(value, (int, float)) or (isinstance(value, str) and value.strip()[-1:].isdigit())
    if isinstance(value, bool) or (unitless and str(value).strip() not in ("0", "0.0")):
        raise reader.wrong(key, value, "a duration with its unit, such as 90m, 36h, 14d or 2w")
    return timedelta(seconds=round(duration(value, f"{reader.where}.{key}")))


def _spell(span: timedelta) -> str:
    """Return a duration in the largest unit that divides it: 14d is 2w, 36h stays 36h."""
    seconds = round(span.total_seconds())
    unit, size = next(((unit, size) for unit, size in _UNITS if seconds and seconds % size == 0), ("s", 1))
    return f"{seconds // size}{unit}"


def _keeps_nothing(where: str) -> ConfigError:
    return ConfigError(f"{where} has every tier off and would keep nothing",
                       hint="Give at least one of " + ", ".join(COUNTS) + " or within, for example daily: 7.",
                       code="config.retention_empty")
