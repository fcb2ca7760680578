# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Restore a set, one database, or chosen tables, into a live server; what is there is never half-replaced."""
from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Iterable, Sequence

from ..errors import ConfigError, NotFound, Refused
from ..model.manifest import Item, Manifest
from ..model.naming import stamp
from ..model.pick import Choose
from ..model.server import Database
from ..ports import RestoreOptions, Store, Target
from .copies import Copies, no_prune
from .objects import jobs_for, read_item, require_opens, unauthenticated
from .world import World


@dataclass(frozen=True)
class RestoreWish:
    """What a user asks for."""

    backup: str = "latest"
    databases: tuple[str, ...] = ()    # empty: every database of the set
    into: str = ""                     # another database name, with exactly one database
    tables: tuple[str, ...] = ()
    schemas: tuple[str, ...] = ()
    globals: bool = False              # roles and tablespaces first
    replace: bool = False              # put the restored database in the place of one that is not empty
    clean: bool = False                # drop the chosen tables first
    cascade: bool = False              # and what depends on them
    disconnect: bool = False           # end the sessions that stand in the way of a replacement
    jobs: int = 1
    no_owner: bool = False
    no_privileges: bool = False
    post_command: tuple[str, ...] = ()

    @property
    def partial(self) -> bool:
        """Say whether only some tables or schemas are wanted."""
        return bool(self.tables or self.schemas)


@dataclass(frozen=True)
class Step:
    """One database's way: create it, replace it, fill it, or add chosen relations to it."""

    action: str                    # create, replace, fill, add
    database: str
    item: Item
    detail: str


@dataclass(frozen=True)
class RestorePlan:
    """What a restore will do, in order."""

    backup: str
    repository: str
    picked: str
    globals: bool
    steps: tuple[Step, ...]
    manifest: Manifest


def restore(world: World, target: Target, wish: RestoreWish, *, choose: Choose,
            dry_run: bool = False) -> tuple[RestorePlan, list[str]]:
    """Restore as wished; return the plan and notes on what was left out. dry_run stops after the plan.

    A new database is dropped again if its restore fails, a replaced one is renamed only after the new one is
    complete, and everything that is added to a living database comes in one transaction.
    """
    _check_wish(wish)
    copies = Copies.of(world, wish.backup, choose=choose)
    _best, manifest = copies.best()
    copies.attempt(partial(_check_keys, world, manifest, wish))
    copies.notes += unauthenticated(manifest)
    plan = RestorePlan(str(manifest.id), copies.stores[0].name, copies.why, wish.globals,
                       tuple(_step(target, item, wish) for item in _items(manifest, wish)), manifest)
    if dry_run:
        return plan, copies.notes
    notes: list[str] = []
    with no_prune(world, "restore"):
        if wish.globals:
            notes += copies.attempt(lambda store: _globals(world, store, manifest, target))
        for step in plan.steps:
            world.progress.phase(f"restore {step.database}", step.item.plain_size)
            notes += copies.attempt(partial(_run, world, manifest, target, step, wish))
            _post(world, target, step, wish)
    return replace(plan, repository=copies.stores[0].name), [*copies.notes, *notes]


def _check_wish(wish: RestoreWish) -> None:
    if wish.into and len(wish.databases) != 1:
        raise ConfigError(f"into is {wish.into!r} with {len(wish.databases) or 'all'} databases",
                          hint="Name exactly one database to restore under another name.", code="restore.into")
    if wish.partial and len(wish.databases) != 1:
        raise ConfigError("tables or schemas are chosen without one database",
                          hint="Name the database that they belong to.", code="restore.partial")
    if wish.clean and not wish.partial:
        raise ConfigError("clean is set without tables or schemas", code="restore.clean",
                          hint="Use replace to put a whole database in the place of another.")


def _check_keys(world: World, manifest: Manifest, wish: RestoreWish, store: Store) -> None:
    """Raise before anything is made if the first of the wanted objects cannot be opened here."""
    sealed = [item for item in _items(manifest, wish) if item.encryption]
    if sealed:
        require_opens(world, store, manifest, sealed[0])


def _items(manifest: Manifest, wish: RestoreWish) -> Sequence[Item]:
    items = manifest.dumps()
    for name in wish.databases:
        if not any(item.database == name for item in items):
            held = ", ".join(item.database for item in items)
            raise NotFound(f"database {name!r} is not in backup {manifest.id}", hint=f"It holds: {held}.",
                           code="restore.no_database")
    return [item for item in items if not wish.databases or item.database in wish.databases]


