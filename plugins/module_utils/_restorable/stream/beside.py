# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Let a second thread work while this one goes on, and have what came of it."""
from __future__ import annotations

import threading
from typing import Any, Callable, Generic, TypeVar

T = TypeVar("T")


class Beside(Generic[T]):
    """Runs a function in a second thread while the block runs; leaving the block waits for it."""

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._outcome: list[T] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            self._outcome.append(self._function())
        except BaseException as error:  # noqa: BLE001 - handed to the thread that asked, in result()
            self._error = error

    def __enter__(self) -> Beside[T]:
        self._thread.start()
        return self

    def result(self) -> T:
        """Wait for the function and return what it returned, or raise what it raised."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._outcome[0]

    def __exit__(self, *_exc: Any) -> None:
        self._thread.join()
