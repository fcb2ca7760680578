# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""What a scheduler tells of itself, so that a container's health check can judge it from outside. Pure."""
from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Mapping

from ..errors import Damaged

SILENCE = timedelta(minutes=3)     # a scheduler that has not beaten for so long hangs or is gone


@dataclass(frozen=True)
class Watch:
    """A scheduler's state at its last beat."""

    beat: datetime
    next_run: str = ""             # in words: backup at 2026-11-20T03:00:00Z
    running: str = ""
    check: str = ""                # what stands in the way of the next backup; empty: nothing
    failed: Mapping[str, str] = field(default_factory=dict)    # task → what its last run said, if it failed

    def ended(self, task: str, words: str) -> Watch:
        """Return the state after a run; without words it went well."""
        failed = {name: said for name, said in self.failed.items() if name != task}
        return replace(self, running="", failed={**failed, task: words} if words else failed)

    def judge(self, now: datetime) -> tuple[bool, str]:
        """Return whether all is well, and the reason in words."""
        if now - self.beat > SILENCE:
            return False, f"the scheduler has said nothing since {self.beat:%Y-%m-%dT%H:%M:%SZ}"
        bad = [f"the last {task} failed: {words}" for task, words in self.failed.items()]
        bad += [f"no backup can be taken now: {self.check}"] if self.check else []
        if bad:
            return False, "; ".join(bad)
        return True, f"{self.running} is running" if self.running else f"next: {self.next_run}"

    def to_json(self) -> str:
        """Return what from_json reads back."""
        return json.dumps({**asdict(self), "beat": self.beat.isoformat(), "version": 1})

    @classmethod
    def from_json(cls, text: str) -> Watch:
        """Read a state; raise Damaged for anything else."""
        try:
            body = json.loads(text)
            return cls(datetime.fromisoformat(body["beat"]), str(body["next_run"]), str(body["running"]),
                       str(body["check"]), dict(body["failed"]))
        except (ValueError, KeyError, TypeError) as error:
            raise Damaged(f"the scheduler's state cannot be read: {error}", code="schedule.state",
                          hint="Restart the container.") from error
