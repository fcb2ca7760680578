# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""What a store says that keeps an object from being deleted; a prune reports it and goes on. Pure."""
from __future__ import annotations

from datetime import datetime

from ..errors import Refused, RestorableError

CODE = "store.retained"
HOLD = "a legal hold"


def retained(name: str, until: datetime | None) -> Refused:
    """Return the refusal to delete an object that is locked until then, or by a hold without an end."""
    why = f"is locked until {until:%Y-%m-%d %H:%M} UTC" if until else f"is under {HOLD}"
    return Refused(f"object {name} {why}", code=CODE, details={"until": until.isoformat() if until else HOLD},
                   hint="Nothing is wrong: a later prune deletes it. Release a hold with `restorable hold --release`.")


def retained_until(error: RestorableError) -> str | None:
    """Return until when an object is kept by its store, if that is what the error says."""
    return str(error.details.get("until", "")) if error.code == CODE else None
