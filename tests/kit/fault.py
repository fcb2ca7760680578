# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that a test plans, and that complain if the code under test never met them."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Fault:
    """Raise error at the nth call of verb ("put", "get", …), or once after_bytes of its stream have passed."""

    verb: str
    error: BaseException
    nth: int = 1
    after_bytes: int | None = None
    calls: int = field(default=0, init=False)
    reached: bool = field(default=False, init=False)

    def counts(self, verb: str) -> bool:
        """Count a call; say whether it is the one to fail."""
        if verb != self.verb:
            return False
        self.calls += 1
        return self.calls == self.nth

    def strike(self) -> None:
        """Fail."""
        self.reached = True
        raise self.error


class Faults:
    """The plan of a test: `with Faults(Fault("put", error, nth=2)) as faults: …` fails if one was not reached."""

    def __init__(self, *planned: Fault) -> None:
        self.planned = planned

    def __enter__(self) -> Faults:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        missed = [f"{fault.verb} number {fault.nth}, called {fault.calls} times"
                  for fault in self.planned if not fault.reached]
        if kind is None and missed:
            raise AssertionError(f"planned faults were not reached: {'; '.join(missed)}")

    def meet(self, verb: str) -> Fault | None:
        """Fail now if a fault is planned for this call; return the one that waits for bytes, if any."""
        waiting = None
        for fault in self.planned:
            if fault.counts(verb):
                if fault.after_bytes is None:
                    fault.strike()
                waiting = fault
        return waiting
