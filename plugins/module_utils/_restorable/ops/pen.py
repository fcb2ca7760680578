# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""With what and in whose name events are written into journals."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Callable

from ..model.journal import Sign
from ..ports import Lock


@dataclass(frozen=True)
class Pen:
    """One writer."""

    chain: str                     # the writer's name, as a folder's
    who: str
    where: str                     # user@host
    lock: Lock
    token: Callable[[], str]       # gives eight new hex digits
    sign: Sign | None = None       # may raise ConfigError when it is first used
