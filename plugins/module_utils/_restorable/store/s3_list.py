# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""List a bucket to its end, page by page."""
from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Iterator

from ..errors import ConfigError, NotFound, Unavailable
from ..ports import Entry
from .s3_calls import Calls

STALE = timedelta(days=1)              # no part of a running upload waits so long for the next one


def objects(calls: Calls, above: str, prefix: str) -> list[Entry]:
    """Return all objects below the store's own prefix whose keys begin with prefix, sorted by key.

    Every page is in hand before the first object is given, so a listing is whole or raises; some endpoints do not sort.
    """
    cut, found = len(above), []
    for page in _pages(calls, "list_objects_v2", {"Prefix": above + prefix},
                       {"ContinuationToken": "NextContinuationToken"}):
        for row in page.get("Contents", ()):
            key = row["Key"][cut:]
            if is_key(key):
                found.append(Entry(key, row["Size"], row["LastModified"]))
    found.sort(key=_key)
    return found


def stale_uploads(calls: Calls, above: str, now: datetime) -> list[tuple[str, str]]:
    """Return (key, upload) of multipart uploads below the prefix that were begun long ago and never ended."""
    markers = {"KeyMarker": "NextKeyMarker", "UploadIdMarker": "NextUploadIdMarker"}
    try:
        pages = list(_pages(calls, "list_multipart_uploads", {"Prefix": above}, markers))
    except (ConfigError, NotFound) as error:
        # no upload was ever begun here; or a right is missing that only cleaning needs, the bucket's lifecycle does too
        if error.code in ("store.missing", "store.denied", "store.unable"):
            return []
        raise
    return [(row["Key"], row["UploadId"]) for page in pages for row in page.get("Uploads", ())
            if now - row["Initiated"] > STALE]


def is_key(key: str) -> bool:
    """Say whether a key is one of ours: names joined by "/", none empty, none with a leading dot, all printable."""
    return (key.isprintable() and "//" not in key and "/." not in key and not key.startswith((".", "/"))
            and not key.endswith("/") and key != "")


def _pages(calls: Calls, verb: str, arguments: dict[str, Any], markers: dict[str, str]) -> Iterator[dict[str, Any]]:
    where: dict[str, Any] = {}
    while True:
        page = calls(verb, **arguments, **where)
        yield page
        if not page.get("IsTruncated"):
            return
        following = {name: page[told] for name, told in markers.items() if page.get(told)}
        if not following or following == where:
            raise Unavailable(f"repository {calls.place.name}: {calls.place.endpoint} ended {verb} in the middle",
                              hint="Run it again later; nothing is judged by a part of a listing.", code="store.failed")
        where = following


def _key(entry: Entry) -> str:
    return entry.key
