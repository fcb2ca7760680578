# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Prove a base backup and its WAL: recover it in a scratch folder, read all of it, and assert where it ended."""
from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from ..errors import Damaged, NotFound, Refused, RestorableError
from ..model.catalogue import Backup
from ..model.drill import LEVELS_BASE, Evidence, verdict
from ..model.lsn import Lsn
from ..model.manifest import Manifest
from ..model.pick import PHYSICAL, Choose, pick
from ..model.policy import Policy
from ..model.recovery import Window
from ..model.recovery_log import all_replayed, check_reached, why_it_died
from ..model.recovery_target import Target
from ..model.settings import ClusterSettings, DrillJob
from ..ports import Store
from .copies import Shelf, no_prune
from .drill import DrillPlan, failures, make_evidence, who
from .evidence import KEYS, store_evidence
from .keyrung import check_keys
from .ladder import REPLAY, Ladder
from .materialise import materialise
from .objects import read_item
from .reach import reach
from .recover import feeding
from .recover_plan import RecoverPlan, last_segment_start, plan_on_its_timeline
from .recovery_ports import Recovery, RecoveryPlace
from .reread import climbed, manifest_twice, read_twice
from .rungs import check_stored
from .rungs_base import check_recovered, check_stopped, verify_files
from .wal_elsewhere import wal_elsewhere
from .windows import window_of
from .witness import check_witnesses
from .world import World

RANDOM = "random"
CHAIN = "chain and WAL"            # the check that a copy can be planned with


@dataclass
class _Ended:
    """Where a drill's recovery ended; empty before it did."""

    wanted: Target
    reached: str = ""
    replayed: str = ""
    last_commit: str = ""
    segments: int = 0
    no_wal: bool = False           # WAL of this copy could not be read while the server asked for it
    nothing_later: bool = False    # all WAL was replayed, and no transaction in it was committed after the target

    def as_dict(self) -> dict[str, Any]:
        return {"target": str(self.wanted), "reached": self.reached, "replayed": self.replayed,
                "last_commit": self.last_commit, "segments": self.segments}


def drill_base(world: World, place: RecoveryPlace, cluster: ClusterSettings, job: DrillJob, *, choose: Choose,
               operator: str = "", dry_run: bool = False) -> tuple[DrillPlan, Evidence | None]:
    """Drill a base backup; job.moment is empty for the end of the WAL, random, or a time with its zone.

    Nothing is written but the evidence: the server is private, archives nothing and follows nobody, and the server
    that was copied is never asked. A verdict of failed or incomplete is a result, not an error.
    """
    everywhere, losses = reach(world, write=not dry_run)
    there = {store.name for store in everywhere.stores}
    # read as they are: one that fails in the midst must not look like one that holds no WAL, which ends a recovery
    world = replace(world, stores=tuple(store for store in world.stores if store.name in there))
    ladder = Ladder(world.clock, world.progress, frozenset(job.optional), LEVELS_BASE)
    stores, backup, why = _pick(world, job, choose, ladder)
    target = _target(world, stores[0], backup, job.moment, choose, ladder)
    begun = world.clock.now()
    picked = f"{why}, to {target}"
    if dry_run:
        return _plan(world, place, stores[0], backup, picked, target, ladder)[0], None
    with no_prune(world, "drill"):
        plan, ended, copies = _climb_with(world, place, job, (stores, backup, picked), target, ladder,
                                          cluster.base_retention)
    newest = why == "the newest" and not job.moment
    rpo = _rpo(plan.manifest, ended, begun if newest else None, target)
    noted = losses.warnings("the evidence of this drill")
    ladder.notes += noted
    evidence = make_evidence(world, cluster, replace(plan, picked="the newest" if newest else plan.picked), ladder,
                             begun, who(world, operator), rpo=rpo, copies=copies,
                             recovery=ended.as_dict())
    evidence = store_evidence(everywhere, evidence)
    # one that is lost while the evidence is stored is told in the result, since the evidence itself came too early
    late = [each for each in losses.warnings("the evidence of this drill") if each not in noted]
    return plan, replace(evidence, notes=(*evidence.notes, *late))


def _climb_with(world: World, place: RecoveryPlace, job: DrillJob, chosen: tuple[list[Store], Backup, str],
                target: Target, ladder: Ladder, policy: Policy) -> tuple[DrillPlan, _Ended, dict[str, dict[str, Any]]]:
    """Climb with the first copy; where it is damaged or cannot be planned with, begin again with the next one.

    Returns the plan and the end of the copy that was climbed with, and what was found of each copy.
    """
    stores, backup, picked = chosen
    found: dict[str, dict[str, Any]] = {}
    for store in stores:
        plan, ended = _climb_copy(world, place, job, (store, backup, picked), target, ladder, policy)
        if ended.nothing_later and job.moment == RANDOM:
            # drawn between the last commit and the moment at which its segment came: what was true then is at the end
            ladder.notes.append(f"no transaction in the archived WAL was committed after {target}, so that everything "
                                "was replayed")
            ladder.begin_again()
            plan, ended = _climb_copy(world, place, job, (store, backup, picked), Target(), ladder, policy)
            ended.wanted = target
        levels = sorted({KEYS if each.name in ladder.others else each.level for each in failures(ladder.checks)})
        found[store.name] = {"verdict": verdict(ladder.checks), "levels": levels}
        good = all(each.result == "ok" for each in ladder.own if each.level == "L0" or each.name == CHAIN)
        good = good and not ended.no_wal
        if good or store is stores[-1]:
            break
        ladder.set_aside(store.name)
    return plan, ended, found


