# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Colour words of a finished text, so that colour can never disturb an alignment."""
from __future__ import annotations

import re

CODES = {"red": "31", "green": "32", "yellow": "33", "bold": "1", "dim": "2"}
_WORDS = {
    "ok": "green", "passed": "green", "PASSED": "green", "proven": "green", "green": "green", "keep": "green",
    "failed": "red", "FAILED": "red", "orphan": "red", "damaged": "red", "red": "red", "drop": "red", "missed": "red",
    "not run": "yellow", "INCOMPLETE": "yellow", "incomplete": "yellow", "yellow": "yellow", "held": "yellow",
    "skipped": "yellow", "adopted": "yellow", "partial": "yellow",
}
# a word of ours stands alone between two spaces, or at the edge of a line; a user's names are rarely so
_OURS = re.compile(r"(?m)(?<![^ \n])(" + "|".join(map(re.escape, _WORDS)) + r")(?=  |[:,]? |[:,]?$)")


class Ink:
    """Colours words, or leaves them as they are."""

    def __init__(self, enabled: bool) -> None:
        self.enabled = enabled

    def paint(self, text: str, colour: str) -> str:
        """Return a text in a colour."""
        return f"\033[{CODES[colour]}m{text}\033[0m" if self.enabled else text

    def words(self, text: str) -> str:
        """Return a finished text with the words of verdicts and states in their colours."""
        return _OURS.sub(lambda found: self.paint(found[1], _WORDS[found[1]]), text) if self.enabled else text
