# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""SQL that goes before and after chosen entries of an archive, in their own transaction. Pure."""
from __future__ import annotations

from typing import Iterable, Sequence

from ..model.choice import RELATIONS, Choice
from ..model.toc import TocEntry
from ..ports import RestoreOptions
from .connect import quote_ident

# Grants beyond PostgreSQL's own defaults on what was just made, of which there is nobody else's yet. Grantee 0 is
# PUBLIC. acldefault: functions-info.html; the kinds are those of ALTER DEFAULT PRIVILEGES.
_STRIP = """
DO $restorable$
DECLARE one record;
BEGIN
  FOR one IN
    WITH made AS (
      SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind,
             pg_catalog.format('%%I.%%I', nspname, relname) AS name, relacl AS acl, relowner AS owner,
             CASE relkind WHEN 'S' THEN 's' ELSE 'r' END AS code
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace
       WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND ((nspname, relname) IN (%(relations)s)
             OR nspname IN (%(schemas)s))
      UNION ALL
      SELECT CASE prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END, p.oid::pg_catalog.regprocedure::text, proacl,
             proowner, 'f'
        FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = pronamespace WHERE nspname IN (%(schemas)s)
      UNION ALL
      SELECT 'TYPE', pg_catalog.format('%%I.%%I', nspname, typname), typacl, typowner, 'T'
        FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = typnamespace
       WHERE typtype IN ('d', 'e', 'r') AND nspname IN (%(schemas)s)
      UNION ALL
      SELECT 'SCHEMA', pg_catalog.quote_ident(nspname), nspacl, nspowner, 'n' FROM pg_catalog.pg_namespace
       WHERE nspname IN (%(schemas)s)
    )
    SELECT DISTINCT kind, name, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE
           (SELECT pg_catalog.quote_ident(rolname) FROM pg_catalog.pg_roles WHERE oid = grantee) END AS grantee
      FROM made, LATERAL (SELECT grantee, privilege_type, is_grantable FROM pg_catalog.aclexplode(acl)
                          EXCEPT SELECT grantee, privilege_type, is_grantable
                            FROM pg_catalog.aclexplode(pg_catalog.acldefault(code::"char", owner))) AS extra
  LOOP
    EXECUTE pg_catalog.format('REVOKE ALL ON %%s %%s FROM %%s', one.kind, one.name, one.grantee);
  END LOOP;
END $restorable$;
"""


def drop_first(choice: Choice, options: RestoreOptions) -> str:
    """Return what removes the chosen relations, for the transaction that restores them; nothing without clean."""
    if not options.clean:
        return ""
    if options.data_only:
        return _command("TRUNCATE", [each for each in choice.relations if each.kind == "TABLE"], "")
    how = " CASCADE" if options.cascade else " RESTRICT"
    lines = [f"DROP SCHEMA IF EXISTS {quote_ident(each)}{how};\n" for each in options.schemas]
    apart = [each for each in choice.relations if each.place[0] not in options.schemas]
    # owned sequences go with their tables, so sequences come last
    for kind in sorted(RELATIONS, key=lambda each: each == "SEQUENCE"):
        lines.append(_command(f"DROP {kind} IF EXISTS", [each for each in apart if each.kind == kind], how))
    return "".join(lines)


def without_default_grants(made: Sequence[TocEntry]) -> str:
    """Return what takes back the grants that ALTER DEFAULT PRIVILEGES has given to what was just made."""
    relations = [each for each in made if each.kind in RELATIONS]
    schemas = [each.place[1] for each in made if each.kind == "SCHEMA"]
    if not relations and not schemas:
        return ""
    pairs = [f"({', '.join(map(_text, each.place))})" for each in relations] or ["(NULL, NULL)"]
    names = [_text(each) for each in schemas] or ["NULL"]
    return _STRIP % {"relations": ", ".join(pairs), "schemas": ", ".join(names)}


def _command(words: str, relations: Iterable[TocEntry], end: str) -> str:
    names = ", ".join(".".join(map(quote_ident, each.place)) for each in relations)
    return f"{words} {names}{end};\n" if names else ""


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
