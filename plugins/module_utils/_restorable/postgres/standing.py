# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""What stands in a living database in the place of relations that are to be restored, and what depends on it."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence

from ..ports import Relation

if TYPE_CHECKING:
    import psycopg

    Session = psycopg.Connection[tuple[Any, ...]]

_CHOSEN = """
    SELECT c.oid, n.nspname || '.' || c.relname AS name
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND n.nspname !~ '^pg_(toast|temp)'
       AND (n.nspname, c.relname) IN (SELECT schema, name FROM unnest(%s::text[], %s::text[]) AS wanted (schema, name))
"""

# What DROP … CASCADE takes, as findDependentObjects in dependency.c: all that depends on what is lost, and the whole
# of which a lost thing is an internal part, as a view of its rule. A column (objsubid) may be lost without its table.
# Not named: what belongs to a lost thing (indexes, defaults, own triggers, row types, sequences), but a partition and
# a publication's membership are named although they belong to the table in the catalogue.
_DEPENDENTS = f"""
WITH RECURSIVE chosen AS ({_CHOSEN}), lost (classid, objid, objsubid) AS (
    SELECT 'pg_class'::regclass::oid, oid, 0 FROM chosen
    UNION SELECT 'pg_namespace'::regclass::oid, oid, 0 FROM pg_namespace WHERE nspname = ANY(%s::text[])
    UNION
    SELECT more.* FROM lost CROSS JOIN LATERAL (
        SELECT d.classid, d.objid, d.objsubid FROM pg_depend d
         WHERE d.refclassid = lost.classid AND d.refobjid = lost.objid AND lost.objsubid IN (0, d.refobjsubid)
        UNION ALL
        SELECT d.refclassid, d.refobjid, d.refobjsubid FROM pg_depend d
         WHERE d.classid = lost.classid AND d.objid = lost.objid AND d.objsubid = lost.objsubid AND d.deptype = 'i'
    ) AS more
), parts AS (
    SELECT d.classid, d.objid, d.objsubid FROM lost
      JOIN pg_depend d ON d.refclassid = lost.classid AND d.refobjid = lost.objid
       AND lost.objsubid IN (0, d.refobjsubid)
     WHERE d.deptype IN ('a', 'i', 'P', 'S')
)
SELECT DISTINCT CASE
       WHEN c.oid IS NOT NULL AND l.objsubid = 0 THEN concat_ws(' ', CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW'
            WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END,
            n.nspname, c.relname)
       WHEN k.contype = 'f' THEN 'FK CONSTRAINT ' || (SELECT concat_ws(' ', nspname, relname, k.conname) FROM pg_class t
            JOIN pg_namespace n ON n.oid = t.relnamespace WHERE t.oid = k.conrelid)
       WHEN pr.oid IS NOT NULL THEN 'PUBLICATION TABLE ' || (SELECT concat_ws(' ', nspname, pubname, relname)
            FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace JOIN pg_publication p ON p.oid = pr.prpubid
            WHERE t.oid = pr.prrelid)
       WHEN f.oid IS NOT NULL THEN concat_ws(' ', upper(i.type), n.nspname, f.proname)
            || '(' || coalesce((SELECT string_agg(format_type(one, NULL), ', ' ORDER BY at)
                                  FROM unnest(f.proargtypes) WITH ORDINALITY AS each (one, at)), '') || ')'
       WHEN y.oid IS NOT NULL THEN concat_ws(' ', CASE y.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END,
            n.nspname, y.typname)
       WHEN i.schema IS NOT NULL AND i.name IS NOT NULL AND l.objsubid = 0
       THEN concat_ws(' ', upper(i.type), i.schema, i.name)
       ELSE concat_ws(' ', i.type, i.identity) END AS what
  FROM lost l CROSS JOIN LATERAL pg_identify_object(l.classid, l.objid, l.objsubid) AS i
  LEFT JOIN pg_class c ON l.classid = 'pg_class'::regclass AND c.oid = l.objid
  LEFT JOIN pg_constraint k ON l.classid = 'pg_constraint'::regclass AND k.oid = l.objid
  LEFT JOIN pg_publication_rel pr ON l.classid = 'pg_publication_rel'::regclass AND pr.oid = l.objid
  LEFT JOIN pg_proc f ON l.classid = 'pg_proc'::regclass AND f.oid = l.objid
  LEFT JOIN pg_type y ON l.classid = 'pg_type'::regclass AND y.oid = l.objid
  LEFT JOIN pg_namespace n ON n.oid = coalesce(c.relnamespace, f.pronamespace, y.typnamespace)
 WHERE l.classid <> 'pg_namespace'::regclass
   AND NOT (l.classid = 'pg_class'::regclass AND l.objid IN (SELECT oid FROM chosen))
   AND (pr.oid IS NOT NULL OR c.relispartition AND c.relkind IN ('r', 'p', 'f')
        OR (l.classid, l.objid, l.objsubid) NOT IN (SELECT * FROM parts))
   AND NOT (l.objsubid > 0 AND (l.classid, l.objid, 0) IN (SELECT * FROM lost))
 ORDER BY what
"""


def standing(session: Session, relations: Sequence[Relation]) -> list[str]:
    """Return schema.name of those relations that are there."""
    rows = session.execute(f"SELECT name FROM ({_CHOSEN}) AS chosen ORDER BY name".encode(), _columns(relations))
    return [str(row[0]) for row in rows.fetchall()]


def dependents(session: Session, relations: Sequence[Relation], schemas: Sequence[str] = ()) -> list[str]:
    """Return what else is lost when those relations and schemas are dropped with CASCADE.

    Named as a table of contents has it, as far as it knows the like: "VIEW public big", "FK CONSTRAINT s lines fk".
    """
    rows = session.execute(_DEPENDENTS.encode(), [*_columns(relations), list(schemas)]).fetchall()
    return [str(row[0]) for row in rows]


def _columns(relations: Sequence[Relation]) -> list[list[str]]:
    return [[schema for schema, _name in relations], [name for _schema, name in relations]]