def _step(target: Target, item: Item, wish: RestoreWish) -> Step:
    name = wish.into or item.database
    if wish.partial and item.format == "plain":
        raise ConfigError(f"database {item.database!r} was dumped in format plain, which has no table of contents",
                          hint="Restore the whole database under another name and copy the tables from there.",
                          code="restore.plain_partial")
    if not target.database_exists(name):
        return Step("create", name, item, "a new database")
    if wish.partial:
        return _adding(target, name, item, wish)
    inside = target.user_objects(name)
    if not inside:
        return Step("fill", name, item, "an empty database, in one transaction")
    if not wish.replace:
        raise Refused(f"database {name!r} is not empty: it has {', '.join(inside[:3])}"
                      + (" and more" if len(inside) > 3 else ""), code="restore.not_empty",
                      hint="Restore into another name, or set replace to put the restored database in its place.")
    sessions = target.sessions(name)
    if sessions and not wish.disconnect:
        raise Refused(f"database {name!r} is used by {len(sessions)} sessions: {', '.join(sessions[:3])}",
                      hint="Stop the application, or set disconnect to end these sessions.", code="restore.in_use")
    return Step("replace", name, item, "restored beside it, then swapped by renaming; the old one is dropped")


def _adding(target: Target, name: str, item: Item, wish: RestoreWish) -> Step:
    present = [each for each in wish.tables if target.relation_exists(name, each)]
    if present and not wish.clean:
        raise Refused(f"table {present[0]} exists in database {name!r}", code="restore.table_exists",
                      hint="Rename it or drop it first, or set clean to drop it in the restoring transaction.")
    what = ", ".join((*wish.tables, *(f"schema {each}" for each in wish.schemas)))
    return Step("add", name, item, f"{what}, in one transaction")


def _globals(world: World, store: Store, manifest: Manifest, target: Target) -> list[str]:
    item = manifest.find("globals")
    if item is None:
        raise NotFound(f"backup {manifest.id} holds no roles and tablespaces", code="restore.no_globals",
                       hint="Restore without globals, and create the roles first.")
    world.progress.phase("restore globals", item.plain_size)
    return target.restore_globals(read_item(world, store, manifest, item))


def _run(world: World, manifest: Manifest, target: Target, step: Step, wish: RestoreWish, store: Store) -> list[str]:
    chunks = read_item(world, store, manifest, step.item)
    options = RestoreOptions(step.item.format, jobs_for(step.item, wish.jobs), wish.schemas, wish.tables, wish.clean,
                             wish.cascade, no_owner=wish.no_owner, no_privileges=wish.no_privileges)
    if step.action in ("fill", "add"):
        return target.restore(step.database, chunks, replace(options, jobs=1, single_transaction=True))
    like = manifest.like(step.item.database)
    fresh = step.database if step.action == "create" else _beside(step.database, "restoring", world)
    if step.item.format != "plain" and not wish.partial and not wish.no_owner and not wish.no_privileges:
        return _whole(world, target, step, wish, chunks, options, fresh, like)
    target.create_database(fresh, like)    # outside: one that somebody else has just made is not ours to drop
    try:
        notes = target.restore(fresh, chunks, options)
    except BaseException:
        # a database that is only half there must not look like one that is whole
        target.drop_database(fresh)
        raise
    if step.action == "replace":
        target.swap(fresh, step.database, _beside(step.database, "before", world), disconnect=wish.disconnect)
    missing = f"the properties of database {step.database!r} (owner, grants, settings, comment) were not restored"
    return [*notes, missing]


def _whole(world: World, target: Target, step: Step, wish: RestoreWish, chunks: Iterable[bytes],
           options: RestoreOptions, fresh: str, like: Database | None) -> list[str]:
    """Restore a database with its own owner, grants, settings and comment, which belong to its name."""
    with target.staged(chunks, options) as archive:
        if target.database_exists(fresh):
            # somebody made it while the archive was read: not ours to fill, and not ours to drop after a failure
            raise Refused(f"database {fresh!r} exists by now", code="restore.database_exists",
                          hint="Choose another name, or run again to see what is in it.")
        try:
            notes = target.restore_staged(fresh, archive, options, like=like)
        except BaseException:
            # as above: half of a database must not look like a whole one
            target.drop_database(fresh)
            raise
        if step.action == "replace":
            target.swap(fresh, step.database, _beside(step.database, "before", world), disconnect=wish.disconnect)
            if step.database == step.item.database:
                notes = target.restore_properties(step.database, archive)
    return notes


def _beside(name: str, what: str, world: World) -> str:
    # NAMEDATALEN: PostgreSQL cuts names after 63 bytes
    stem = name.encode()[:30].decode(errors="ignore")
    return f"{stem}_{what}_{stamp(world.clock.now()).lower()}"


def _post(world: World, target: Target, step: Step, wish: RestoreWish) -> None:
    if wish.post_command:
        world.progress.phase("post command")
        world.hooks.run(wish.post_command, target.environment(step.database))
