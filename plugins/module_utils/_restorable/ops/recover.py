# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Recover a server to a moment: unpack a base, replay WAL in a private server, prove that the moment was reached."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping

from ..errors import Refused
from ..model.lsn import Lsn
from ..model.recovery_log import check_reached, why_it_died
from .copies import no_prune
from .materialise import materialise
from .other_timelines import point_elsewhere
from .recover_plan import RecoverPlan, RecoverWish, last_segment_start, plan_recovery
from .recovery_ports import Recovery, RecoveryPlace
from .wal_feed import WalFeed
from .world import World


@dataclass(frozen=True)
class Recovered:
    """Where a recovery ended."""

    reached: str                   # how the target was reached, in the server's words
    replayed: str                  # LSN
    last_commit: str               # ISO time of the newest recovered transaction; empty if there was none
    timeline: int                  # the new one
    segments: int                  # that were fetched
    answers_after: float           # seconds until the server answered queries
    seconds: float
    asides: Mapping[str, str] = field(default_factory=dict)


def recover(world: World, place: RecoveryPlace, wish: RecoverWish, *,
            dry_run: bool = False) -> tuple[RecoverPlan, Recovered | None]:
    """Recover as wished; dry_run stops after the plan.

    The server runs privately, without TCP and archiving, until the target is proven; then it is shut down, and the data
    directory is left for its owner to start. On any failure the directory is as it was before.
    """
    world.progress.phase("plan")
    plan = plan_recovery(world, place, wish)
    if dry_run:
        return plan, None
    began = world.clock.elapsed()
    superuser = str(plan.base.server.get("bootstrap_user") or "postgres")
    with no_prune(world, "recover"), place.open(plan.major, superuser) as recovery:
        try:
            recovery.make([plan.data, *plan.places.values()])
            materialise(world, plan.store, plan.chain, recovery, plan.places)
            recovery.configure()
            reached, facts, fed, answered = replay(world, plan, recovery, began)
        except BaseException as error:
            # an interrupt too: half of a server must not look like one
            recovery.abandon()
            if isinstance(error, Refused):
                raise point_elsewhere(world, error, wish.target, tried=plan.timeline, beyond=plan.lineage) from None
            raise
        return plan, Recovered(
            reached, facts["replayed"], facts["last_commit"], int(facts["timeline"] or 0), fed, answered,
            round(world.clock.elapsed() - began, 3), recovery.asides())


def replay(world: World, plan: RecoverPlan, recovery: Recovery,
           began: float) -> tuple[str, Mapping[str, str], int, float]:
    """Run the server until the target is proven, then end it; return how, where, how much WAL, and seconds."""
    settings = {**plan.settings(), "restore_command": recovery.restore_command}
    world.progress.phase("replay WAL", len(plan.segments) * plan.segment_size or None)
    with feeding(world, plan, recovery) as feed, recovery.started(settings):
        reached, facts = prove(plan, recovery, feed)
        answered = round(world.clock.elapsed() - began, 3)
        world.progress.phase("shut down")
    return reached, facts, feed.given, answered


def feeding(world: World, plan: RecoverPlan, recovery: Recovery) -> WalFeed:
    """Return what gives the server its WAL."""
    return WalFeed(world, plan.store, recovery.spool, plan.segments, plan.segment_size, plan.lineage)


def prove(plan: RecoverPlan, recovery: Recovery, feed: WalFeed) -> tuple[str, Mapping[str, str]]:
    """Wait for the end of recovery and prove that it is the target; return the server's words and its place."""
    told = recovery.wait_until_recovered(lambda: feed.error)
    if not recovery.alive():
        raise feed.error or why_it_died(told, plan.target, recovery.last_words(), last_segment_start(plan))
    facts = recovery.ask()
    replayed = Lsn.parse(facts["replayed"]) if facts["replayed"] else Lsn(0)
    reached = check_reached(told, plan.target, replayed=replayed, last_segment_start=last_segment_start(plan),
                            stop=Lsn.parse(plan.window.base.stop_lsn))
    return reached, facts
