# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Prove a backup: restore it into a scratch server, ask it, compare it with what was dumped, store the evidence."""
from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Mapping, Sequence

from ..errors import ConfigError, RestorableError
from ..model.catalogue import Backup
from ..model.drill import Check, Evidence, Objective, verdict
from ..model.manifest import Manifest
from ..model.naming import drill_prefix, parse_drill_key
from ..model.pick import Choose
from ..model.policy import Policy
from ..model.settings import ClusterSettings, DrillJob
from ..ports import Scratch, Store
from ..version import VERSION
from .copies import Copies, no_prune
from .evidence import KEYS, previous_evidence, store_evidence
from .journal import read_heads
from .keyrung import check_keys, is_own_key
from .ladder import Ladder
from .objects import unauthenticated
from .reach import reach
from .reread import climbed, manifest_twice, read_twice
from .rungs import check_objects, check_restored, check_stored, restore_all
from .world import World, read_manifest


@dataclass(frozen=True)
class DrillPlan:
    """Which backup a drill takes, from where, and what it will cost."""

    backup: Backup
    picked: str
    repository: str
    server: str                    # the scratch server in words
    plain_size: int                # bytes that will be restored
    expected_seconds: float | None     # from the last drill of this cluster that passed
    manifest: Manifest | None = None


def drill(world: World, scratch: Scratch, cluster: ClusterSettings, job: DrillJob, *, choose: Choose,
          operator: str = "", dry_run: bool = False) -> tuple[DrillPlan, Evidence | None]:
    """Drill the backup that job picks; return the plan and, unless dry_run, the stored evidence.

    A verdict of failed or incomplete is a result, not an error; errors are raised only for what prevents a verdict.
    """
    world, losses = reach(world, write=not dry_run)
    copies = Copies.of(world, job.backup, choose=choose)
    plan = _plan(world, scratch, copies.stores[0], copies)
    if dry_run:
        return plan, None
    ladder = Ladder(world.clock, world.progress, frozenset(job.optional))
    ladder.notes += copies.notes
    begun = world.clock.now()
    with no_prune(world, "drill"):
        plan, found = _climb_with(world, scratch, job, plan, copies, cluster.retention, ladder)
    noted = losses.warnings("the evidence of this drill")
    ladder.notes += noted
    evidence = store_evidence(world, _evidence(world, cluster, plan, ladder, begun, who(world, operator), found))
    # one that is lost while the evidence is stored is told in the result, since the evidence itself came too early
    late = [each for each in losses.warnings("the evidence of this drill") if each not in noted]
    return plan, replace(evidence, notes=(*evidence.notes, *late))


def who(world: World, operator: str) -> str:
    """Return who signs the evidence."""
    return world.pen.who if world.pen else operator


def _plan(world: World, scratch: Scratch, store: Store, copies: Copies) -> DrillPlan:
    backup, why = copies.backup, copies.why
    try:
        manifest, _wrong = read_twice(lambda: read_manifest(store, world.cluster, backup.id))
    except RestorableError:
        # the drill itself reports an unreadable manifest, as its first failed check, or reads it and completes this
        return DrillPlan(backup, why, store.name, "none: the manifest cannot be read", 0, None)
    plan = DrillPlan(backup, why, store.name, "", 0, _last_seconds(store, world.cluster))
    return _with_manifest(plan, scratch, manifest)