def _climb_copy(world: World, place: RecoveryPlace, job: DrillJob, chosen: tuple[Store, Backup, str], target: Target,
                ladder: Ladder, policy: Policy) -> tuple[DrillPlan, _Ended]:
    """Climb with one repository's copy as far as it leads."""
    return climbed(world, chosen[0], ladder, lambda: _climb_once(world, place, job, chosen, target, ladder, policy))


def _climb_once(world: World, place: RecoveryPlace, job: DrillJob, chosen: tuple[Store, Backup, str], target: Target,
                ladder: Ladder, policy: Policy) -> tuple[DrillPlan, _Ended]:
    store, backup, picked = chosen
    place.discard()                    # what an earlier climb of this drill has kept
    ended = _Ended(target)
    plan, recovery_plan = _plan(world, place, store, backup, picked, target, ladder)
    if recovery_plan is None:
        ladder.skip_rest("L2", "no recovery could be planned")
    elif not check_keys(world, store, recovery_plan.chain, policy, ladder):
        for manifest in recovery_plan.chain:
            check_stored(world, store, manifest, ladder)
        ladder.skip_rest("L2", f"{backup.id} could not be opened")
    else:
        _climb(world, place, job, recovery_plan, ladder, ended)
    return plan, ended


def _pick(world: World, job: DrillJob, choose: Choose, ladder: Ladder) -> tuple[list[Store], Backup, str]:
    """Pick among the base backups of all repositories together, and return those that have it, in their order."""
    shelf = Shelf.read(world)
    backup, why = shelf.find(lambda catalogue: pick(catalogue, job.backup, choose=choose, kinds=PHYSICAL))
    ladder.notes += shelf.notes()
    copies = shelf.holding(backup.id)
    return [store for store, _own in copies], copies[0][1], why


def _target(world: World, store: Store, backup: Backup, moment: str, choose: Choose, ladder: Ladder) -> Target:
    """Return the target; a random one lies between the backup's end and the last archived WAL."""
    if moment == "":
        return Target()
    fixed = Target() if moment == RANDOM else Target.of("time", moment)
    try:
        window, _wrong = read_twice(lambda: window_of(world, store, backup.id))
    except (Damaged, NotFound, Refused) as error:
        if moment == RANDOM:
            ladder.notes.append(f"no moment could be drawn: {error.message}")
        return fixed                   # the plan meets it again, and makes it a finding
    if moment != RANDOM:
        _require_within(window, fixed, world.clock.now())
        return fixed
    seconds = int((window.until - window.begin).total_seconds()) if window.until else 0
    if seconds < 1:
        raise Refused(f"base {backup.id} has no WAL behind it to draw a moment from", code="drill.no_window",
                      hint="Drill it without a moment, or archive WAL (docs/wal.md).")
    drawn = window.begin + timedelta(seconds=choose(range(seconds)))
    return Target.of("time", drawn.isoformat())


def _require_within(window: Window, target: Target, now: datetime) -> None:
    """Raise Refused for a moment that a backup cannot lead to, which is no fault of it; a gap of its WAL is one."""
    alone = window.reach <= window.start
    late = alone or (window.until is not None and target.time > window.until)
    if target.time < window.begin or target.time > now or (late and not window.beyond):
        until = "" if alone or window.until is None else f" to {window.until:%Y-%m-%d %H:%M:%S}"
        raise Refused(f"{target} is none that base backup {window.backup} leads to", code="drill.out_of_reach",
                      hint=f"It leads from {window.begin:%Y-%m-%d %H:%M:%S}{until} UTC. Name such a moment, or "
                           "another backup of `restorable list` (`restorable drill ID`, `backup: ID`).")


def _plan(world: World, place: RecoveryPlace, store: Store, backup: Backup, why: str, target: Target,
          ladder: Ladder) -> tuple[DrillPlan, RecoverPlan | None]:
    """Plan the recovery; what forbids it is a finding, since a backup that cannot be recovered is none."""
    only = replace(world, stores=(store,))     # another copy that is whole must not hide this one's trouble
    manifest: Manifest | None = None
    with ladder.rung("L0", "manifest"):
        manifest = manifest_twice(world, store, backup.id, ladder)
    found: RecoverPlan | None = None
    server = "none"
    if manifest is not None:
        with ladder.rung("L1", CHAIN):
            found, _wrong = read_twice(partial(plan_on_its_timeline, only, place, manifest, target))
    if found is not None:
        server = found.server
        ladder.notes += (*found.notes, *wal_elsewhere(world, found))
        ladder.checks[-1] = replace(ladder.checks[-1], detail=f"{len(found.chain)} backups, "
                                                              f"{len(found.segments)} segments without a gap")
    size = manifest.base.size if manifest and manifest.base else 0
    expected = found.expected_seconds if found else None
    return DrillPlan(backup, why, store.name, server, found.size if found else size, expected, manifest), found


