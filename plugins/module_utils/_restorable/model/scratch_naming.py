# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Names of what a check of a repository writes; no cluster's name begins so. Pure."""
from __future__ import annotations

from datetime import datetime

from .naming import parse_stamp, stamp

SCRATCH = "_check/"


def scratch_prefix(now: datetime, token: str) -> str:
    """Return where one check writes: _check/20261120T030000Z-3f2a/ ."""
    return f"{SCRATCH}{stamp(now)}-{token}/"


def scratch_time(key: str) -> datetime | None:
    """Return when the check began that wrote a key, or None if none did."""
    _scratch, _slash, rest = key.partition("/")
    try:
        return parse_stamp(rest.partition("-")[0])
    except ValueError:
        return None
