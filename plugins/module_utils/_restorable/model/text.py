# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Numbers, times and tables as a person reads them. Pure."""
from __future__ import annotations

import re
import unicodedata
from datetime import datetime, timedelta
from typing import Sequence

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_UNITS = ("kB", "MB", "GB", "TB", "PB", "EB")


def human_bytes(count: float) -> str:
    """Return a size in decimal units: 999 B, 1.2 GB, 35 MB.

    >>> human_bytes(1234567890)
    '1.2 GB'
    """
    size, unit = float(abs(count)), "B"
    for larger in _UNITS:
        if size < 999.5:
            break
        size, unit = size / 1000, larger
    number = f"{size:.0f}" if unit == "B" or size >= 9.95 else f"{size:.1f}"
    return f"{'-' if count < 0 else ''}{number} {unit}"


def human_duration(length: float | timedelta) -> str:
    """Return a length of time by its two largest units: 0.4s, 12s, 3m12s, 5h02m, 3d04h.

    >>> human_duration(192.3)
    '3m12s'
    """
    seconds = length.total_seconds() if isinstance(length, timedelta) else float(length)
    if seconds < 0:
        return f"-{human_duration(-seconds)}"
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    minutes = round(whole / 60)
    if minutes < 24 * 60:
        return f"{minutes // 60}h{minutes % 60:02}m"
    hours = round(whole / 3600)
    return f"{hours // 24}d{hours % 24:02}h"


def human_age(since: datetime, now: datetime) -> str:
    """Return how long ago since was, or how far ahead it lies: "3m12s ago", "in 5h02m"."""
    age = (now - since).total_seconds()
    return f"{human_duration(age)} ago" if age >= 0 else f"in {human_duration(-age)}"


def table(rows: Sequence[Sequence[str]], align: str = "", *, gap: str = "  ") -> list[str]:
    """Return rows as lines with aligned columns and no trailing spaces; the first row may be a heading.

    align has one letter a column, "<" or ">"; columns beyond it are left-aligned. Wide and combining
    characters are counted as a terminal shows them; line breaks in a cell become spaces. A row of one cell
    among wider ones is a sentence of its own, and no column is as wide as that.

    >>> table([["ID", "SIZE"], ["a", "12 MB"], ["and so on"]], "<>")
    ['ID   SIZE', 'a   12 MB', 'and so on']
    """
    cells = [[visible(" ".join(cell.splitlines())) for cell in row] for row in rows]
    columns = max(map(len, cells), default=0)
    aligned = [row for row in cells if len(row) > 1 or columns == 1]
    widths = [max(display_width(row[column]) for row in aligned if column < len(row)) for column in range(columns)]
    return [gap.join(_pad(cell, widths[column], align[column:column + 1]) for column, cell in enumerate(row)).rstrip()
            for row in cells]


def visible(text: str) -> str:
    """Return a text with its control characters spelled out, so that a name can neither colour nor break a line.

    >>> visible("a\\nb")
    'a\\\\nb'
    """
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


def some(names: Sequence[str], limit: int = 5) -> str:
    """Return "a, b, c", and of more than limit names how many are left out.

    >>> some(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    return ", ".join(names[:limit]) + (f" and {len(names) - limit} more" if len(names) > limit else "")


def switch(name: str, value: str = "") -> str:
    """Return how a user turns something on, or gives it a value: at the host command, in a task, with the playbook.

    >>> switch("clean")
    'clean (`--clean`, with the playbook `-e restorable_clean=true`)'
    """
    given = f" {value}" if value else ""
    return f"{name} (`--{name}{given}`, with the playbook `-e restorable_{name}={value or 'true'}`)"


def display_width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return sum(0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1
               for each in text)


def _pad(text: str, width: int, side: str) -> str:
    blank = " " * (width - display_width(text))
    return blank + text if side == ">" else text + blank
