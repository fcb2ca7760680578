# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""For how long a store that can lock its objects keeps them from being deleted. Pure."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Iterable

from .naming import kind_of
from .reading import Reader

TIERS = ("hourly", "daily", "weekly", "monthly", "yearly")
# what nobody is ever to change; a hold must go when it is released, a prune's record after its time
LOCKED = ("backup", "wal", "journal", "drill")


@dataclass(frozen=True)
class ObjectLock:
    """days count from the writing of an object; tiers say how long a backup stays that retention keeps for them."""

    mode: str = "GOVERNANCE"
    days: int = 0
    tiers: tuple[tuple[str, int], ...] = ()

    @classmethod
    def of(cls, body: Any, where: str) -> ObjectLock | None:
        """Read {"mode": "governance", "days": 7, "weekly": 35}; None or nothing is no lock."""
        if not body:
            return None
        reader = Reader(body, where)
        mode = reader.choice("mode", "governance", ("governance", "compliance"))
        days = reader.number("days", 0, most=36500)
        tiers = tuple((tier, reader.number(tier, 0, most=36500)) for tier in TIERS)
        reader.done()
        return cls(mode.upper(), days, tuple((tier, count) for tier, count in tiers if count))

    def until(self, key: str, now: datetime) -> datetime | None:
        """Return until when a new object is locked, or None if it is not."""
        until = (now + timedelta(days=self.days)).replace(microsecond=0)       # what stores keep
        return until if self.days and kind_of(key) in LOCKED else None

    def extended(self, begun: datetime, reasons: Iterable[str]) -> datetime | None:
        """Return until when a kept backup is locked by the tiers that keep it; reasons are such as "weekly#2"."""
        keeping = {each.partition("#")[0] for each in reasons}
        wanted = [count for tier, count in self.tiers if tier in keeping]
        return begun + timedelta(days=max(wanted)) if wanted else None
