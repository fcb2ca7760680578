# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
r"""The table patterns of pg_dump and psql as PostgreSQL's regular expressions. Pure.

Outside of double quotes letters fold to lower case, * is any text, ? any sign, and all else keeps its meaning in a
regular expression; inside them everything is itself, "" is a quote. A dot outside of them parts database, schema
and name. $ is always itself, and so is [] (app-psql.html, "Patterns"; string_utils.c, patternToSQLRegex).
"""
from __future__ import annotations

from dataclasses import dataclass

from ..errors import ConfigError

_SPECIAL = frozenset("|*+?()[]{}.^$\\")
_WILD = {"*": ".*", "?": "."}


@dataclass(frozen=True)
class NamePattern:
    """A pattern's parts: the database is a plain name or None, schema and name are regular expressions.

    schema None means the relations that the search path shows.
    """

    name: str
    schema: str | None = None
    database: str | None = None


def parse_pattern(text: str) -> NamePattern:
    r"""Read a pattern; raise ConfigError for an empty one and for more than three parts.

    >>> parse_pattern('Sales."Big.One"*')
    NamePattern(name='^(Big\\.One.*)$', schema='^(sales)$', database=None)
    """
    if not text:
        raise ConfigError("table pattern '' is empty", hint="Write a table's name, such as public.orders or audit.*.",
                          code="pattern.empty")
    parts, literals = _split(text)
    if len(parts) > 3:
        raise ConfigError(f"table pattern {text!r} has too many dots",
                          hint='Write schema.table, and quote a name that holds a dot: public."a.b".',
                          code="pattern.dots")
    regexes = [f"^({part})$" for part in parts]
    return NamePattern(regexes[-1], regexes[-2] if len(parts) > 1 else None, literals[0] if len(parts) > 2 else None)


def _split(text: str) -> tuple[list[str], list[str]]:
    """Return the dotted parts as regular expressions, and as the plain names they are without wildcards."""
    parts, literals, quoted, at = [""], [""], False, 0
    while at < len(text):
        sign, after = text[at], text[at + 1:at + 2]
        at += 1
        if sign == '"' and quoted and after == '"':
            regex = '"'
            at += 1
        elif sign == '"':
            quoted = not quoted
            continue
        elif sign == "." and not quoted:
            parts.append("")
            literals.append("")
            continue
        elif not quoted:
            sign = sign.lower() if sign.isascii() else sign
            bracket = sign == "[" and after == "]"
            regex = f"\\{sign}" if sign == "$" or bracket else _WILD.get(sign, sign)
        else:
            regex = f"\\{sign}" if sign in _SPECIAL else sign
        parts[-1] += regex
        literals[-1] += sign
    return parts, literals
