# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Names of the objects by which a listing tells that a copy of a set was found damaged, or whole again. Pure.

They lie in the set's own folder, so they go with it, and each repository tells of its own copy only.
"""
from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Iterable

from .naming import parse_stamp, stamp

_NAME = re.compile(r"verify\.(\d{8}T\d{6}Z)\.(damaged|whole)\.json")


def finding_name(when: datetime, known: Iterable[str], *, damaged: bool) -> str:
    """Return the name of a finding, later than those that are known: verify.20261121T030000Z.damaged.json ."""
    last = max((found[0] for found in map(parse_finding, known) if found), default=None)
    if last is not None and when < last + timedelta(seconds=1):
        # of two within a second, or by a clock that was set back, the later one counts
        when = last + timedelta(seconds=1)
    return f"verify.{stamp(when)}.{'damaged' if damaged else 'whole'}.json"


def parse_finding(name: str) -> tuple[datetime, bool] | None:
    """Read (when, whether it tells of damage) from an object's name, or None if it is another object's."""
    found = _NAME.fullmatch(name)
    try:
        return (parse_stamp(found[1]), found[2] == "damaged") if found else None
    except ValueError:
        return None                # digits that are no date


def damaged_since(names: Iterable[str]) -> datetime | None:
    """Return when the set was found damaged, unless it was found whole after that."""
    when, damaged = max((found for found in map(parse_finding, names) if found), default=(None, False))
    return when if damaged else None
