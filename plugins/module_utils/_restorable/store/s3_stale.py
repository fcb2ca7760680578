# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Abort the multipart uploads that dead writers left: they cost money, and no listing of objects shows them."""
from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from ..errors import ConfigError, NotFound, RestorableError
from .s3_calls import Calls
from .s3_list import pages

STALE = timedelta(days=1)              # no part of a running upload waits so long for the next one

_UPLOADS = {"KeyMarker": "NextKeyMarker", "UploadIdMarker": "NextUploadIdMarker"}
_PARTS = {"PartNumberMarker": "NextPartNumberMarker"}


def abort_stale(calls: Calls, above: str, now: datetime) -> tuple[str, ...]:
    """Abort uploads below the prefix that got nothing for a day; return a warning if these credentials may not.

    An upload counts from its newest part: one of a large dump may run for days.
    """
    stayed: list[RestorableError] = []
    for row in _uploads(calls, above):
        try:
            if now - row["Initiated"] > STALE and now - _newest(calls, row) > STALE:
                calls("abort_multipart_upload", row["Key"], UploadId=row["UploadId"])
        except NotFound:
            continue                   # it was completed or aborted meanwhile
        except ConfigError as error:
            if error.code not in ("store.denied", "store.unable"):
                raise
            stayed.append(error)
    if not stayed:
        return ()
    count = "a multipart upload" if len(stayed) == 1 else f"{len(stayed)} multipart uploads"
    words = (f"{stayed[0].message}, so {count} of more than a day ago may stay and cost money; let a host that may "
             "abort them, or the bucket's lifecycle, do it")
    return (words,)


def _uploads(calls: Calls, above: str) -> list[dict[str, Any]]:
    try:
        return [row for page in pages(calls, "list_multipart_uploads", {"Prefix": above}, _UPLOADS)
                for row in page.get("Uploads", ())]
    except (ConfigError, NotFound) as error:
        # no upload was ever begun here; or a right is missing that only cleaning needs, the bucket's lifecycle does too
        if error.code in ("store.missing", "store.denied", "store.unable"):
            return []
        raise


def _newest(calls: Calls, upload: dict[str, Any]) -> datetime:
    """Return when an upload's newest part came, or when it began if it has none."""
    newest: datetime = upload["Initiated"]
    named = {"Key": upload["Key"], "UploadId": upload["UploadId"]}
    for page in pages(calls, "list_parts", named, _PARTS):
        newest = max([newest, *(part["LastModified"] for part in page.get("Parts", ()))])
    return newest
