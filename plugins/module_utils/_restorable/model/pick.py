# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Pick the backup that a drill or a restore takes. Pure: chance comes in as an argument."""
from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, Callable, Sequence

from ..errors import ConfigError, NotFound
from .catalogue import Backup, Catalogue

Choose = Callable[[Sequence[Any]], Any]    # draws one of a sequence

WORDS = ("latest", "oldest", "random", "random_weekly")
LOGICAL = ("dump", "adopted")      # kinds that pg_restore reads
PHYSICAL = ("base", "incr")        # kinds that a data directory is made from


def pick(catalogue: Catalogue, wish: str, *, choose: Choose, label: str | None = None,
         kinds: Sequence[str] = LOGICAL) -> tuple[Backup, str]:
    """Return (backup, why) for latest, oldest, random, random_weekly, an id, or a moment such as 2026-11-20T03:00:00Z.

    random_weekly draws a week first and then a backup of it, so that the dense newest days do not crowd out the thin
    old ones. A moment picks the newest set begun at or before it. choose draws one of a sequence. Only sets of these
    kinds are drawn from; a named one of another kind is refused.
    """
    sets = [each for each in catalogue.committed()
            if each.id.kind in kinds and (label is None or each.id.label == label)]
    if not sets:
        raise NotFound(f"the repository holds no backup of cluster {catalogue.cluster}",
                       hint="Run `restorable backup` first.", code="backup.none")
    if wish in ("", "latest"):
        return newest(sets), "the newest"
    if wish == "oldest":
        return sets[0], "the oldest"
    if wish == "random":
        return choose(sets), f"drawn from {len(sets)} backups"
    if wish == "random_weekly":
        weeks = _weeks(sets)
        week = choose(sorted(weeks))
        return choose(weeks[week]), f"drawn from the week that begins {week}, one of {len(weeks)} weeks"
    moment = read_moment(wish)
    if moment is None:
        return _named(catalogue, wish, kinds), "named"
    return as_of(sets, moment, catalogue.cluster)


def _named(catalogue: Catalogue, wish: str, kinds: Sequence[str]) -> Backup:
    found = catalogue.get(wish)
    if found.id.kind not in kinds:
        verb = "recover" if found.id.kind in PHYSICAL else "restore"
        raise ConfigError(f"backup {found.id} is of kind {found.id.kind}, wanted is one of {', '.join(kinds)}",
                          hint=f"Bring it back with `restorable {verb}`.", code="backup.other_kind")
    return found


def newest(sets: Sequence[Backup]) -> Backup:
    """Return the newest set that we took ourselves, or the newest adopted one where there is no other.

    The date of an adopted file may be a guess, and it holds one database only.
    """
    return next((each for each in reversed(sets) if each.id.kind != "adopted"), sets[-1])


def as_of(sets: Sequence[Backup], moment: datetime, cluster: str) -> tuple[Backup, str]:
    """Return the newest set that was begun at or before the moment."""
    before = [each for each in sets if each.id.time <= moment]
    if not before:
        raise NotFound(f"cluster {cluster} has no backup from {moment.isoformat()} or before",
                       hint=f"The oldest is {sets[0].id}.", code="backup.none_before")
    return before[-1], f"the newest as of {moment.isoformat()}"


def read_moment(text: str) -> datetime | None:
    """Read a date (its last second) or an ISO time; a time without zone is UTC. None if it is neither."""
    try:
        if len(text) == len("2026-11-20"):
            day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=timezone.utc)
            return day + timedelta(days=1, seconds=-1)
        moment = datetime.fromisoformat(text.replace("Z", "+00:00")) if "-" in text[:5] else None
    except ValueError as error:
        if text[:4].isdigit() and text[4:5] == "-":
            raise ConfigError(f"moment {text!r} is not valid", code="backup.bad_moment",
                              hint="Write it like 2026-11-20 or 2026-11-20T03:00:00Z.") from error
        return None
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)


def _weeks(sets: Sequence[Backup]) -> dict[str, list[Backup]]:
    weeks: dict[str, list[Backup]] = {}
    for each in sets:
        monday = each.id.time - timedelta(days=each.id.time.weekday())
        weeks.setdefault(f"{monday:%Y-%m-%d}", []).append(each)
    return weeks