def _climb(world: World, place: RecoveryPlace, job: DrillJob, plan: RecoverPlan, ladder: Ladder,
           ended: _Ended) -> None:
    superuser = str(plan.base.server.get("bootstrap_user") or "postgres")
    try:
        with place.open(plan.major, superuser, keep_on_failure=job.keep_on_failure) as recovery:
            if _restored(world, plan, recovery, ladder):
                _run(world, job, plan, recovery, ladder, ended)
                check_stopped(recovery, ladder)
            else:
                ladder.skip_rest("L2", "the backup could not be unpacked")
            ladder.raise_to_keep(job.keep_on_failure)
    except RestorableError as error:
        ladder.explain(error)


def _restored(world: World, plan: RecoverPlan, recovery: Recovery, ladder: Ladder) -> bool:
    """L0 and L1 of every member: its reading is its unpacking, so that it is read only once."""
    spaces = {each.oid: recovery.member_folder(99, str(each.oid)) for each in plan.window.base.tablespaces}

    def verify(manifest: Manifest, folder: str) -> None:
        ladder.ok("L0", f"objects {manifest.id}", f"{len(manifest.items)} objects")
        _verify(world, plan, recovery, ladder, manifest, folder)

    with ladder.phase("unpack", plan.size):
        recovery.make([recovery.data])
        try:
            materialise(world, plan.store, plan.chain, recovery, spaces, verify)
        except RestorableError as error:
            ladder.found("L0", f"objects {plan.base.id}", error)
    return not ladder.stopped


def _verify(world: World, plan: RecoverPlan, recovery: Recovery, ladder: Ladder, manifest: Manifest,
            folder: str) -> None:
    files = manifest.find("file_list")
    listed = b""
    if files is not None:
        with ladder.rung("L1", f"files {manifest.id}"):
            listed = b"".join(read_item(world, plan.store, manifest, files))
            recovery.compare_sizes(folder, listed)
    verify_files(recovery, ladder, str(manifest.id), folder, listed)


def _run(world: World, job: DrillJob, plan: RecoverPlan, recovery: Recovery, ladder: Ladder, ended: _Ended) -> None:
    recovery.configure()
    settings = {**plan.settings(), "restore_command": recovery.restore_command}
    only = replace(world, stores=(plan.store,))    # what another repository has proves nothing of this copy
    with feeding(only, plan, recovery) as feed, recovery.started(settings):
        with ladder.phase("replay WAL", len(plan.segments) * plan.segment_size or None), \
                ladder.rung("L2", REPLAY, f"{len(plan.segments)} segments"):
            told = recovery.wait_until_recovered(lambda: feed.error)
            if not recovery.alive():
                ended.nothing_later = feed.error is None and all_replayed(told, last_segment_start(plan))
                raise feed.error or why_it_died(told, plan.target, recovery.last_words(), last_segment_start(plan))
        ended.no_wal = feed.error is not None
        if ladder.stopped:
            ladder.skip_rest("L3", "the server did not recover")
            return
        ladder.answers()
        facts = recovery.ask()
        ended.replayed, ended.last_commit, ended.segments = facts["replayed"], facts["last_commit"], feed.given
        with ladder.rung("L7", "target"):
            ended.reached = check_reached(
                told, plan.target, replayed=Lsn.parse(ended.replayed or "0/0"),
                last_segment_start=last_segment_start(plan), stop=Lsn.parse(plan.window.base.stop_lsn))
            _not_later(ended)
        ladder.checks[-1] = replace(ladder.checks[-1], detail=ladder.checks[-1].detail or ended.reached)
        check_witnesses(world, plan, recovery.target(), Lsn.parse(ended.replayed or "0/0"), ladder)
        check_recovered(world, job, plan, recovery, ladder)


def _not_later(ended: _Ended) -> None:
    target = ended.wanted
    if target.kind == "time" and ended.last_commit and datetime.fromisoformat(ended.last_commit) > target.time:
        raise Refused(f"a transaction of {ended.last_commit} was recovered, the target is {target.value}",
                      code="drill.beyond_target", hint="Read the evidence; this should never happen.")


def _rpo(manifest: Manifest | None, ended: _Ended, begun: datetime | None, target: Target) -> float | None:
    """Return how much was lost: from the newest recovered commit to the cut, which is now or the target."""
    if manifest is None or manifest.base is None or not ended.reached:
        return None
    newest = datetime.fromisoformat(ended.last_commit or manifest.base.stop_time)
    cut = target.time if target.kind == "time" else begun
    return max((cut - newest).total_seconds(), 0.0) if cut else None
