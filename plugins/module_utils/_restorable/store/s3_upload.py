# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Send a stream as one multipart upload: parts in parallel, memory bounded, all or nothing."""
from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Iterable, Iterator

from ..errors import Damaged, RestorableError
from ..model.part_sizes import MOST_PARTS, at_once, part_size
from .s3_calls import Calls
from .s3_confirm import begins, checksums, confirms, part_of

Numbered = tuple[int, bytearray]


@dataclass(frozen=True)
class Parts:
    """What lies at the endpoint, not joined yet."""

    upload: str                        # the endpoint's id
    rows: tuple[dict[str, Any], ...]
    confirmed: bool                    # every part by the endpoint's own word


def split(source: Iterable[bytes], base: int) -> Iterator[Numbered]:
    """Yield (number, bytes) of parts, each as long as its number says but the last; an empty stream has one, empty.

    A part is made at its full size at once: one that grows would take more memory than it has bytes.
    """
    number, filled = 1, 0
    part = bytearray(part_size(number, base))
    for chunk in source:
        rest = memoryview(chunk)
        while rest:
            if filled == len(part):
                yield number, part
                number, filled = number + 1, 0
                part = bytearray(part_size(number, base))
            room = min(len(rest), len(part) - filled)
            part[filled:filled + room] = rest[:room]
            filled += room
            rest = rest[room:]
    del part[filled:]
    yield number, part


def peeked(parts: Iterator[Numbered]) -> tuple[bytearray | None, Iterator[Numbered]]:
    """Return the only part, or None and all parts, of which none is held any longer than until it is taken."""
    held = [next(parts)]
    second = next(parts, None)
    if second is None:
        return held[0][1], iter(())
    held.append(second)

    def every() -> Iterator[Numbered]:
        while held:
            yield held.pop(0)
        yield from parts

    return None, every()


class Upload:
    """One multipart upload, from its beginning to its parts; aborted when the block ends without `completed`.

    An abort that fails leaves parts that cost money and that nobody sees; `check` finds them by their age.
    """

    def __init__(self, calls: Calls, key: str, *, method: str, parallel: int, base: int,
                 arguments: dict[str, Any]) -> None:
        self._calls, self._key, self._method = calls, key, method
        self._base, self._parallel = base, parallel
        self._room = threading.Condition()
        self._under_way = 0
        self._failed = False
        self._pool = ThreadPoolExecutor(parallel, thread_name_prefix="part")
        self.id = str(calls("create_multipart_upload", key, **begins(method), **arguments)["UploadId"])
        self.completed = False

    def __enter__(self) -> Upload:
        return self

    def __exit__(self, *_error: object) -> None:
        self._failed = True
        self._pool.shutdown(wait=True, cancel_futures=True)
        if not self.completed:
            with suppress(RestorableError):
                self._calls("abort_multipart_upload", self._key, UploadId=self.id)

    def send(self, parts: Iterable[Numbered]) -> Parts:
        """Send every part; raise what the stream or a part raised, once no part is under way."""
        sent: list[Future[tuple[dict[str, Any], bool]]] = []
        for number, data in parts:
            if number > MOST_PARTS:
                raise Damaged(f"{self._key} is larger than a store of this kind takes", code="store.too_large",
                              hint="Set a larger part_size for the repository.")
            self._wait_for_room(len(data))
            if self._failed:
                break                  # the error is in one of the futures
            sent.append(self._pool.submit(self._one, number, data))
            del data                   # the thread alone holds it
        rows = [each.result() for each in sent]
        return Parts(self.id, tuple(row for row, _sure in rows), all(sure for _row, sure in rows))

    def _wait_for_room(self, size: int) -> None:
        most = at_once(max(size, self._base), self._base, self._parallel)
        with self._room:
            self._room.wait_for(lambda: self._under_way < most or self._failed)
            self._under_way += 1

    def _one(self, number: int, data: bytearray) -> tuple[dict[str, Any], bool]:
        try:
            sums = checksums(self._method, data)
            answer = self._calls("upload_part", self._key, UploadId=self.id, PartNumber=number, Body=data, **sums)
            return part_of(number, answer), confirms(answer, sums, data)
        except BaseException:
            self._failed = True
            raise
        finally:
            with self._room:
                self._under_way -= 1
                self._room.notify_all()
