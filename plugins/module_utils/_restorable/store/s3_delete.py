# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Delete from a bucket: in a versioned one the current version, never a locked one."""
from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

from ..errors import ConfigError, RestorableError
from ..model.retained import retained
from .s3_calls import Calls, Failed
from .s3_errors import ABSENT, DENIED, UNABLE, code_of
from .s3_lock import is_held, locked_until

_HINT = ("Allow s3:ListBucketVersions on the bucket to who deletes, or s3:GetObject on the object, and "
         "s3:DeleteObjectVersion; docs/policies/prune-host.json has all of it.")


def delete_current(calls: Calls, key: str, name: str, now: datetime) -> bool:
    """Remove an object; return whether it was there. Raise Refused("store.retained") where object lock forbids it.

    Without its version a versioned bucket would only hide the object: it would cost as before, and no lock would be
    asked. A key that is read by nobody but us has one version.
    """
    found = _current(calls, key)
    if found is None:
        return False
    version = {"VersionId": found["VersionId"]} if found.get("VersionId") else {}
    try:
        answer = calls.ask("delete_object", key, **version).body
    except Failed as failed:
        if code_of(failed.error) in ABSENT:
            return False
        why = _locked(calls, key, found, name, now) if code_of(failed.error) in DENIED else None
        raise (why or failed.told) from failed.error
    if answer.get("DeleteMarker") and not found:
        _show_again(calls, key, answer)
        raise ConfigError(f"object {name} is kept: the bucket has versions, and these credentials may not ask which "
                          "one is to go", hint=_HINT, code="store.denied")
    return found != {}                 # who was told nothing of it must not ask for ever


def _current(calls: Calls, key: str) -> dict[str, Any] | None:
    """Return what the endpoint tells of an object, its version with it; {} if that is denied, None without one."""
    try:
        return calls.ask("head_object", key).body
    except Failed as failed:
        if code_of(failed.error) in ABSENT:
            return None
        if code_of(failed.error) not in DENIED:
            raise failed.told from failed.error
    # who may only delete need not read: a listing of versions tells as much, its own key's before all that it begins
    try:
        page = calls.ask("list_object_versions", Prefix=key, MaxKeys=10).body
    except Failed as failed:
        if code_of(failed.error) not in (*DENIED, *UNABLE):
            raise failed.told from failed.error
        return {}
    return next((row for row in page.get("Versions", ()) if row["Key"] == key and row.get("IsLatest")), None)


def _show_again(calls: Calls, key: str, answer: dict[str, Any]) -> None:
    """Take a delete marker away, so that a listing goes on to tell of the bytes that are there."""
    with suppress(RestorableError):    # it needs the right to delete a version, too
        calls("delete_object", key, VersionId=answer["VersionId"])


def _locked(calls: Calls, key: str, found: dict[str, Any], name: str, now: datetime) -> RestorableError | None:
    """Return the refusal by a lock; who may read an object need not be told of its locks, and the other way round."""
    held, until = found.get("ObjectLockLegalHoldStatus") == "ON", found.get("ObjectLockRetainUntilDate")
    with suppress(RestorableError):
        held = held or is_held(calls, key)
    with suppress(RestorableError):
        until = until or locked_until(calls, key)
    if held:
        return retained(name, None)
    return retained(name, until) if isinstance(until, datetime) and until > now else None
