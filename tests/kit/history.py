# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Histories of backups a person can read, for the tests of retention."""
from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any, Iterable, Iterator

from _restorable.model.naming import BackupId
from _restorable.model.policy import Policy
from _restorable.model.retention import Candidate, Plan, plan_prune


def at(text: str) -> datetime:
    """Read "2026-07-15" or "2026-07-15 02:30" as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def backup(text: str, kind: str = "dump", label: str = "", **flags: Any) -> Candidate:
    """Return a candidate of that time."""
    return Candidate(BackupId(at(text), kind, label), **flags)


def backups(text: str, kind: str = "dump", label: str = "", **flags: Any) -> list[Candidate]:
    """Return one candidate for each line of a table."""
    return [backup(line.strip(), kind, label, **flags) for line in text.strip().splitlines()]


def nightly(first: str, last: str, *, hour: int = 2, without: Iterable[str] = ()) -> Iterator[Candidate]:
    """Yield a dump of each night from first to last but those without."""
    day, end, missing = date.fromisoformat(first), date.fromisoformat(last), set(without)
    while day <= end:
        if day.isoformat() not in missing:
            yield backup(f"{day} {hour:02}:00")
        day += timedelta(days=1)


def nights(first: str, last: str) -> list[str]:
    """Return the dates from first to last, both included."""
    return [f"{each.id.time:%Y-%m-%d}" for each in nightly(first, last)]


def tiers(**settings: Any) -> Policy:
    """Return a policy of bare tiers: no min_keep, no min_age."""
    return Policy.of({"min_keep": 0, "min_age": 0, **settings})


def rolled(history: Iterable[Candidate], policy: Policy, **options: Any) -> list[Candidate]:
    """Return what is left if a prune followed every single backup by an hour."""
    left: list[Candidate] = []
    for each in sorted(history, key=lambda each: each.id):
        left.append(each)
        staying = {row.id for row in plan_prune(left, policy, each.id.time + timedelta(hours=1), **options).kept}
        left = [one for one in left if one.id in staying]
    return left


def days(plan: Plan) -> list[str]:
    """Return the dates that a plan keeps, oldest first."""
    return [f"{row.id.time:%Y-%m-%d}" for row in reversed(plan.kept)]


def times(plan: Plan) -> list[str]:
    """Return the dates and times that a plan keeps, oldest first."""
    return [f"{row.id.time:%Y-%m-%d %H:%M}" for row in reversed(plan.kept)]


def fates(plan: Plan) -> dict[str, str]:
    """Return {"20260715T020000Z-dump": "keep: daily#1, floor:newest", …}."""
    return {str(row.id): f"{'keep' if row.keep else 'drop'}: {', '.join(row.reasons)}" for row in plan.rows}
