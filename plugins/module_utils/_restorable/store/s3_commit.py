# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Make an object visible in a bucket by one request that never replaces another object."""
from __future__ import annotations

import secrets
import threading
from contextlib import contextmanager, suppress
from typing import Any, Callable, Iterator

from ..errors import RestorableError
from .s3_calls import Answer, Calls, Failed
from .s3_errors import ABSENT, DENIED, TAKEN, UNABLE, code_of, is_passing

TOKEN = "restorable-put"               # noqa: S105 - metadata: which put made this object

_turns: dict[tuple[str, str], threading.Lock] = {}
_guard = threading.Lock()


class Commit:
    """The last request of one put.

    An answer may be lost although its request did its work. The next try is then told that the key is taken, or that
    the upload is gone; whose object is there is told by the token that we gave it.
    """

    def __init__(self, calls: Calls, key: str, *, conditional: bool, taken: Callable[[], RestorableError]) -> None:
        self._calls, self._key, self._taken = calls, key, taken
        self._conditional = conditional
        self.token = secrets.token_hex(16)
        self._made = False

    def __call__(self, verb: str, **arguments: Any) -> dict[str, Any]:
        """Send it; return the answer, {} if it was lost. An object that is not ours raises what taken gives."""
        if self._conditional:
            return self._send(verb, arguments)
        with _turn(self._calls.place.bucket, self._key):
            if self._head() is not None:
                raise self._taken()
            answer = self._send(verb, arguments)
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
        head = self._head() if self._made else None
        if head is not None and _owner_of(head) in (self.token, ""):
            version = {"VersionId": head["VersionId"]} if head.get("VersionId", "null") != "null" else {}
            self._calls("delete_object", self._key, **version)

    def _send(self, verb: str, arguments: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = self._ask(verb, arguments).body
            self._made = True
            return answer
        except Failed as failed:
            code = code_of(failed.error)
            unclear = code in TAKEN or code == "NoSuchUpload" or is_passing(failed.error)
            if unclear and self._is_ours():
                self._made = True
                return {}
            if code in TAKEN:
                raise self._taken() from failed.error
            raise failed.told from failed.error

    def _ask(self, verb: str, arguments: dict[str, Any]) -> Answer:
        try:
            return self._calls.ask(verb, self._key, IfNoneMatch="*", **arguments)
        except Failed as failed:
            if code_of(failed.error) not in UNABLE:
                raise
        return self._calls.ask(verb, self._key, **arguments)       # the endpoint does not know the condition

    def _is_ours(self) -> bool:
        with suppress(RestorableError):
            return self._owner() == self.token
        return False

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
    return {"ContentLength": rows[0]["Size"]} if rows and rows[0]["Key"] == key else None


def _owner_of(head: dict[str, Any]) -> str:
    # some endpoints give names back in another case, some keep no metadata
    found = {str(name).lower(): str(value) for name, value in head.get("Metadata", {}).items()}
    return found.get(TOKEN, "")


@contextmanager
def _turn(bucket: str, key: str) -> Iterator[None]:
    """Let one thread at a time commit a key."""
    with _guard:
        lock = _turns.setdefault((bucket, key), threading.Lock())
    with lock:
        yield
