# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The inventory: the definition, owner, grants and comments of everything that pg_dump dumps.

Left out are members of extensions, which CREATE EXTENSION makes again, and what the selection excludes. Reads the
catalogues as any role may; see fingerprint.py for the session it needs.
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterable, Iterator, Mapping, Sequence

from .inventory_database_sql import database_objects, large_object_objects, large_object_summary
from .inventory_schema_sql import schema_objects
from .inventory_sql import POPULATED, Kind, relations
from .tables import Relation

if TYPE_CHECKING:
    import psycopg

MANY_LARGE_OBJECTS = 1000          # from here on they share one entry

_MEMBERS = "SELECT classid::regclass::text, objid FROM pg_depend WHERE deptype = 'e'"

# Comments and security labels, of the database itself too, which keeps its own in the shared catalogues.
_REMARKS = """
SELECT 'comment', classoid::regclass::text, objoid, objsubid, description FROM pg_description
UNION ALL SELECT 'comment', 'pg_database', objoid, 0, description FROM pg_shdescription
 WHERE classoid = 'pg_database'::regclass
UNION ALL SELECT 'label', classoid::regclass::text, objoid, objsubid, provider || ': ' || label FROM pg_seclabel
UNION ALL SELECT 'label', 'pg_database', objoid, 0, provider || ': ' || label FROM pg_shseclabel
 WHERE classoid = 'pg_database'::regclass
 ORDER BY 5
"""

# pg_dump writes no index that is invalid, but for those of partitioned tables.
_INVALID = """
SELECT format('%I.%I', n.nspname, x.relname) FROM pg_index AS i JOIN pg_class AS x ON x.oid = i.indexrelid
  JOIN pg_class AS c ON c.oid = i.indrelid JOIN pg_namespace AS n ON n.oid = x.relnamespace
 WHERE NOT i.indisvalid AND c.relkind <> 'p' AND n.nspname !~ '^pg_' ORDER BY 1
"""

_SUBSCRIPTIONS = """
SELECT count(s.subname) FROM pg_subscription AS s JOIN pg_database AS d ON d.oid = s.subdbid
 WHERE d.datname = current_database()
"""


def take_objects(session: psycopg.Connection[tuple[Any, ...]],
                 known: Sequence[Relation]) -> tuple[dict[str, str], list[str]]:
    """Return {"index public.orders_pkey on public.orders": "CREATE …", …} and what it does not cover, in words."""
    superuser = _one(session, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    kinds = _kinds(session.info.server_version, superuser)
    many = (_one(session, "SELECT count(*) FROM pg_largeobject_metadata") or 0) > MANY_LARGE_OBJECTS
    found = dict(_entries(session, kinds if many else [*kinds, *large_object_objects()], _hidden(session, known)))
    if many:
        found["large_objects all"] = _one(session, large_object_summary())
    for each in known:
        if each.kind == "m" and not each.data:
            found.pop(f"{POPULATED} {each.identity}", None)
    told = []
    invalid = [row[0] for row in session.execute(_INVALID).fetchall()]
    if invalid:
        told.append(f"invalid indexes: {', '.join(invalid)}")
    if not superuser and _one(session, _SUBSCRIPTIONS):
        told.append("subscriptions, which only a superuser dumps")
    return found, told


def volatile_objects(session: psycopg.Connection[tuple[Any, ...]], known: Iterable[Relation]) -> dict[str, str]:
    """Return the definitions, as they are now, that PostgreSQL prints without regard to a snapshot."""
    kinds = [kind for kind in _kinds(session.info.server_version, False) if kind.volatile]
    return dict(_entries(session, kinds, _hidden(session, known), remarks=False))


def _kinds(version: int, superuser: bool) -> list[Kind]:
    return [*schema_objects(version), *relations(version), *database_objects(version, superuser)]


def _hidden(session: psycopg.Connection[tuple[Any, ...]], known: Iterable[Relation]) -> set[tuple[str, int]]:
    """Return (catalogue, oid) of the objects that are not in the dump by themselves."""
    members: set[tuple[str, int]] = set(session.execute(_MEMBERS).fetchall())
    return members | {("pg_class", each.oid) for each in known if not each.definition}


def _entries(session: psycopg.Connection[tuple[Any, ...]], kinds: Sequence[Kind], hidden: set[tuple[str, int]], *,
             remarks: bool = True) -> Iterator[tuple[str, str]]:
    keys: dict[tuple[str, int, int], str] = {}
    owners: Mapping[int, str] = dict(session.execute("SELECT oid, quote_ident(rolname) FROM pg_roles").fetchall())
    for kind in kinds:
        with session.transaction(force_rollback=True):     # pg_get_viewdef locks the view and what it reads
            rows = session.execute(kind.sql).fetchall()
        for oid, subid, identity, definition, owner, granted, parents in rows:
            if (kind.catalog, oid) in hidden or any(
                    ("pg_class", parent) in hidden or ("pg_type", parent) in hidden for parent in parents):
                continue
            key = f"{kind.name} {identity}"
            keys[kind.catalog, oid, subid] = key
            yield key, definition or ""
            if owner is not None:
                yield f"owner {key}", owners.get(owner, str(owner))
            if granted is not None:
                yield f"grants {key}", granted
    if remarks:
        texts: dict[str, str] = {}
        for what, catalog, oid, subid, text in session.execute(_REMARKS).fetchall():
            described = keys.get((catalog, oid, subid))
            if described:
                facet = f"{what} {described}"
                texts[facet] = f"{texts[facet]}; {text}" if facet in texts else text
        yield from texts.items()


def _one(session: psycopg.Connection[tuple[Any, ...]], sql: str) -> Any:
    row = session.execute(sql).fetchone()
    return row[0] if row else None
