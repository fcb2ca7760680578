# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Which entries of an archive bring back a table, or a schema, with everything that belongs to it. Pure.

`pg_restore --table` restores a table without indexes, constraints, sequences, defaults, triggers, grants, comments
and policies (https://www.postgresql.org/docs/current/app-pgrestore.html), so the entries are chosen here, by the
dependencies that the archive records.
"""
from __future__ import annotations

import difflib
import re
import shlex
from dataclasses import dataclass
from typing import Iterable, Sequence

from ..errors import ConfigError, NotFound, Refused
from .text import some, switch
from .toc import Toc, TocEntry, shown

RELATIONS = ("TABLE", "VIEW", "MATERIALIZED VIEW", "SEQUENCE", "FOREIGN TABLE")
# Named "relation part": they belong to the relation they name, whatever else they depend on.
_PARTS = ("DEFAULT", "CONSTRAINT", "CHECK CONSTRAINT", "FK CONSTRAINT", "RULE", "TRIGGER", "POLICY")
# Named as the relation itself.
_SAME = ("TABLE DATA", "MATERIALIZED VIEW DATA", "TABLE ATTACH", "ROW SECURITY")
# Belong to what they depend on.
_FOLLOWING = ("SEQUENCE OWNED BY", "SEQUENCE SET", "INDEX ATTACH", "ACL", "COMMENT", "SECURITY LABEL",
              "STATISTICS DATA")
_ON_TABLES = ("INDEX", "STATISTICS", "SEQUENCE")
# What a new database gets only with a table that is chosen, and what ties the chosen to others.
_OF_TABLES = ("TABLE", "VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE", "INDEX", "STATISTICS", *_PARTS, *_SAME)
_TIES = ("FK CONSTRAINT", "TABLE ATTACH", "INDEX ATTACH", "TRIGGER", "RULE", "POLICY")
# the hint where something depends on what is to be dropped
DEPENDENTS = (f"Nothing was changed. Drop them first, or set {switch('cascade')} to drop them too: the backup brings "
              "them back as they were then.")
_PART = re.compile(r'"(?:[^"]|"")+"|[^".]+')
_NAME = re.compile(rf"(?:{_PART.pattern})(?:\.(?:{_PART.pattern}))?")


@dataclass(frozen=True)
class Later:
    """Something of others that was lost with the chosen relations; brought back where that works."""

    what: str                      # "FK CONSTRAINT sales lines lines_order_id_fkey"
    ids: tuple[int, ...]


@dataclass(frozen=True)
class Choice:
    """What is restored in one transaction, in this order, and what is tried one by one after it."""

    ids: tuple[int, ...]
    relations: tuple[TocEntry, ...]    # the chosen relations themselves, partitions included
    later: tuple[Later, ...] = ()
    own: frozenset[str] = frozenset()  # "TABLE public orders" of every entry in ids

    def foreign(self, dependents: Iterable[str]) -> list[str]:
        """Return which dependents belong to others than the chosen relations and schemas."""
        return [each for each in dependents if each not in self.own]

    def require_back(self, dependents: Iterable[str], database: str) -> None:
        """Raise Refused for dependents in a living database that would be dropped and not brought back."""
        held = {each.what for each in self.later}
        lost = [each for each in self.foreign(dependents) if each not in held]
        if lost:
            raise Refused(f"what is to be dropped takes with it what the backup does not bring back: {some(lost, 20)}",
                          code="restore.dependents_lost",
                          hint=f"Nothing was changed. Save the definitions with `pg_dump --schema-only "
                               f"--file=saved.sql {shlex.quote(database)}`, drop them, run the restore, and make them "
                               "again from the file; a table or partition keeps its rows if it is detached instead.")


def split_name(text: str) -> tuple[str | None, str]:
    """Read orders, public.orders or "odd.schema"."odd.table" as (schema or None, name); "" inside quotes is a quote.

    Case is kept as written, unlike in SQL; quotes are needed only around dots and quotes.
    """
    if not _NAME.fullmatch(text):
        raise ConfigError(f"table name {text!r} is not valid", code="restore.bad_name",
                          hint="Write schema.table or table; put a part that has a dot in double quotes.")
    parts = [part[1:-1].replace('""', '"') if part.startswith('"') else part for part in _PART.findall(text)]
    return (parts[0], parts[1]) if len(parts) == 2 else (None, parts[0])


def choose(toc: Toc, tables: Sequence[str] = (), schemas: Sequence[str] = (), *, alone: bool = False) -> Choice:
    """Choose the entries of these tables (views, sequences) and whole schemas; raise NotFound for what is absent.

    alone is for a new database, where nothing else is: schemas, types and functions that the chosen need come along,
    and what ties them to tables that stay behind comes later. The table of contents must have been read with its
    dependencies (`pg_restore --list --verbose`).
    """
    chosen: set[int] = set()
    for text in tables:
        chosen |= {entry.id for entry in _find(toc, text)}
    for schema in schemas:
        chosen |= _of_schema(toc, schema)
    _add_partitions(toc, chosen)
    _add_belongings(toc, chosen)
    relations = tuple(entry for entry in toc.entries if entry.id in chosen and entry.kind in RELATIONS)
    if not alone:
        own = frozenset(str(entry) for entry in toc.entries if entry.id in chosen)
        return Choice(_in_order(toc, chosen), relations, _later(toc, chosen), own)
    _add_needed(toc, chosen)
    ties = [entry for entry in toc.of_kind(*_TIES) if entry.id in chosen and _leads_out(toc, entry, chosen)]
    chosen -= {entry.id for entry in ties}
    return Choice(tuple(entry.id for entry in toc.entries if entry.id in chosen), relations,
                  tuple(Later(str(entry), (entry.id,)) for entry in ties))


def _find(toc: Toc, text: str) -> list[TocEntry]:
    schema, name = split_name(text)
    relations = toc.of_kind(*RELATIONS)
    found = [entry for entry in relations if entry.place[1] == name and schema in (None, entry.place[0])]
    if not found:
        raise NotFound(f"table {text!r} is not in the backup of database {toc.database!r}", code="restore.no_table",
                       hint=_near(name, relations))
    if len(found) > 1:
        raise ConfigError(f"table {text!r} is in several schemas: {', '.join(entry.place[0] for entry in found)}",
                          hint="Name the schema too, as in schema.table.", code="restore.ambiguous_table")
    return found


def _near(name: str, relations: Sequence[TocEntry]) -> str:
    """Return what the archive holds, the most alike names of tables first."""
    names = {entry.place[1] for entry in relations}
    alike = difflib.get_close_matches(name, names, 3, 0.5)
    near = [".".join(entry.place) for each in alike for entry in relations if entry.place[1] == each][:3]
    if near:
        return f"Did you mean {' or '.join(near)}? It holds {len(relations)} tables, views and sequences."
    tables = [".".join(entry.place) for entry in relations if entry.kind != "SEQUENCE"]
    return f"It holds {some(tables) or 'no table'}."


def _of_schema(toc: Toc, schema: str) -> set[int]:
    name = shown(schema)
    # of those that are printed alike
    named = [entry for entry in toc.of_kind("SCHEMA") if entry.rest.startswith(f"- {name} ")]
    own = [entry for entry in named if entry.place[1] == schema]
    found = {entry.id for entry in toc.entries if entry.schema == name and entry.kind != "PUBLICATION TABLE"}
    if own and len(named) > 1:
        raise Refused(f"schema {schema!r} cannot be told from another one of the backup, which is printed alike",
                      hint="Restore the whole database under another name and copy the schema from there.",
                      code="restore.ambiguous_schema")
    if not own and (named or not found):
        known = sorted({entry.schema for entry in toc.entries} - {"-"})
        raise NotFound(f"schema {schema!r} is not in the backup of database {toc.database!r}",
                       hint=f"It holds {', '.join(known) or 'none'}.", code="restore.no_schema")
    return found | {entry.id for entry in own}


def _add_partitions(toc: Toc, chosen: set[int]) -> None:
    """DROP TABLE of a partitioned table takes its partitions along, so they come back with it."""
    before = -1
    while before != len(chosen):
        before = len(chosen)
        for entry in toc.of_kind("TABLE ATTACH"):
            child, parent = _attached(toc, entry)
            if parent in chosen and child:
                chosen.add(child)


def _attached(toc: Toc, attach: TocEntry) -> tuple[int, int]:
    """Return the ids of the partition and its parent."""
    tables = [entry for entry in toc.entries if entry.id in attach.depends and entry.kind in RELATIONS]
    child = next((entry.id for entry in tables if entry.rest == attach.rest), 0)
    return child, next((entry.id for entry in tables if entry.id != child), 0)


def _add_belongings(toc: Toc, chosen: set[int]) -> None:
    by_id = {entry.id: entry for entry in toc.entries}
    before = -1
    while before != len(chosen):
        before = len(chosen)
        for entry in toc.entries:
            if entry.id not in chosen and _belongs(entry, [by_id[each] for each in entry.depends if each in chosen]):
                chosen.add(entry.id)


def _belongs(entry: TocEntry, on: Iterable[TocEntry]) -> bool:
    """Say whether an entry belongs to one of the chosen entries that it depends on."""
    if entry.kind in _FOLLOWING:
        return any(True for _each in on)
    relations = [each for each in on if each.kind in RELATIONS]
    if entry.kind in _ON_TABLES:
        return any(each.kind != "SEQUENCE" for each in relations)
    if entry.kind in _SAME:
        return any(each.schema == entry.schema and each.name == entry.name for each in relations)
    return entry.kind in _PARTS and any(entry.rest.startswith(f"{each.schema} {each.name} ") for each in relations)


def _add_needed(toc: Toc, chosen: set[int]) -> None:
    """Add the schemas, types, functions and sequences that the chosen entries need, with their grants and comments."""
    homes = {entry.name: entry.id for entry in toc.of_kind("SCHEMA")}
    before = -1
    while before != len(chosen):
        before = len(chosen)
        for entry in [each for each in toc.entries if each.id in chosen]:
            # public is in every new database
            home = homes.get(entry.schema) if entry.schema != "public" else None
            chosen |= {home} if home else set()
            chosen |= {each.id for each in toc.entries if each.id in entry.depends and each.kind not in _OF_TABLES}
    _add_belongings(toc, chosen)


def _leads_out(toc: Toc, entry: TocEntry, chosen: set[int]) -> bool:
    """Say whether an entry needs what stays behind: a foreign key its other table's primary key."""
    return any(each.id in entry.depends and each.id not in chosen for each in toc.entries)


def _in_order(toc: Toc, chosen: set[int]) -> tuple[int, ...]:
    """Return the ids in the archive's order, but a partition whose parent stays is attached after its indexes.

    Attached earlier, it would be given indexes by its parent, and its own could no longer be added.
    """
    lone = [entry.id for entry in toc.of_kind("TABLE ATTACH")
            if entry.id in chosen and _attached(toc, entry)[1] not in chosen]
    if not lone:
        return tuple(entry.id for entry in toc.entries if entry.id in chosen)
    first = [entry.id for entry in toc.entries if entry.id in chosen and entry.id not in lone
             and entry.kind not in ("INDEX ATTACH", "TRIGGER", "FK CONSTRAINT", "ACL", "COMMENT")]
    rest = [entry.id for entry in toc.entries if entry.id in chosen and entry.id not in lone and entry.id not in first]
    return (*first, *lone, *rest)


def _later(toc: Toc, chosen: set[int]) -> tuple[Later, ...]:
    """Return what DROP … CASCADE of the chosen relations takes from others: views first, then keys and publications."""
    found: list[Later] = []
    lost = set(chosen)
    for entry in toc.of_kind("VIEW", "MATERIALIZED VIEW"):
        if entry.id not in lost and lost.intersection(entry.depends):
            own = {entry.id}
            _add_belongings(toc, own)
            lost |= own
            found.append(Later(str(entry), tuple(each.id for each in toc.entries if each.id in own)))
    for entry in toc.of_kind("FK CONSTRAINT", "PUBLICATION TABLE"):
        if entry.id not in lost and chosen.intersection(entry.depends):
            own = {entry.id} | {each.id for each in toc.of_kind("COMMENT") if entry.id in each.depends}
            found.append(Later(str(entry), tuple(sorted(own))))
    return tuple(found)
