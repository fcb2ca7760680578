# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Ask whether a word that nobody knows was meant to be one that somebody knows. Pure."""
from __future__ import annotations

import difflib
from typing import Iterable

ALIKE = 0.6                        # difflib's own measure: 1 for the same word, 0 for nothing in common


def did_you_mean(word: str, known: Iterable[str], *, alike: float = ALIKE, form: str = "{}") -> str:
    """Return "Did you mean …?" with the nearest of the known words, written in form, or "" if none is alike."""
    near = difflib.get_close_matches(word, list(known), 1, alike)
    return f"Did you mean {form.format(near[0])}?" if near else ""
