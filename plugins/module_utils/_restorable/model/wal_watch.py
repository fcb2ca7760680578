# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Judge what the shipper of a cluster's WAL last said of itself. Pure."""
from __future__ import annotations

from datetime import datetime
from typing import Any, Mapping

from .health import Health
from .text import human_duration

SILENCE = 600.0                    # seconds after which a shipper that reports every five is taken to be gone
_WORSE = ("green", "yellow", "red")


def with_shipper(health: Health, report: Mapping[str, Any], now: datetime) -> Health:
    """Return a cluster's health together with its shipper's; an empty report says nothing.

    Red: a file is not archived, or pg_wal will fill its disk. Yellow: a repository lacks what others have, or nobody
    ships.
    """
    red, yellow = _findings(report, now)
    colour = max(health.colour, "red" if red else "yellow" if yellow else "green", key=_WORSE.index)
    return Health(colour, (*red, *health.reasons, *yellow))


def _findings(report: Mapping[str, Any], now: datetime) -> tuple[list[str], list[str]]:
    if not report:
        return [], []
    red, yellow = [], []
    refused = report.get("refused", {})
    for name, error in list(refused.items())[:1]:
        more = f", and {len(refused) - 1} more" if len(refused) > 1 else ""
        red.append(f"WAL {name} is not archived{more}: {error.get('message', '')}")
    if report.get("warning"):
        red.append(str(report["warning"]))
    yellow += [f"repository {name} is behind with WAL: {why}" for name, why in report.get("behind", {}).items()]
    age = (now - datetime.fromisoformat(report["updated"])).total_seconds()
    if age > SILENCE:
        yellow.append(f"the shipper of WAL said nothing for {human_duration(age)}")
    return red, yellow
