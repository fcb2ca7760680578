# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Take the values of rows out of what PostgreSQL says, since its words go into evidence, journals and logs. Pure.

Names of tables, columns and constraints stay; what a value can be told by is replaced by an ellipsis.
"""
from __future__ import annotations

import re

GONE = "…"

_LABELS = ("DETAIL|DÉTAIL|DETALLE|DETTAGLI|DETALHE|DETALJ|SZCZEGÓŁY|AYRINTI|ПОДРОБНОСТИ|ДЕТАЛІ|詳細|详细信息|描述|"
           "상세정보")
# Where a value of several lines is over: at a line that PostgreSQL's programs begin with their own words.
_NEXT = (r"(?=\n[ \t]*(?:\[\.\.\.\]|pg_\w+: |psql:|Command was: |\d{4}-\d\d-\d\d \d\d:\d\d|"
         rf"(?:{_LABELS}|CONTEXT|HINT|QUERY|STATEMENT|LOCATION|ERROR|FATAL|PANIC|WARNING|NOTICE|LOG|LINE \d+)\s?:)|\Z)")

_RULES = tuple((re.compile(pattern, re.I | re.S), kept) for pattern, kept in (
    # Failing row contains (1, alice@example.com).
    (rf"(?<!key of the )(Failing row contains )\(.*?{_NEXT}", rf"\1({GONE})"),
    # Partition key of the failing row contains (a) = (5).
    (rf"(key of the failing row contains \([^\n]*?\) = )\(.*?{_NEXT}", rf"\1({GONE})"),
    # COPY t, line 1, column a: "1\talice@example.com"
    (rf"(\bCOPY \S[^\n:]*?, \w+ \d+(?:, \w+ [^\n:]+)?):? .*?{_NEXT}", r"\1"),
    # rows in statements
    (rf"(\bVALUES\s*)\(.*?{_NEXT}", rf"\1({GONE})"),
    (r"(\$\d+ = )'(?:[^']|'')*'?", rf"\1'{GONE}'"),
    # a value that its type does not take
    (rf"(invalid input (?:syntax|value) for [^\n:]*: |malformed [^\n:]* literal: |value out of range: )\".*?{_NEXT}",
     rf'\1"{GONE}"'),
    (r"(\bvalue )\"[^\n]*\"( is out of range)", rf'\1"{GONE}"\2'),
    (r"(\bToken )\"[^\n]*\"( is invalid)", rf'\1"{GONE}"\2'),
    (rf"(JSON data, line \d+): .*?{_NEXT}", r"\1"),
))
# Key (email)=(alice@example.com) already exists, in whatever language: what follows the value stays if it is known.
_KEY = re.compile(rf"\)=\(.*?{_NEXT}", re.S)
_BOTH = re.compile(r"\)=\(.*?\)( conflicts with (?:existing )?key \(.*?\)=)\(", re.S)
_AFTER = re.compile(r"\)=\(.*\)( (?:already exists|is duplicated|is not present in table|is still referenced from"
                    r" table|is referenced)[^()]*)\Z", re.S)
# The same in another language, known by its label alone: whatever stands in parentheses goes.
_ABROAD = re.compile(rf"((?:{_LABELS.replace('DETAIL|', '')})\s?:[^\n]*?)\(.*?{_NEXT}|"
                     rf"(DETAIL:\s+Fehlgeschlagene Zeile[^\n]*?)\(.*?{_NEXT}", re.S)


def without_rows(text: str) -> str:
    """Return text without the values of rows that PostgreSQL quotes: Key (email)=(…) already exists."""
    for pattern, kept in _RULES:
        text = pattern.sub(kept, text)
    text = _KEY.sub(_without_key, text)
    return _ABROAD.sub(lambda found: f"{found[1] or found[2]}({GONE})", text)


def _without_key(found: re.Match[str]) -> str:
    both, after = _BOTH.match(found[0]), _AFTER.match(found[0])
    if both:
        return f")=({GONE}){both[1]}({GONE})"
    return f")=({GONE}){after[1] if after else ''}"


def one_line(error: object) -> str:
    """Return what the server or its driver says as one line, without the values of rows."""
    return " ".join(without_rows(str(error)).split())
