# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Object lock: hold objects without an end, and lock them longer. Nothing here makes a lock shorter."""
from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Iterable

from ..errors import ConfigError
from ..model.object_lock import ObjectLock
from .s3_calls import Calls, Failed
from .s3_errors import code_of

# what an endpoint says of an object, or of a whole bucket, that was never locked
_NOTHING = ("NoSuchObjectLockConfiguration", "ObjectLockConfigurationNotFoundError", "InvalidRequest")


class Locks:
    """Keeps ops.protect.Protection in a bucket that was made with object lock.

    What is asked first needs no right to read the object itself, and an endpoint that does not know the question is
    never sent the order: it may take it for the object's new content.
    """

    def __init__(self, calls: Calls, prefix: str, settings: ObjectLock) -> None:
        self._calls, self._prefix = calls, prefix
        self.settings = settings

    def hold(self, keys: Iterable[str], *, on: bool) -> int:
        """Put objects under a legal hold, or release them; doing it twice is fine. Return how many were changed."""
        changed = 0
        for key in keys:
            if is_held(self._calls, self._prefix + key) is not on:
                self._calls("put_object_legal_hold", self._prefix + key, LegalHold={"Status": "ON" if on else "OFF"})
                changed += 1
        return changed

    def extend(self, keys: Iterable[str], until: datetime, *, slack: timedelta = timedelta(0)) -> int:
        """Lock objects until then, unless they are locked so long already, give or take slack; return how many were."""
        changed = 0
        for key in keys:
            now = locked_until(self._calls, self._prefix + key)
            if now is None or now < until - slack:
                self._calls("put_object_retention", self._prefix + key,
                            Retention={"Mode": self.settings.mode, "RetainUntilDate": until})
                changed += 1
        return changed


def locked_until(calls: Calls, key: str) -> datetime | None:
    """Return until when the current version of an object is locked, None if it is not."""
    until = _asked(calls, "get_object_retention", key).get("Retention", {}).get("RetainUntilDate")
    return until if isinstance(until, datetime) else None


def is_held(calls: Calls, key: str) -> bool:
    """Say whether the current version of an object is under a legal hold."""
    return bool(_asked(calls, "get_object_legal_hold", key).get("LegalHold", {}).get("Status") == "ON")


def _asked(calls: Calls, verb: str, key: str) -> dict[str, Any]:
    try:
        return calls.ask(verb, key).body
    except Failed as failed:
        code = code_of(failed.error)
        if code in _NOTHING:
            return {}
        if code == "ResponseParserError":      # it answered with something else, such as the object
            raise ConfigError(f"repository {calls.place.name}: {calls.place.endpoint} does not know {verb}",
                              hint="Take object_lock out of the repository's settings, or use an endpoint that has it.",
                              code="store.unable") from failed.error
        raise failed.told from failed.error
