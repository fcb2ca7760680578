# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bench's rows and how they are printed."""
from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """One goal, and what was measured for it in this run."""

    what: str
    measured: float
    goal: float
    at_most: bool = True           # False: at least
    unit: str = "×"
    detail: str = ""

    @property
    def reached(self) -> bool:
        """Say whether the goal was reached."""
        return self.measured <= self.goal if self.at_most else self.measured >= self.goal

    def as_dict(self) -> dict[str, Any]:
        """Return the row for bench.json."""
        return {**asdict(self), "reached": self.reached}


def table(rows: list[Row]) -> str:
    """Return the rows as aligned text."""
    cells = [("what", "measured", "goal", "", "medians")]
    for row in rows:
        sign = "≤" if row.at_most else "≥"
        cells.append((row.what, f"{row.measured:.2f} {row.unit}", f"{sign} {row.goal:g} {row.unit}",
                      "reached" if row.reached else "MISSED", row.detail))
    widths = [max(len(line[column]) for line in cells) for column in range(5)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in cells)
