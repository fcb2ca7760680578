# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""What outlives a scheduler: when it began what, which of its last runs failed, and that a container is done. Pure."""
from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Mapping

KILLED = "it did not end: the container was killed or its host went down"


@dataclass(frozen=True)
class Remembered:
    """A restart of the container knows this, and so does the next container of the service."""

    begun: Mapping[str, datetime] = field(default_factory=dict)    # task → when it was last begun
    failed: Mapping[str, str] = field(default_factory=dict)        # task → what its last run said, if it failed
    once: str = ""                 # the container that has done the one run it was started for

    def to_json(self) -> str:
        """Return what from_json reads back: task → time where there is nothing else, as cron's catch-up keeps it."""
        begun = {name: when.isoformat() for name, when in self.begun.items()}
        return json.dumps({**asdict(self), "begun": begun} if self.failed or self.once else begun)

    @classmethod
    def from_json(cls, text: str) -> Remembered:
        """Read it; raise ValueError for anything else."""
        body: Any = json.loads(text)
        if not isinstance(body, dict):
            raise ValueError(text)
        begun, failed = (body["begun"], body.get("failed", {})) if "begun" in body else (body, {})
        if not isinstance(begun, dict) or not isinstance(failed, dict):
            raise ValueError(text)
        return cls({str(name): _aware(when) for name, when in begun.items()},
                   {str(name): str(words) for name, words in failed.items()}, str(body.get("once", "")))


def _aware(text: Any) -> datetime:
    when = datetime.fromisoformat(text) if isinstance(text, str) else None
    if when is None or when.tzinfo is None:
        raise ValueError(text)
    return when
