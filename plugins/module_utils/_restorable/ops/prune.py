# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Prune by retention: plan from the listing, refuse or act, and leave a record of what was deleted and why."""
from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Collection, Iterator, Mapping, Optional, Sequence

from ..errors import Refused, RestorableError, Unavailable
from ..model.catalogue import Backup, Catalogue
from ..model.evidence_retention import EVIDENCE_KEPT, Aged, AgedPlan
from ..model.journal import Facts
from ..model.naming import (
    BackupId,
    manifest_generation,
    object_key,
    parse_prune_key,
    prune_key,
    prune_prefix,
    set_prefix,
)
from ..model.policy import Policy
from ..model.retention import Candidate, Plan, plan_prune
from ..model.uncollected import uncollected
from ..model.wal_retention import WalPlan
from ..ports import Store
from ..version import VERSION
from .evidence import blameless
from .journal import announce, read_heads, record
from .protect_bases import lock_plan
from .prune_bases import PHYSICAL, joined, last_prune, plan_bases
from .prune_evidence import UNWRITABLE, delete_evidence, plan_evidence
from .prune_wal import delete_wal, plan_wal_of
from .reach import Losses, reach
from .sweep import delete_set, sweep_orphans
from .world import World, list_sets


@dataclass(frozen=True)
class PruneReport:
    """What retention keeps and drops in one repository."""

    repository: str
    plan: Plan
    freed: int                     # bytes
    deleted: bool                  # False in a dry run, or if nothing was to delete
    sizes: Mapping[BackupId, int] = field(default_factory=dict)    # stored bytes of every set
    aged: tuple[Aged, ...] = ()    # evidence, records and events that are old enough to go
    wal: WalPlan | None = None     # None: there is no WAL
    retained: Mapping[BackupId, str] = field(default_factory=dict)     # dropped ones that a lock keeps, and until when
    warnings: tuple[str, ...] = ()     # what could not be done beside it
    stayed: tuple[BackupId, ...] = ()      # dropped ones that could not be deleted
    error: str = ""                # why it was not pruned, or not to the end


def prune(world: World, policy: Policy, *, bases: Policy | None = None, evidence: timedelta = EVIDENCE_KEPT,
          window: timedelta | None = None, dry_run: bool = False, confirm: bool = False) -> list[PruneReport]:
    """Delete what no rule keeps from every repository; dry_run returns the very same plans and deletes nothing.

    policy is that of dumps and adopted files, bases that of base backups; evidence is how long drills' evidence,
    prune records and events are kept; window is how far back recovery to any moment must reach. WAL is planned for
    the base backups that stay, and deleted after those that go.

    Every repository is planned before the first deletion anywhere. A guard that fires raises Refused with the plans
    in its details.

    Where any repository is enough, one that cannot be pruned has its trouble in its report, and stops no other.
    """
    world, losses = reach(world, write=not dry_run)
    policies = {"dump": policy, "base": bases or Policy.of({})}
    if dry_run:
        plans = _plans(world, policies, confirm)
        return _told(losses, _reports(plans, _aged(world, plans, evidence), _wal_plans(world, plans, policies, window),
                                      [_Done() for _plan in plans], deleted=False))
    with world.lock.hold("prune"), world.reading.hold("prune"):
        swept = sweep_orphans(world)
        plans = _plans(world, policies, confirm)
        wal = _wal_plans(world, plans, policies, window)
        _announce(world, plans, wal, confirm)
        done = [_Done((*losses.notes[store.name], *swept.warnings(store))) for store, _catalogue, _plan in plans]
        try:
            for (store, catalogue, plan), each in zip(plans, done):
                with _excused(world, each):
                    _act(world, (store, catalogue, plan), policies, each, confirm=confirm)
                    delete_wal(world, store, wal[store.name])
                    each.wal = True
        finally:
            _tell_stayed(world, plans)
        aged = _aged(world, plans, evidence)
        for (store, _catalogue, _plan), old, each in zip(plans, aged, done):
            if not each.error:
                with _excused(world, each):
                    delete_evidence(world, store, old)
                    each.evidence = True
        reports = _told(losses, _reports(plans, aged, wal, done, deleted=True))
        refused = [each.refused for each in done if each.refused]
        if refused and not any(each.deleted for each in reports):
            raise refused[0]
        return reports


