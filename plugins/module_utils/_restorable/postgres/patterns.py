# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Resolve pg_dump's table patterns on the server, the way pg_dump itself does."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence

from ..errors import ConfigError
from .connect import driver

if TYPE_CHECKING:
    import psycopg

_SPECIAL = frozenset("|*+?()[]{}.^\\")


def split_pattern(pattern: str) -> list[str]:
    r"""Return a regular expression for each dotted part of a psql pattern.

    Outside double quotes * and ? are wildcards, letters fold to lower case and other signs keep their meaning in
    a regular expression; $ is always itself (app-psql.html, "Patterns"; string_utils.c, patternToSQLRegex).

    >>> split_pattern('Sales."Big.One"*')
    ['^(sales)$', '^(Big\\.One.*)$']
    """
    parts, quoted, at = [""], False, 0
    while at < len(pattern):
        sign, at = pattern[at], at + 1
        if sign == '"':
            if quoted and pattern[at:at + 1] == '"':
                parts[-1] += '"'
                at += 1
            else:
                quoted = not quoted
        elif sign == "$":
            parts[-1] += "\\$"
        elif quoted:
            parts[-1] += f"\\{sign}" if sign in _SPECIAL else sign
        elif sign == ".":
            parts.append("")
        else:
            parts[-1] += {"*": ".*", "?": "."}.get(sign, sign.lower() if sign.isascii() else sign)
    return [f"^({part})$" for part in parts]


def matching_tables(session: psycopg.Connection[tuple[Any, ...]], patterns: Sequence[str]) -> set[int]:
    """Return the oids of the relations that pg_dump's --exclude-table would match, as this session may see them.

    A pattern without a schema matches only what the role's own search_path shows, so that path is back for these
    queries; they name the schema of everything they use (pg_dump.c, expand_table_name_patterns). Raises ConfigError
    for a pattern that is no valid one, if the session is in no transaction.
    """
    found: set[int] = set()
    if not patterns:
        return found
    session.execute("RESET search_path")
    try:
        for pattern in patterns:
            found.update(_matching(session, pattern))
    except driver().errors.InvalidRegularExpression as error:
        raise ConfigError(f"table pattern {pattern!r} is not valid: {' '.join(str(error).split())}",
                          hint="Write it as for pg_dump's --exclude-table: schema.name, with * and ?.",
                          code="dump.bad_pattern") from error
    finally:
        session.execute("SET search_path TO pg_catalog, pg_temp")
    return found


def _matching(session: psycopg.Connection[tuple[Any, ...]], pattern: str) -> list[int]:
    *schema, name = split_pattern(pattern)[-2:]
    where = ("n.nspname OPERATOR(pg_catalog.~) %s::pg_catalog.text COLLATE pg_catalog.\"default\"" if schema
             else "pg_catalog.pg_table_is_visible(c.oid)")
    rows = session.execute(
        "SELECT c.oid FROM pg_catalog.pg_class AS c"
        " JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
        f" WHERE {where} AND c.relname OPERATOR(pg_catalog.~) %s::pg_catalog.text"
        " COLLATE pg_catalog.\"default\"", [*schema, name])
    return [row[0] for row in rows]
