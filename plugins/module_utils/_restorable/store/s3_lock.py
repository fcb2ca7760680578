# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Object lock: hold objects without an end, and lock them longer. Nothing here makes a lock shorter."""
from __future__ import annotations

from datetime import datetime, timedelta
from typing import Iterable

from ..model.object_lock import ObjectLock
from .s3_calls import Calls


class Locks:
    """Keeps ops.protect.Protection in a bucket that was made with object lock."""

    def __init__(self, calls: Calls, prefix: str, settings: ObjectLock) -> None:
        self._calls, self._prefix = calls, prefix
        self.settings = settings

    def hold(self, keys: Iterable[str], *, on: bool) -> None:
        """Put objects under a legal hold, or release them; doing it twice is fine."""
        for key in keys:
            self._calls("put_object_legal_hold", self._prefix + key, LegalHold={"Status": "ON" if on else "OFF"})

    def extend(self, keys: Iterable[str], until: datetime, *, slack: timedelta = timedelta(0)) -> int:
        """Lock objects until then, unless they are locked so long already, give or take slack; return how many were."""
        changed = 0
        for key in keys:
            now = self._until(key)
            if now is None or now < until - slack:
                self._calls("put_object_retention", self._prefix + key,
                            Retention={"Mode": self.settings.mode, "RetainUntilDate": until})
                changed += 1
        return changed

    def _until(self, key: str) -> datetime | None:
        until = self._calls("head_object", self._prefix + key).get("ObjectLockRetainUntilDate")
        return until if isinstance(until, datetime) else None
