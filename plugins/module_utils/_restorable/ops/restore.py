# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Restore a set, one database, or chosen tables, into a live server; what is there is never half-replaced.

A database that is made bears another name until it is whole. Killed at any point, a restore leaves every database
either as it was or as it is wanted, and beside them at most one of its own, which the next plan names.
"""
from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Iterable

from ..errors import Refused, RestorableError
from ..model.manifest import Manifest
from ..model.pick import Choose
from ..model.server import Database
from ..ports import RestoreOptions, Store, Target
from .copies import Copies, no_prune
from .objects import item_of, jobs_for, read_item, unauthenticated
from .restore_plan import BEFORE, RESTORING, RestorePlan, RestoreWish, Step, beside, plan_restore
from .world import World


def restore(world: World, target: Target, wish: RestoreWish, *, choose: Choose,
            dry_run: bool = False) -> tuple[RestorePlan, list[str]]:
    """Restore as wished; return the plan and notes on what was left out. dry_run stops after the plan.

    A new database is dropped again if its restore fails, a replaced one is renamed only after the new one is
    complete, and everything that is added to a living database comes in one transaction.
    """
    copies = Copies.of(world, wish.backup, choose=choose)
    plan = plan_restore(world, target, wish, copies)
    warned = [*unauthenticated(plan.manifest), *_told(plan)]
    if dry_run:
        return plan, [*copies.notes, *warned]
    notes: list[str] = []
    with no_prune(world, "restore"):
        if wish.globals:
            notes += copies.attempt(partial(_globals, world, target))
        for step in plan.steps:
            world.progress.phase(f"restore {step.database}", step.item.plain_size)
            notes += copies.attempt(partial(_run, world, target, step, wish))
            _post(world, target, step, wish)
    return replace(plan, repository=copies.stores[0].name), [*copies.notes, *warned, *notes]


def _told(plan: RestorePlan) -> list[str]:
    notes = [f"the last drill of backup {plan.backup} failed"] if plan.verdict == "failed" else []
    notes += [f"backup {plan.backup} is partial: {each}" for each in plan.manifest.failed]
    for name in plan.leftovers:
        what = "half-made" if f"_{RESTORING}_" in name else "as it was before"
        notes.append(f"database {name!r} was left by a restore that was stopped, {what}; drop it once no restore runs")
    return notes


def _globals(world: World, target: Target, store: Store, manifest: Manifest) -> list[str]:
    item = item_of(manifest, "globals")
    world.progress.phase("restore globals", item.plain_size)
    return target.restore_globals(read_item(world, store, manifest, item))


def _run(world: World, target: Target, step: Step, wish: RestoreWish, store: Store, manifest: Manifest) -> list[str]:
    item = item_of(manifest, "dump", step.item.database)
    chunks = read_item(world, store, manifest, item)
    options = RestoreOptions(item.format, jobs_for(item, wish.jobs), wish.schemas, wish.tables, wish.clean,
                             wish.cascade, no_owner=wish.no_owner, no_privileges=wish.no_privileges)
    options = replace(options, alone=wish.partial and step.action == "create")
    if step.action in ("fill", "add"):
        return target.restore(step.database, chunks, replace(options, jobs=1, single_transaction=True))
    like = manifest.like(item.database)
    fresh = beside(step.database, RESTORING, world.clock.now())
    if item.format != "plain" and not wish.partial and not wish.no_owner and not wish.no_privileges:
        return _whole(world, target, step, wish, chunks, options, fresh, like)
    _require_free(target, step)
    target.create_database(fresh, like)    # outside: one that somebody else has just made is not ours to drop
    try:
        notes = target.restore(fresh, chunks, options)
        world.progress.phase(f"swap {step.database}")
        if step.action == "create":
            target.rename_database(fresh, step.database)
        else:
            _drop(world, target, step, _swap(world, target, step, wish, fresh))
    except BaseException:
        # a database that is only half there must not look like one that is whole
        target.drop_database(fresh)
        raise
    if wish.partial:
        return notes
    missing = f"the properties of database {item.database!r} (owner, grants, settings, comment) were not restored"
    return [*notes, missing]


def _whole(world: World, target: Target, step: Step, wish: RestoreWish, chunks: Iterable[bytes],
           options: RestoreOptions, fresh: str, like: Database | None) -> list[str]:
    """Restore a database with its own owner, grants, settings and comment, which belong to its name."""
    with target.staged(chunks, options) as archive:
        _require_free(target, step)
        try:
            if step.action == "create":
                return target.restore_staged(step.database, archive, options, like=like, beside=fresh)
            notes = target.restore_staged(fresh, archive, options, like=like)
            world.progress.phase(f"swap {step.database}")
            aside = _swap(world, target, step, wish, fresh)
        except BaseException:
            # as above: half of a database must not look like a whole one
            target.drop_database(fresh)
            raise
        if step.database == step.item.database:
            try:
                notes = target.restore_properties(step.database, archive)
            except RestorableError as error:
                error.hint = f"{error.hint} The database as it was before is {aside!r}.".strip()
                raise
        _drop(world, target, step, aside)
    return notes


def _require_free(target: Target, step: Step) -> None:
    """Raise if somebody has made the database meanwhile: not ours to fill, and not ours to drop after a failure."""
    if step.action == "create" and target.database_exists(step.database):
        raise Refused(f"database {step.database!r} exists by now", code="restore.database_exists",
                      hint="Choose another name, or run again to see what is in it.")


def _swap(world: World, target: Target, step: Step, wish: RestoreWish, fresh: str) -> str:
    """Put the new database in the place of the old one; return what that is called from then on."""
    aside = beside(step.database, BEFORE, world.clock.now())
    target.swap(fresh, step.database, aside, disconnect=wish.disconnect)
    return aside


def _drop(world: World, target: Target, step: Step, aside: str) -> None:
    world.progress.phase(f"drop what was {step.database}")
    target.drop_database(aside)


def _post(world: World, target: Target, step: Step, wish: RestoreWish) -> None:
    if wish.post_command:
        world.progress.phase("post command")
        world.hooks.run(wish.post_command, target.environment(step.database))
