# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Compare definitions that PostgreSQL prints from its parse trees. Pure.

pg_get_constraintdef and its kin print a tree; reading the text back may give another tree of the same meaning, which
prints differently: CHECK (status IN ('a', 'b')) on a varchar column gains and moves casts with the first restore
(ruleutils.c promises a text that parses, not the same text again).
"""
from __future__ import annotations

import re

# Kinds whose definition, or a part of it, is printed from a parse tree.
DEPARSED = frozenset({"constraint", "column", "view", "materialized_view", "index", "rule", "policy", "trigger",
                      "statistics", "table", "type", "domain", "function", "procedure", "publication_table"})

_STRING = r"'(?:[^']|'')*'"
_QUOTED = r'"(?:[^"]|"")*"'
_TYPE = (r"(?:character varying|double precision|bit varying|\"char\""
         r"|(?:timestamp|time)(?:\(\d\))? with(?:out)? time zone"
         rf"|(?:{_QUOTED}|[^\W\d][\w$]*)(?:\.(?:{_QUOTED}|[^\W\d][\w$]*))?)(?:\(\d+(?:, ?-?\d+)?\))?(?:\[\])*")
_TOKEN = re.compile(rf"({_STRING}|{_QUOTED})|::{_TYPE}|[\s()]+")

# pg_get_functiondef writes the body of a function as it was given, unless it is BEGIN ATOMIC.
_BODY = re.compile(r"\nAS .*", re.DOTALL)


def same_meaning(kind: str, one: str, other: str) -> bool:
    """Say whether two definitions differ only in whitespace, parentheses and casts outside of quotes."""
    if kind not in DEPARSED:
        return False
    if kind in ("function", "procedure"):
        bodies = [found[0] if found else "" for found in (_BODY.search(one), _BODY.search(other))]
        return bodies[0] == bodies[1] and _bare(_BODY.sub("", one)) == _bare(_BODY.sub("", other))
    return _bare(one) == _bare(other)


def _bare(text: str) -> str:
    return _TOKEN.sub(lambda found: found[1] or "", text)
