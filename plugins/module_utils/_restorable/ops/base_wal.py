# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Wait until the WAL that a base backup needs is in every repository; without it there is no backup."""
from __future__ import annotations

import time
from typing import Callable

from ..errors import RestorableError, Unavailable
from ..model.base import BaseReport
from ..model.wal import Segment, history_name
from ..ports import Store
from .base_plan import BasePlan, start_stream
from .reach import give_up, kept_up
from .wal_reading import read_wal_catalogue, verify_segment
from .world import World

Pause = Callable[[float], None]
LOOK = 1.0                         # seconds between two looks into a repository


def pause(seconds: float) -> None:
    """Let time pass."""
    time.sleep(seconds)


def wait_for_wal(world: World, plan: BasePlan, report: BaseReport, patience: float, sleep: Pause = pause, *,
                 streamed: bool = False) -> None:
    """Wait for start to stop in every repository and read it back; raise Unavailable naming what did not come.

    Where any repository is enough, one into which it does not come is given up, and has no backup.
    """
    wanted = report.segments()
    history = history_name(report.timeline) if report.left else ""
    until = world.clock.elapsed() + patience
    world.progress.phase(f"wait for WAL {wanted[0].name} to {wanted[-1].name}")
    for store in world.stores:
        try:
            while kept_up([store]) and (lacking := _lacking(world, store, wanted, history)):
                if world.clock.elapsed() >= until:
                    raise Unavailable(
                        f"WAL {lacking[0]} of backup {plan.id} did not come into repository {store.name} within "
                        f"{patience:.0f} s, so there is no backup", code="base.wal_missing",
                        hint=_why(world, plan, streamed=streamed))
                sleep(LOOK)
            for segment in wanted if kept_up([store]) else ():
                verify_segment(world, store, segment)
        except RestorableError as error:
            if not give_up(store, error):
                raise


def _lacking(world: World, store: Store, wanted: list[Segment], history: str) -> list[str]:
    """Return the names of what is missing; history leads from one timeline to the next where the backup has two."""
    catalogue = read_wal_catalogue(world, store)
    lacking = [each.name for each in wanted if not catalogue.has(each)]
    return [*lacking, history] if history and all(each.name != history for each in catalogue.histories) else lacking


def _why(world: World, plan: BasePlan, *, streamed: bool) -> str:
    if plan.server.in_recovery:
        return ("A standby cannot switch to a new segment: let the primary write, or run `SELECT pg_switch_wal()` "
                "there; look at its pg_stat_archiver too.")
    if streamed:
        return f"Look at pg_replication_slots on the server: the slot must be active. {start_stream(world)}"
    return ("Look at pg_stat_archiver on the server and at the shipper; then run again, or take a self-contained "
            "backup with `self_contained: true`.")
