# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Make an object visible in a bucket by one request that never replaces another object."""
from __future__ import annotations

import secrets
import threading
from contextlib import contextmanager, suppress
from typing import Any, Callable, Iterator

from ..errors import RestorableError, Unavailable
from .s3_calls import Answer, Calls, Failed
from .s3_confirm import etag_of
from .s3_errors import ABSENT, DENIED, TAKEN, UNABLE, code_of, is_passing

TOKEN = "restorable-put"               # noqa: S105 - metadata: which put made this object

_turns: dict[tuple[str, str], tuple[threading.Lock, list[None]]] = {}     # None for each that has or awaits it
_guard = threading.Lock()


class Commit:
    """The last request of one put.

    An answer may be lost although its request did its work. The next try is then told that the key is taken, or that
    the upload is gone; an endpoint that keeps no condition is asked before it. Whose object is there is told by the
    token that we gave it or, to who may not read it, by its ETag in a listing.
    """

    def __init__(self, calls: Calls, key: str, *, conditional: bool, taken: Callable[[], RestorableError]) -> None:
        self._calls, self._key, self._taken = calls, key, taken
        self._conditional = conditional
        self.token = secrets.token_hex(16)
        self._made: dict[str, Any] | None = None       # what was told of our object

    def __call__(self, verb: str, *, etag: str, **arguments: Any) -> dict[str, Any]:
        """Send it; return the answer or, if that was lost, what the endpoint tells of the object.

        etag is what the object is to have, "" if that is not known. One that is not ours raises what taken gives.
        """
        if self._conditional:
            return self._send(verb, etag, arguments)
        with _turn(self._calls.place.bucket, self._key):
            if self._head() is not None:
                raise self._taken()
            answer = self._send(verb, etag, arguments)
            if self._owner() not in (self.token, ""):
                raise self._taken()    # a writer elsewhere came right after us, and the last one wins
            return answer

    def size(self) -> int:
        """Return the size of the object as the endpoint tells it, -1 without one."""
        head = self._head()
        return -1 if head is None else int(head["ContentLength"])

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Remove our own object again if the block fails after it was made: a put that raises leaves nothing."""
        try:
            yield
        except BaseException:
            with suppress(RestorableError):        # what cannot be removed now is swept as an orphan
                self._undo()
            raise

    def _undo(self) -> None:
        if self._made is None:
            return
        head = self._head()
        if head is not None and _owner_of(head) in (self.token, ""):
            known = self._made.get("VersionId") or head.get("VersionId")
            self._calls("delete_object", self._key, **({"VersionId": known} if known else {}))

    def _send(self, verb: str, etag: str, arguments: dict[str, Any]) -> dict[str, Any]:
        try:
            self._made = self._ask(verb, etag, arguments).body
        except Failed as failed:
            code = code_of(failed.error)
            lost = failed.repeated or is_passing(failed.error)     # a try that failed may have done its work
            found = self._ours(etag if lost else "", self._calls) if lost or code in (*TAKEN, "NoSuchUpload") else None
            if found is None:
                raise self._why(failed, lost) from failed.error
            self._made = found
        return self._made

    def _ask(self, verb: str, etag: str, arguments: dict[str, Any]) -> Answer:
        try:
            return self._calls.ask(verb, self._key, done=lambda: self._done(etag), IfNoneMatch="*", **arguments)
        except Failed as failed:
            if code_of(failed.error) not in UNABLE:
                raise
        # the endpoint does not know the condition
        return self._calls.ask(verb, self._key, done=lambda: self._done(etag), **arguments)

    def _done(self, etag: str) -> dict[str, Any] | None:
        """Return what is told of our object between two tries; an endpoint that keeps the condition tells it itself."""
        return None if self._conditional else self._ours(etag, self._calls.once())

    def _ours(self, etag: str, calls: Calls) -> dict[str, Any] | None:
        """Return what is told of the object if it is what was sent, None if it is not, or nothing tells."""
        with suppress(RestorableError):
            head = look(calls, self._key)
            owner = _owner_of(head) if head else ""
            if head and (owner == self.token or (owner == "" and etag != "" and etag_of(head) == etag)):
                return head
        return None

    def _why(self, failed: Failed, lost: bool) -> Exception:
        taken = code_of(failed.error) in TAKEN
        if lost and (taken or code_of(failed.error) == "NoSuchUpload"):
            with suppress(RestorableError):
                head = self._head()
                if head and "Metadata" not in head:
                    return Unavailable(
                        f"an answer of repository {self._calls.place.name} was lost, and nothing tells whether "
                        f"{self._key} is what was sent", code="store.unclear",
                        hint="Run it again; who may read the object (s3:GetObject) is told.")
        return self._taken() if taken else failed.told

    def _owner(self) -> str:
        head = self._head()
        return "" if head is None else _owner_of(head)

    def _head(self) -> dict[str, Any] | None:
        return look(self._calls, self._key)


def look(calls: Calls, key: str) -> dict[str, Any] | None:
    """Return what the endpoint tells of an object, None if there is none."""
    try:
        return calls.ask("head_object", key).body
    except Failed as failed:
        if code_of(failed.error) in ABSENT:
            return None
        if code_of(failed.error) not in DENIED:
            raise failed.told from failed.error
    # who may write and not read sees the key in a listing, in which it comes before all that it begins
    rows = calls("list_objects_v2", Prefix=key, MaxKeys=1).get("Contents", ())
    row = rows[0] if rows and rows[0]["Key"] == key else None
    return {"ContentLength": row["Size"], "ETag": row.get("ETag", "")} if row else None


def _owner_of(head: dict[str, Any]) -> str:
    # some endpoints give names back in another case, some keep no metadata
    found = {str(name).lower(): str(value) for name, value in head.get("Metadata", {}).items()}
    return found.get(TOKEN, "")


@contextmanager
def _turn(bucket: str, key: str) -> Iterator[None]:
    """Let one thread at a time commit a key; nothing is left of it when the last one is done."""
    with _guard:
        lock, writers = _turns.setdefault((bucket, key), (threading.Lock(), []))
        writers.append(None)
    try:
        with lock:
            yield
    finally:
        with _guard:
            writers.pop()
            if not writers:
                del _turns[bucket, key]