@dataclass
class _Done:
    """What was really deleted from one repository."""

    warnings: tuple[str, ...] = ()
    gone: set[BackupId] = field(default_factory=set)
    retained: dict[BackupId, str] = field(default_factory=dict)
    wal: bool = False              # all that was planned
    evidence: bool = False
    refused: Refused | None = None     # by a journal that is unwritable; backups may be gone by then, and are told
    error: str = ""


@contextmanager
def _excused(world: World, done: _Done) -> Iterator[None]:
    try:
        yield
    except RestorableError as error:
        if isinstance(error, Refused) and error.code == UNWRITABLE:
            done.refused = error
        elif not world.any_is_enough:
            raise
        else:
            done.error = error.message


def _tell_stayed(world: World, plans: list[Planned]) -> None:
    """Write into the journals which manifests that were announced are still there, so that an audit expects them."""
    stayed = []
    for store, catalogue, plan in plans:
        try:
            there = {entry.key for row in plan.dropped for entry in store.list(set_prefix(world.cluster, row.id))}
        except RestorableError:
            continue               # its journal cannot be written either
        stayed += [key for row in plan.dropped for key in _manifests(world, catalogue, row.id) if key in there]
    if stayed:
        record(world, Facts("prune", "ok", details={"stayed": sorted(set(stayed))}, keys=tuple(sorted(set(stayed)))))


def _told(losses: Losses, reports: list[PruneReport]) -> list[PruneReport]:
    """Return the reports with the trouble of each repository that was lost, also of those that have no plan."""
    lost = {name: error.message for name, error in losses.errors.items()}
    rows = [replace(each, error=each.error or lost.pop(each.repository, "")) for each in reports]
    planned = {each.repository for each in reports}
    return rows + [PruneReport(name, Plan(), 0, False, error=why) for name, why in sorted(lost.items())
                   if name not in planned]


def _aged(world: World, plans: list[Planned], evidence: timedelta) -> list[AgedPlan]:
    return [plan_evidence(world, store, [str(row.id) for row in plan.kept], world.clock.now(), evidence)
            for store, _catalogue, plan in plans]


def _manifests(world: World, catalogue: Catalogue, backup: BackupId) -> list[str]:
    """Return the keys of a set's manifests: the one that commits it, and those that took its place."""
    names = next((each.objects for each in catalogue.backups if each.id == backup), ())
    return [object_key(world.cluster, backup, name) for name in names if manifest_generation(name) is not None]


def _wal_plans(world: World, plans: list[Planned], policies: Policies, window: timedelta | None) -> WalPlans:
    now = world.clock.now()
    return {store.name: plan_wal_of(world, store, catalogue, plan, _own(world, store, policies)["base"], window, now)
            for store, catalogue, plan in plans}


def _announce(world: World, plans: list[Planned], wal: WalPlans, confirm: bool) -> None:
    """Write into the journals what will be deleted; nothing is deleted unrecorded unless a human confirms it."""
    deleted = {store.name: tuple(key for row in plan.dropped for key in _manifests(world, catalogue, row.id))
               for store, catalogue, plan in plans if plan.dropped}
    runs = {name: [f"{run.first} to {run.last}, {run.count} files" for run in plan.dropped]
            for name, plan in wal.items() if plan is not None and plan.count}
    if not deleted and not runs:
        return
    reasons = {store.name: {str(row.id): list(row.reasons) for row in plan.dropped}
               for store, _catalogue, plan in plans}
    try:
        details = {"reasons": reasons, **({"wal": runs} if runs else {})}
        announce(world, Facts("prune", "begun", details=details, deleted=deleted))
    except Refused:
        if not confirm:
            raise


Planned = tuple[Store, Catalogue, Plan]
Policies = Mapping[str, Policy]    # by family
WalPlans = Mapping[str, Optional[WalPlan]]     # by repository


def _plans(world: World, policies: Policies, confirm: bool) -> list[Planned]:
    world.progress.phase("plan")
    now = world.clock.now()
    plans = [_plan(world, store, policies, now, confirm) for store in world.stores]
    for store, _catalogue, plan in plans:
        if plan.refusals:
            first = plan.refusals[0]
            raise Refused(f"repository {store.name}: {first.message}", hint=first.hint, code=first.code,
                          details={"plans": plans})
    return plans