def _with_manifest(plan: DrillPlan, scratch: Scratch, manifest: Manifest) -> DrillPlan:
    server = _server_in_words(scratch, int(manifest.server.get("version_num", 0)) // 10000)
    return replace(plan, server=server, plain_size=manifest.plain_size, manifest=manifest)


def _server_in_words(scratch: Scratch, major: int) -> str:
    try:
        return scratch.plan(major)
    except ConfigError as error:
        # an incomplete drill is evidence too: a machine that cannot prove its backups must show in the status
        return f"none: {error.message}"


def _last_seconds(store: Store, cluster: str) -> float | None:
    # only one that passed went all the way
    keys = [entry.key for entry in store.list(drill_prefix(cluster))
            for found in [parse_drill_key(entry.key)] if found and found[2] == "passed"]
    if not keys:
        return None
    try:
        return float(sum(json.loads(b"".join(store.get(max(keys))))["phases"].values()))
    except (RestorableError, ValueError, KeyError, TypeError, AttributeError):
        return None                    # evidence that is damaged, or gone by now, tells no time and stops no drill


def _climb_with(world: World, scratch: Scratch, job: DrillJob, plan: DrillPlan, copies: Copies, policy: Policy,
                ladder: Ladder) -> tuple[DrillPlan, dict[str, dict[str, Any]]]:
    """Climb with the first copy; where its objects cannot be read or are damaged, begin again with the next one.

    Returns the plan with the copy that was climbed with, and what was found of each copy.
    """
    found: dict[str, dict[str, Any]] = {}
    for store in copies.stores:
        if found:
            plan = _plan(world, scratch, store, copies)
        plan = climbed(world, store, ladder, partial(_climb, world, scratch, job, plan, store, policy, ladder))
        levels = sorted({KEYS if each.name in ladder.others else each.level for each in failures(ladder.checks)})
        found[store.name] = {"verdict": verdict(ladder.checks), "levels": levels}
        readable = all(each.result == "ok" for each in ladder.checks if each.level == "L0" and (
            each.name.split(" ", 1)[0] in ("manifest", "object") or is_own_key(each.name, plan.backup.id)))
        if readable or store is copies.stores[-1]:
            break
        ladder.set_aside(store.name)
    return plan, found


def _climb(world: World, scratch: Scratch, job: DrillJob, plan: DrillPlan, store: Store, policy: Policy,
           ladder: Ladder) -> DrillPlan:
    """Climb with one copy, and return the plan with the manifest that this was done by, if it could be read."""
    scratch.discard()                  # what an earlier climb of this drill has kept
    with ladder.rung("L0", "manifest"):
        manifest = manifest_twice(world, store, plan.backup.id, ladder)
    if not ladder.stopped and manifest != plan.manifest:
        plan = _with_manifest(plan, scratch, manifest)     # the plan's own reading failed
    if not ladder.stopped and not check_keys(world, store, [manifest], policy, ladder):
        check_stored(world, store, manifest, ladder)
    if ladder.stopped or not check_objects(world, store, manifest, ladder):
        damaged = any(each.result == "failed" for each in ladder.own)
        ladder.skip_rest("L1", f"{plan.backup.id} {'is damaged' if damaged else 'could not be read'}")
        return plan
    ladder.notes += unauthenticated(manifest)
    for lack in manifest.failed:
        ladder.not_run("L1", "whole set", f"the backup is partial: {lack}")
    major = int(manifest.server.get("version_num", 0)) // 10000
    superuser = str(manifest.server.get("bootstrap_user") or "postgres")
    try:
        with scratch.start(major, superuser, keep_on_failure=job.keep_on_failure) as target:
            if restore_all(world, store, manifest, job, target, ladder):
                ladder.answers()
                check_restored(world, store, manifest, job, target, ladder)
            else:
                ladder.skip_rest("L3", "the restore failed")
            ladder.raise_to_keep(job.keep_on_failure)
    except RestorableError as error:
        ladder.explain(error)
    return plan


def _evidence(world: World, cluster: ClusterSettings, plan: DrillPlan, ladder: Ladder, begun: datetime,
              operator: str, found: dict[str, dict[str, Any]]) -> Evidence:
    manifest = plan.manifest
    snapshot = min((datetime.fromisoformat(row.begun) for row in manifest.databases), default=manifest.begun) \
        if manifest else None
    rpo = (begun - snapshot).total_seconds() if snapshot else None
    return make_evidence(world, cluster, plan, ladder, begun, operator, rpo=rpo, copies=found)


def make_evidence(world: World, cluster: ClusterSettings, plan: DrillPlan, ladder: Ladder, begun: datetime,
                  operator: str, *, rpo: float | None, copies: Mapping[str, Mapping[str, Any]],
                  recovery: Mapping[str, Any] | None = None) -> Evidence:
    """Return what a drill found; copies says what of each repository, recovery where that of a base backup ended."""
    manifest = plan.manifest
    objectives = [Objective("rto", cluster.rto, ladder.rto)]
    if plan.picked == "the newest":
        # an old backup that was drawn on purpose says nothing of how much would be lost today
        objectives.append(Objective("rpo", cluster.rpo, rpo))
    key, data = previous_evidence(world)
    return Evidence(
        begun, world.clock.now(), world.cluster, plan.backup.id, plan.picked, plan.repository,
        (*ladder.aside, *ladder.checks),
        ladder.phases(), ladder.rto, rpo, tuple(each for each in objectives if each.target),
        f"restorable {VERSION}", plan.server, dict(manifest.server) if manifest else {},
        {item.name: item.sha256 for item in manifest.items} if manifest else {}, operator,
        {"key": key, "sha256": hashlib.sha256(data).hexdigest()} if key else {}, (*ladder.notes, *ladder.kept),
        journal=read_heads(world), copies=copies, recovery=dict(recovery or {}))


def failures(checks: Sequence[Check]) -> list[Check]:
    """Return the checks that failed, in order."""
    return [each for each in checks if each.result == "failed"]
