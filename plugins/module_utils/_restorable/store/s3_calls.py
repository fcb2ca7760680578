# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Call an S3 endpoint; a call that may succeed later is made again, a bounded number of times."""
from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any, Callable

from .s3_errors import Place, explain, is_passing

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 20.0     # seconds; doubled each time


@dataclass(frozen=True)
class Answer:
    """What a call gave; repeated if an earlier try may have done its work without telling us."""

    body: dict[str, Any]
    repeated: bool = False


class Failed(Exception):
    """A call failed for good; told becomes the user's error unless the caller knows better."""

    def __init__(self, error: BaseException, told: Exception, *, repeated: bool) -> None:
        super().__init__(str(told))
        self.error = error
        self.told = told
        self.repeated = repeated


class Calls:
    """One client and its bucket. Every call sends bytes that can be sent again."""

    def __init__(self, client: Any, place: Place, *, retries: int, pause: Callable[[float], None]) -> None:
        self._client = client
        self._errors = _errors()
        self.place = place
        self._retries = retries
        self._pause = pause

    def __call__(self, verb: str, key: str = "", **arguments: Any) -> dict[str, Any]:
        """Call put_object and the like; raise one of our errors."""
        try:
            return self.ask(verb, key, **arguments).body
        except Failed as failed:
            raise failed.told from failed.error

    def ask(self, verb: str, key: str = "", *, done: Callable[[], dict[str, Any] | None] | None = None,
            **arguments: Any) -> Answer:
        """Do the same, and raise Failed, for a caller that makes its own sense of some errors.

        done is asked before the call is made again: what it gives is the answer, if an earlier try did its work.
        """
        if key:
            arguments["Key"] = key
        for attempt in range(self._retries + 1):
            try:
                return Answer(getattr(self._client, verb)(Bucket=self.place.bucket, **arguments), attempt > 0)
            except self._errors as error:
                if attempt == self._retries or not is_passing(error):
                    told = explain(error, self.place, verb, key)
                    raise Failed(error, told, repeated=attempt > 0) from error
                self.wait(attempt)
                found = done() if done else None
                if found is not None:
                    return Answer(found, True)
        raise AssertionError("a loop without an end")

    def once(self) -> Calls:
        """Return the same that makes no call again, for what is not worth to wait for."""
        return Calls(self._client, self.place, retries=0, pause=self._pause)

    def wait(self, attempt: int) -> None:
        """Pause before the next try: longer each time, and never in step with other writers."""
        self._pause(random.uniform(0.5, 1) * min(FIRST_PAUSE * 2 ** attempt, LONGEST_PAUSE))

    @property
    def passing(self) -> tuple[type[BaseException], ...]:
        """Return the classes of what a broken connection raises while a body is read."""
        return self._errors

    @property
    def retries(self) -> int:
        """Return how often a call is made again."""
        return self._retries


def _errors() -> tuple[type[BaseException], ...]:
    from botocore.exceptions import BotoCoreError, ClientError
    from urllib3.exceptions import HTTPError
    return (BotoCoreError, ClientError, HTTPError, OSError)
