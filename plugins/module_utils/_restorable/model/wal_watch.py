# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Judge what the shipper of a cluster's WAL last said of itself. Pure."""
from __future__ import annotations

from datetime import datetime
from typing import Any, Mapping, Sequence

from .health import Health
from .recovery import Window
from .text import human_bytes, human_duration

SILENCE = 600.0                    # seconds after which a shipper that reports every five is taken to be gone
LATE = 600.0                       # seconds that a file may wait; archive_timeout makes one a minute
HELD, FULL = 10**9, 16 * 10**9      # bytes that a slot holds on the server from which on it is yellow, and red
_WORSE = ("green", "yellow", "red")


def with_shipper(health: Health, report: Mapping[str, Any], now: datetime, seen: Mapping[str, Any] | None = None
                 ) -> Health:
    """Return a cluster's health together with its shipper's; an empty report says nothing.

    seen is what waits now, where that can be looked at: waiting, oldest_age (seconds), bytes and free of pg_wal, or
    slot_bytes. Red: a file is not archived or waits too long, pg_wal will fill its disk, or nobody ships. Yellow: a
    repository lacks what others have, or nobody ships and nothing waits.
    """
    red, yellow = _findings(report, now, seen or {})
    return _worse(health, red, yellow)


def with_gaps(health: Health, windows: Mapping[str, Sequence[Window]]) -> Health:
    """Return a cluster's health together with the gaps of its WAL, from the recovery windows by repository.

    Red: no repository leads from its newest base to the end of its WAL. Yellow: there are moments between.
    """
    rows = {name: max((each for each in found if each.whole), key=lambda each: each.begin, default=None)
            for name, found in windows.items()}
    newest = {name: each for name, each in rows.items() if each is not None}
    broken = [f"WAL is missing behind {each.reach} in repository {name}, and no later moment can be recovered: take a "
              "base backup" for name, each in newest.items() if each.beyond]
    passed = [f"WAL is missing behind {each.reach} in repository {name}: from there to the next base backup no moment "
              "can be recovered" for name, found in windows.items() for each in found
              if each.beyond and each.whole and each is not newest[name]]
    if broken and len(broken) == len(newest):
        return _worse(health, broken, passed)
    return _worse(health, [], broken + passed)


def _worse(health: Health, red: list[str], yellow: list[str]) -> Health:
    colour = max(health.colour, "red" if red else "yellow" if yellow else "green", key=_WORSE.index)
    return Health(colour, (*red, *health.reasons, *yellow))


def _findings(report: Mapping[str, Any], now: datetime, seen: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    red, yellow = [], []
    refused = report.get("refused", {})
    for name, error in list(refused.items())[:1]:
        more = f", and {len(refused) - 1} more" if len(refused) > 1 else ""
        red.append(f"WAL {name} is not archived{more}: {error.get('message', '')}")
    if report.get("warning"):
        red.append(str(report["warning"]))
    yellow += [f"repository {name} is behind with WAL: {why}" for name, why in report.get("behind", {}).items()]
    age = (now - datetime.fromisoformat(report["updated"])).total_seconds() if report else 0.0
    _judge_silence(age, seen, red, yellow)
    _judge_waiting({**report, **seen}, red)
    _judge_slot(int(seen.get("slot_bytes") or report.get("slot_bytes") or 0), red, yellow)
    return red, yellow


def _judge_silence(age: float, seen: Mapping[str, Any], red: list[str], yellow: list[str]) -> None:
    if age > SILENCE:
        idle = seen.get("waiting") == 0
        (yellow if idle else red).append(f"the shipper of WAL said nothing for {human_duration(age)}" + (
            ", and nothing waits" if idle else ": the server keeps its WAL until the disk is full, see that it runs"))


def _judge_waiting(facts: Mapping[str, Any], red: list[str]) -> None:
    waits = float(facts.get("oldest_age") or 0.0)
    if waits > LATE:
        room = f", {human_bytes(facts['free'])} left on its disk" if facts.get("free") is not None else ""
        red.append(f"{facts.get('waiting', 1)} WAL files wait to be archived, the oldest for {human_duration(waits)}: "
                   f"{human_bytes(facts.get('bytes') or facts.get('pg_wal_bytes') or 0)} in pg_wal{room}")


def _judge_slot(held: int, red: list[str], yellow: list[str]) -> None:
    if held >= HELD:
        (red if held >= FULL else yellow).append(
            f"the replication slot holds {human_bytes(held)} of WAL on the server, which grows until its disk is full")
