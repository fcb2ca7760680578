# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""What relations and schemas are really called whose names are printed like others: from an archive's SQL. Pure."""
from __future__ import annotations

import re
from typing import Iterable, Sequence

from ..errors import Damaged
from ..model.choice import RELATIONS
from ..model.toc import Toc, TocEntry, shown
from .globals import statements, unquote

WORDS = ("--clean",)               # pg_restore then begins with one DROP for each entry, the last one first
_IDENT = rb'("(?:[^"]|"")+"|[^\s".;]+)'
_DROP = re.compile(rb"DROP (?:%b|SCHEMA) (?:%b\.)?%b;\n" % ("|".join(RELATIONS).encode(), _IDENT, _IDENT))


def unsure(toc: Toc) -> list[TocEntry]:
    """Return the relations and schemas whose names their lines do not tell."""
    return [entry for entry in toc.of_kind(*RELATIONS, "SCHEMA") if entry.unsure]


def named(toc: Toc, entries: Sequence[TocEntry], text: Iterable[bytes], codec: str = "utf-8") -> Toc:
    """Return the contents with the exact names of these entries, from what pg_restore prints of them with WORDS."""
    # of schema public it prints no DROP, and its name is its own
    left = [entry for entry in entries if entry.kind != "SCHEMA" or not entry.rest.startswith("- public ")]
    drops = [found for found in map(_DROP.fullmatch, statements(text)) if found][:len(left)]
    places = [(unquote(found[1], codec) if found[1] else "-", unquote(found[2], codec)) for found in drops]
    pairs = list(zip(reversed(left), places))
    if len(pairs) != len(left) or not all(entry.rest.startswith(" ".join(map(shown, place)) + " ")
                                          for entry, place in pairs):
        raise Damaged(f"archive's SQL has other names than its table of contents: {places[:5]}",
                      code="archive.other_names", hint="Restore another backup.")
    return toc.with_names({entry.id: place for entry, place in pairs})
