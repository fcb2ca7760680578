# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Plan a restore: what would be made, replaced or added, what stands in the way, and whether the backup is proven."""
from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Iterable, Sequence

from ..errors import ConfigError, Damaged, NotFound, Refused, RestorableError, ToolFailed
from ..model.choice import DEPENDENTS, Choice, choose
from ..model.manifest import Item, Manifest
from ..model.naming import stamp
from ..model.reading import MOST_JOBS, within
from ..model.text import some, switch
from ..ports import RestoreOptions, Store, Target
from .copies import Copies
from .objects import item_of, read_item, read_stored, require_opens
from .world import World

RESTORING, BEFORE = "restoring", "before"      # of databases beside the one that is restored
NAME_LIMIT = 63                    # bytes, NAMEDATALEN - 1
TEMPLATES = ("template0", "template1")
_STEM = 30                         # bytes of its name in theirs; PostgreSQL cuts names after 63 (NAMEDATALEN)


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

    def __post_init__(self) -> None:
        within(self.jobs, "jobs", 1, MOST_JOBS)

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
    notes: tuple[str, ...] = ()    # what else is dropped or brought back with chosen relations


@dataclass(frozen=True)
class RestorePlan:
    """What a restore will do, in order."""

    backup: str
    repository: str
    picked: str
    globals: bool
    steps: tuple[Step, ...]
    manifest: Manifest
    verdict: str = ""              # of the backup's newest drill: passed, failed, incomplete; empty: never drilled
    drilled: datetime | None = None
    leftovers: tuple[str, ...] = ()    # databases that a restore which was killed has left


def plan_restore(world: World, target: Target, wish: RestoreWish, copies: Copies) -> RestorePlan:
    """Return the plan of a restore; raise what would stop it, as long as that can be seen without changing anything."""
    _check_wish(wish)
    _store, manifest = copies.best()
    items = _items(manifest, wish)
    if wish.partial and len(wish.databases) != 1:
        raise copies.attempt(partial(_without_database, world, target, items, wish))
    if wish.globals:
        item_of(manifest, "globals")
    copies.attempt(partial(_check_keys, world, items))
    steps = tuple(_step(world, target, copies, item, wish) for item in items)
    return RestorePlan(str(manifest.id), copies.stores[0].name, copies.why, wish.globals, steps, manifest,
                       copies.backup.verdict, copies.backup.drilled,
                       tuple(_leftovers(target.database_names(), [step.database for step in steps])))


def beside(name: str, what: str, now: datetime) -> str:
    """Return the name of a database beside another one, such as app_restoring_20261120t030000z."""
    return f"{_stem(name)}_{what}_{stamp(now).lower()}"


def _check_wish(wish: RestoreWish) -> None:
    if wish.into and len(wish.databases) != 1:
        raise ConfigError(f"into is {wish.into!r} with {len(wish.databases) or 'all'} databases",
                          hint="Name exactly one database to restore under another name.", code="restore.into")
    if len(wish.into.encode()) > NAME_LIMIT:
        raise ConfigError(f"into is {wish.into!r}, {len(wish.into.encode())} bytes long; PostgreSQL would cut it",
                          hint=f"Choose a name of at most {NAME_LIMIT} bytes.", code="restore.into")
    if wish.into in TEMPLATES:
        raise ConfigError(f"into is {wish.into!r}, of which every new database is a copy", code="restore.into",
                          hint="Choose another name; databases that are made later would all hold what is restored.")
    if wish.clean and not wish.partial:
        raise ConfigError("clean is set without tables or schemas", code="restore.clean",
                          hint="Use replace to put a whole database in the place of another.")


def _without_database(world: World, target: Target, items: Sequence[Item], wish: RestoreWish, store: Store,
                      manifest: Manifest) -> ConfigError:
    """Return the refusal of tables whose database is not named, with the command for each database that has them."""
    held = [item.database for item in items if _holds(world, target, item, wish, store, manifest)]
    words = [word for option, names in (("--table", wish.tables), ("--schema", wish.schemas)) for name in names
             for word in (option, name)]
    commands = [f"`{shlex.join(['restorable', 'restore', str(manifest.id), '--database', name, *words])}`"
                for name in held]
    hint = (f"Name the one that is meant, in a task by databases: {' or '.join(commands)}." if commands else
            f"None of the databases {some([item.database for item in items])} was seen to have all of it; name the one "
            f"that is meant: `{shlex.join(['restorable', 'restore', str(manifest.id), '--database'])} NAME …`.")
    return ConfigError(f"{_chosen(wish)} is to be restored, and no one database is named", hint=hint,
                       code="restore.partial")