def _plan(world: World, store: Store, policies: Policies, now: datetime, confirm: bool) -> Planned:
    cluster, policies = world.cluster, _own(world, store, policies)
    listing = list(list_sets(store, cluster))
    catalogue = Catalogue.of(cluster, listing)
    records = [key for key, _size in listing if key.startswith(prune_prefix(cluster))]
    failed = [each for each in catalogue.committed() if each.verdict == "failed"]
    spared = {each.id for each in failed if blameless(store, cluster, each)}
    chosen = candidates(catalogue, spared)
    dumps = plan_prune([each for each in chosen if each.id.kind not in PHYSICAL], policies["dump"], now,
                       confirmed=confirm, **last_prune(store, records, "dump"))
    bases = plan_bases(world, store, catalogue, chosen, policies["base"], now, past=records, confirm=confirm)
    return store, catalogue, joined(dumps, bases)


def _own(world: World, store: Store, policies: Policies) -> Policies:
    """Return a repository's policies: its own, and the cluster's where it has none."""
    return {**policies, **world.retentions.get(store.name, {})}


@uncollected()
def candidates(catalogue: Catalogue, spared: Collection[BackupId] = ()) -> list[Candidate]:
    """Return what retention chooses among: every committed set with what drills and verify found.

    The failed drills of spared sets found no fault in this repository's copy.
    """
    return [Candidate(each.id, each.size, held=each.held, proven=each.proven,
                      bad=bool(each.damaged) or (each.verdict == "failed" and each.id not in spared),
                      partial=bool(each.missing))
            for each in catalogue.committed()]


def _act(world: World, planned: Planned, policies: Policies, done: _Done, *, confirm: bool) -> None:
    store, catalogue, plan = planned
    by_id: dict[object, Backup] = {each.id: each for each in catalogue.backups}
    world.progress.phase(f"delete from {store.name}", sum(by_id[row.id].size for row in plan.dropped) or None)
    # newest first: an incremental goes before its parent, and what fails keeps all that is older
    for row in plan.dropped:
        with _excused(world, done):
            until = delete_set(store, world.cluster, row.id, by_id[row.id].objects)
            if until:
                done.retained[row.id] = until
            else:
                done.gone.add(row.id)
        if done.error:
            break
        world.progress.advance(by_id[row.id].size)
    lock_plan(world, store, catalogue, plan)
    for family, policy in _own(world, store, policies).items():
        own = tuple(row for row in plan.rows if (row.id.kind in PHYSICAL) == (family == "base"))
        if own or family == "dump":
            _record(world, store, Plan(own), policy, family, done, confirm=confirm)
    if done.error:
        raise Unavailable(done.error)      # what is older stays as well: WAL and evidence


def _record(world: World, store: Store, plan: Plan, policy: Policy, family: str, done: _Done, *,
            confirm: bool) -> None:
    now = world.clock.now()
    known = [(found, entry.key) for entry in store.list(prune_prefix(world.cluster))
             for found in [parse_prune_key(entry.key, family)] if found]
    newest = max(known)[0][1] if known else ""
    if not plan.dropped and newest and (newest == policy.digest() or not confirm):
        return                     # a changed policy counts as known once it has deleted something, or was confirmed
    body = {"format": 1, "tool": f"restorable {VERSION}", "policy": policy.as_dict(),
            "deleted": {str(row.id): list(row.reasons) for row in plan.dropped if row.id in done.gone},
            "retained": {str(row.id): done.retained[row.id] for row in plan.dropped if row.id in done.retained},
            "kept": {str(row.id): list(row.reasons) for row in plan.kept}, "journal": read_heads(world)}
    key = prune_key(world.cluster, now, policy.digest(), family)
    if key not in {each for _found, each in known}:
        store.put(key, [json.dumps(body, indent=1, sort_keys=True).encode()])


def _reports(plans: list[Planned], aged: list[AgedPlan], wal: WalPlans, done: Sequence[_Done], *,
             deleted: bool) -> list[PruneReport]:
    """Return what was deleted, or in a dry run would be."""
    reports = []
    for (store, catalogue, plan), old, each in zip(plans, aged, done):
        sizes = {found.id: found.size for found in catalogue.backups}
        gone = [row.id for row in plan.dropped if not deleted or row.id in each.gone]
        stayed = tuple(row.id for row in plan.dropped if row.id not in gone and row.id not in each.retained)
        segments = wal[store.name] if each.wal or not deleted else None
        rows = old.rows if each.evidence or not deleted else ()
        warnings = (*each.warnings, each.refused.message) if each.refused else each.warnings
        acted = deleted and bool(gone or rows or (segments is not None and segments.count))
        reports.append(PruneReport(store.name, plan, sum(sizes[found] for found in gone), acted, sizes, rows, segments,
                                   each.retained, warnings, stayed, each.error))
    return reports
