# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""List a bucket to its end, page by page."""
from __future__ import annotations

from typing import Any, Iterator

from ..errors import Unavailable
from ..ports import Entry
from .s3_calls import Calls


def objects(calls: Calls, above: str, prefix: str) -> list[Entry]:
    """Return all objects below the store's own prefix whose keys begin with prefix, sorted by key.

    Every page is in hand before the first object is given, so a listing is whole or raises; some endpoints do not sort.
    """
    cut, found = len(above), []
    for page in pages(calls, "list_objects_v2", {"Prefix": above + prefix},
                      {"ContinuationToken": "NextContinuationToken"}):
        for row in page.get("Contents", ()):
            key = row["Key"][cut:]
            if is_key(key):
                found.append(Entry(key, row["Size"], row["LastModified"]))
    found.sort(key=_key)
    return found


def is_key(key: str) -> bool:
    """Say whether a key is one of ours: names joined by "/", none empty, none with a leading dot, all printable."""
    return (key.isprintable() and "//" not in key and "/." not in key and not key.startswith((".", "/"))
            and not key.endswith("/") and key != "")


def pages(calls: Calls, verb: str, arguments: dict[str, Any], markers: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Yield every page of a listing; markers say how the next one is asked for and where a page tells it."""
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
