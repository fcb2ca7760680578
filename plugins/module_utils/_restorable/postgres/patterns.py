# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Resolve pg_dump's table patterns on the server, the way pg_dump itself does."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence

from ..errors import ConfigError
from ..model.patterns import NamePattern, parse_pattern
from .connect import driver

if TYPE_CHECKING:
    import psycopg

FIRST_OWN_OID = 16384              # below are the catalogs and information_schema, which no dump holds (transam.h)

# pg_dump.c, expand_table_name_patterns: tables of all kinds, views and sequences.
_MATCHING = """
SELECT c.oid FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'S', 'v', 'm', 'f', 'p']::pg_catalog."char"[])
   AND c.relname OPERATOR(pg_catalog.~) %s::pg_catalog.text COLLATE pg_catalog."default"
   AND """
_IN_SCHEMA = "n.nspname OPERATOR(pg_catalog.~) %s::pg_catalog.text COLLATE pg_catalog.\"default\""
_VISIBLE = "pg_catalog.pg_table_is_visible(c.oid)"


def matching_tables(session: psycopg.Connection[tuple[Any, ...]], patterns: Sequence[str]) -> set[int]:
    """Return the oids of the relations that pg_dump's --exclude-table would match, as this session may see them.

    A pattern without a schema matches only what the role's own search_path shows, so that path is back for these
    queries; they name the schema of everything they use. Raises ConfigError for a pattern that pg_dump refuses.
    """
    found: set[int] = set()
    if not patterns:
        return found
    session.execute("RESET search_path")
    for text in patterns:
        pattern = parse_pattern(text)
        if pattern.database not in (None, session.info.dbname):
            raise ConfigError(f"table pattern {text!r} names another database than {session.info.dbname!r}",
                              hint="Write schema.table.", code="pattern.database")
        found |= _matching(session, text, pattern)
    session.execute("SET search_path TO pg_catalog, pg_temp")
    return found


def _matching(session: psycopg.Connection[tuple[Any, ...]], text: str, pattern: NamePattern) -> set[int]:
    try:
        if pattern.schema is None:
            rows = session.execute(_MATCHING + _VISIBLE, [pattern.name]).fetchall()
        else:
            rows = session.execute(_MATCHING + _IN_SCHEMA, [pattern.name, pattern.schema]).fetchall()
    except driver().errors.InvalidRegularExpression as error:
        raise ConfigError(f"table pattern {text!r} is no valid regular expression: {' '.join(str(error).split())}",
                          hint="Quote the name if it is meant literally: public.\"a(b\".", code="pattern.invalid"
                          ) from error
    return {row[0] for row in rows}
