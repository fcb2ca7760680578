# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Delete from a bucket: in a versioned one the current version, never a locked one."""
from __future__ import annotations

from datetime import datetime
from typing import Any

from ..errors import RestorableError
from ..model.retained import retained
from .s3_calls import Calls, Failed
from .s3_errors import ABSENT, DENIED, code_of


def delete_current(calls: Calls, key: str, name: str, now: datetime) -> None:
    """Remove an object; one that is absent is fine. Raise Refused("store.retained") where object lock forbids it.

    Without its version a versioned bucket would only hide the object: it would cost as before, and no lock would be
    asked. A key that is read by nobody but us has one version.
    """
    try:
        head = calls.ask("head_object", key).body
    except Failed as failed:
        if code_of(failed.error) in ABSENT:
            return
        if code_of(failed.error) not in DENIED:
            raise failed.told from failed.error
        head = {}                      # who may only delete need not read
    version = head.get("VersionId")
    try:
        calls.ask("delete_object", key, **({"VersionId": version} if version and version != "null" else {}))
    except Failed as failed:
        if code_of(failed.error) not in ABSENT:
            raise (_locked(head, name, now) or failed.told) from failed.error


def _locked(head: dict[str, Any], name: str, now: datetime) -> RestorableError | None:
    if head.get("ObjectLockLegalHoldStatus") == "ON":
        return retained(name, None)
    until = head.get("ObjectLockRetainUntilDate")
    return retained(name, until) if isinstance(until, datetime) and until > now else None
