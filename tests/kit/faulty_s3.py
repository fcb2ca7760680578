# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A boto3 client that fails where a test planned it, and the errors that S3 endpoints answer with."""
from __future__ import annotations

import threading
from functools import partial
from typing import Any, Callable

from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, ReadTimeoutError

from kit.fault import Faults


def answered(code: str, status: int, message: str = "as planned", **headers: str) -> ClientError:
    """Return the error of an endpoint that answered."""
    return ClientError({"Error": {"Code": code, "Message": message},
                        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers}}, "Planned")


PASSING: dict[str, Callable[[], Exception]] = {
    "500": lambda: answered("InternalError", 500),
    "503": lambda: answered("SlowDown", 503, "Please reduce your request rate."),
    "reset": lambda: ConnectionClosedError(endpoint_url="http://planned"),
    "timeout": lambda: ReadTimeoutError(endpoint_url="http://planned"),
    "refused": lambda: EndpointConnectionError(endpoint_url="http://planned"),
}


class FaultyClient:
    """Meets the planned faults of kit.fault at each call: Fault("upload_part", error, nth=2).

    A fault with after_bytes strikes after the call did its work, so that only the answer is lost; one of get_object
    strikes in the body that it gives.
    """

    def __init__(self, inner: Any, faults: Faults) -> None:
        self._inner, self._faults = inner, faults
        self._guard = threading.Lock()

    def __getattr__(self, verb: str) -> Any:
        method = getattr(self._inner, verb)

        def call(**arguments: Any) -> Any:
            with self._guard:
                fault = self._faults.meet(verb)
            answer = method(**arguments)
            if fault is None:
                return answer
            if verb != "get_object":
                fault.strike()
            return {**answer, "Body": FaultyBody(answer["Body"], fault)}

        return call


class FaultyBody:
    """A body that breaks once a number of bytes was read."""

    def __init__(self, inner: Any, fault: Any) -> None:
        self._inner, self._fault, self._left = inner, fault, fault.after_bytes

    def read(self, size: int) -> bytes:
        if self._left == 0:
            self._fault.strike()
        chunk = self._inner.read(min(size, self._left))
        self._left -= len(chunk)
        return chunk

    def close(self) -> None:
        self._inner.close()


class BrokenFrom:
    """A client whose calls number position to position + times - 1, of whatever verb, fail. calls counts all of them.

    late lets the call do its work first, so that only the answer is lost. `with BrokenFrom(…) as client` fails if none
    of those calls was made.
    """

    def __init__(self, inner: Any, position: int, times: float, error: Callable[[], Exception], *,
                 late: bool = False) -> None:
        self._inner, self._error, self._late = inner, error, late
        self._position, self._times = position, times
        self._guard = threading.Lock()
        self.calls: list[str] = []
        self.struck: list[str] = []

    def __enter__(self) -> BrokenFrom:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if kind is None and not self.struck:
            raise AssertionError(f"call {self._position} was not reached: {', '.join(self.calls) or 'none was made'}")

    def __getattr__(self, verb: str) -> Any:
        method = getattr(self._inner, verb)

        def call(**arguments: Any) -> Any:
            with self._guard:
                number = len(self.calls)
                self.calls.append(verb)
                strike = self._position <= number < self._position + self._times
                if strike:
                    self.struck.append(verb)
            if strike and not self._late:
                raise self._error()
            answer = method(**arguments)
            if strike:
                raise self._error()
            return answer

        return call


class Changed:
    """A client some calls of which are ours: Changed(client, head_object=f); f is given the real method first."""

    def __init__(self, inner: Any, **verbs: Callable[..., Any]) -> None:
        self._inner, self._verbs = inner, verbs

    def __getattr__(self, verb: str) -> Any:
        method, ours = getattr(self._inner, verb), self._verbs.get(verb)
        return partial(ours, method) if ours else method


def denied(_method: Any, **_arguments: Any) -> Any:
    """Answer a call of Changed that these credentials may not make it."""
    raise answered("AccessDenied", 403)
