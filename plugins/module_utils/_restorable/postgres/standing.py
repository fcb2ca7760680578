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

# Names are compared as a table of contents has them: with spaces for newlines.
_CHOSEN = """
    SELECT c.oid, n.nspname || '.' || c.relname AS name
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND n.nspname !~ '^pg_(toast|temp)'
       AND (translate(n.nspname, E'\\n\\r', '  '), translate(c.relname, E'\\n\\r', '  '))
           IN (SELECT schema, name FROM unnest(%s::text[], %s::text[]) AS wanted (schema, name))
"""

# A view depends through its rule (pg_rewrite); views on views follow. A partition's key is part of its parent's.
_DEPENDENTS = f"""
WITH RECURSIVE chosen AS ({_CHOSEN}), lost (oid) AS (
    SELECT oid FROM chosen
    UNION
    SELECT r.ev_class FROM lost
      JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = lost.oid
       AND d.classid = 'pg_rewrite'::regclass
      JOIN pg_rewrite r ON r.oid = d.objid AND r.ev_class <> lost.oid)
SELECT CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW ' ELSE 'VIEW ' END || n.nspname || ' ' || c.relname AS what
  FROM lost JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('v', 'm') AND c.oid NOT IN (SELECT oid FROM chosen)
UNION ALL
SELECT 'FK CONSTRAINT ' || n.nspname || ' ' || c.relname || ' ' || k.conname
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE k.contype = 'f' AND k.conparentid = 0 AND k.confrelid IN (SELECT oid FROM chosen)
   AND k.conrelid NOT IN (SELECT oid FROM chosen)
 ORDER BY what
"""


def standing(session: Session, relations: Sequence[Relation]) -> list[str]:
    """Return schema.name of those relations that are there."""
    rows = session.execute(f"SELECT name FROM ({_CHOSEN}) AS chosen ORDER BY name".encode(), _columns(relations))
    return [str(row[0]) for row in rows.fetchall()]


def dependents(session: Session, relations: Sequence[Relation]) -> list[str]:
    """Return the views and foreign keys of others that depend on those relations, as a table of contents has them."""
    return [str(row[0]) for row in session.execute(_DEPENDENTS.encode(), _columns(relations)).fetchall()]


def _columns(relations: Sequence[Relation]) -> list[list[str]]:
    return [[schema for schema, _name in relations], [name for _schema, name in relations]]