def _holds(world: World, target: Target, item: Item, wish: RestoreWish, store: Store, manifest: Manifest) -> bool:
    """Say whether a database's table of contents has all that is chosen; what cannot be told here is no reason to."""
    try:
        stored = item_of(manifest, "dump", item.database)
        choose(target.outline(read_item(world, store, manifest, stored), RestoreOptions(stored.format)),
               wish.tables, wish.schemas, alone=True)
    except RestorableError:
        return False                   # plain, sealed or damaged, or not there: it is refused anyway
    return True


def _check_keys(world: World, items: Sequence[Item], store: Store, manifest: Manifest) -> None:
    """Raise before anything is made if the first of the wanted objects cannot be opened here."""
    found = [item_of(manifest, "dump", each.database) for each in items]
    sealed = [item for item in found if item.encryption]
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


def _step(world: World, target: Target, copies: Copies, item: Item, wish: RestoreWish) -> Step:
    name = wish.into or item.database
    if wish.partial and item.format == "plain":
        raise ConfigError(f"database {item.database!r} was dumped in format plain, which has no table of contents",
                          hint="Restore the whole database under another name and copy the tables from there.",
                          code="restore.plain_partial")
    if wish.partial:
        alone = not target.database_exists(name)
        choice = copies.attempt(partial(_choice, world, target, item.database, wish, alone))
        if not alone:
            return _adding(target, name, item, wish, choice)
        notes = [f"stays out, for it needs what was not chosen: {some([each.what for each in choice.later])}"]
        return Step("create", name, item, f"a new database with {_chosen(wish)} only",
                    tuple(notes if choice.later else ()))
    if not target.database_exists(name):
        return Step("create", name, item, "a new database")
    inside = target.user_objects(name)
    if not inside:
        return Step("fill", name, item, "an empty database, in one transaction")
    if not wish.replace:
        raise Refused(f"database {name!r} is not empty: it has {', '.join(inside[:3])}"
                      + (" and more" if len(inside) > 3 else ""), code="restore.not_empty",
                      hint=f"Set {switch('into', 'NAME')} to restore under another name, or {switch('replace')} to put "
                           "the restored database in its place.")
    sessions = [] if wish.disconnect else target.sessions(name)
    if sessions:
        raise Refused(f"database {name!r} is used by {len(sessions)} sessions: {', '.join(sessions[:3])}",
                      hint=f"Stop the application, or set {switch('disconnect')} to end these sessions.",
                      code="restore.in_use")
    return Step("replace", name, item, "restored beside it, then swapped by renaming; the old one is dropped")


def _choice(world: World, target: Target, database: str, wish: RestoreWish, alone: bool, store: Store,
            manifest: Manifest) -> Choice:
    """Return which entries of the archive are wanted; raise NotFound for what it does not hold.

    Only the table of contents is read. If that does not tell what is wanted, the whole object is, for a damaged one
    must not be taken for one that lacks a table.
    """
    item = item_of(manifest, "dump", database)
    try:
        toc = target.outline(read_item(world, store, manifest, item), RestoreOptions(item.format))
        return choose(toc, wish.tables, wish.schemas, alone=alone)
    except (Damaged, NotFound, ToolFailed):
        read_stored(world, store, manifest, item)
        raise


def _adding(target: Target, name: str, item: Item, wish: RestoreWish, choice: Choice) -> Step:
    relations = [each.place for each in choice.relations]
    present = target.standing(name, relations)
    if present and not wish.clean:
        raise Refused(f"table {present[0]} exists in database {name!r}", code="restore.table_exists",
                      hint=f"Rename it or drop it first, or set {switch('clean')} to drop it in the restoring "
                           "transaction.")
    lost = choice.foreign(target.dependents(name, relations, wish.schemas)) if wish.clean else []
    choice.require_back(lost, name)
    if lost and not wish.cascade:
        raise Refused(f"{', '.join(present[:3])} has dependents in database {name!r}: {some(lost)}",
                      code="restore.dependents", hint=DEPENDENTS)
    back = [each.what for each in choice.later]
    notes = [f"cascade drops {each}, which the backup brings back as it was" for each in lost]
    others = [each for each in back if each not in lost]
    notes += [f"brings back, if they are gone: {some(others)}"] if others else []
    return Step("add", name, item, f"{_chosen(wish)}, in one transaction", tuple(notes))


def _chosen(wish: RestoreWish) -> str:
    return ", ".join((*wish.tables, *(f"schema {each}" for each in wish.schemas)))


def _leftovers(names: Iterable[str], databases: Sequence[str]) -> list[str]:
    """Return what a killed restore of these databases has left beside them."""
    stems = "|".join(re.escape(_stem(each)) for each in databases)
    ours = re.compile(rf"(?:{stems})_(?:{RESTORING}|{BEFORE})_\d{{8}}t\d{{6}}z")
    return [name for name in names if databases and ours.fullmatch(name)]


def _stem(name: str) -> str:
    return name.encode()[:_STEM].decode(errors="ignore")
