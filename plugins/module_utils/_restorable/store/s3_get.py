# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Read an object of a bucket to its end, over as many connections as it takes."""
from __future__ import annotations

from typing import Any, Iterator

from ..errors import Damaged
from ..stream.stage import CHUNK
from .s3_calls import Calls
from .s3_confirm import Reading, etag_of
from .s3_errors import explain


def body_of(calls: Calls, key: str) -> Iterator[bytes]:
    """Yield an object's bytes, all that were promised; raise Failed before the first one if there is no answer.

    Where the endpoint told a digest of the whole, other bytes raise Damaged before the end.
    """
    answer = calls.ask("get_object", key, ChecksumMode="ENABLED").body
    reading, size, seen, broken = Reading(answer), int(answer["ContentLength"]), 0, 0
    body = answer["Body"]
    try:
        while seen < size:
            try:
                chunk = body.read(CHUNK)
                if not chunk:
                    raise ConnectionError(f"the body ended after {seen} of {size} bytes")
            except calls.passing as error:
                body.close()
                if broken == calls.retries:
                    raise explain(error, calls.place, "get_object", key) from error
                calls.wait(broken)
                broken += 1
                body = _rest(calls, key, seen, answer)
                continue
            broken = 0
            seen += len(chunk)
            reading.feed(chunk)
            yield chunk
    finally:
        body.close()
    if not reading.agrees():
        raise Damaged(f"repository {calls.place.name}: {calls.place.bucket}/{key} was read as other bytes than the "
                      "endpoint's own checksum says", code="object.damaged",
                      hint="Read it again; if it happens again, drill an older backup and take a new one.")


def _rest(calls: Calls, key: str, seen: int, first: dict[str, Any]) -> Any:
    answer = calls("get_object", key, Range=f"bytes={seen}-")
    if etag_of(answer) != etag_of(first) or int(answer["ContentLength"]) != int(first["ContentLength"]) - seen:
        answer["Body"].close()
        raise Damaged(f"repository {calls.place.name}: {calls.place.bucket}/{key} was replaced while it was read",
                      hint="Find out who writes there: objects are never changed by us.", code="object.damaged")
    return answer["Body"]
