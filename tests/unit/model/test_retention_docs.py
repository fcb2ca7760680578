# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What docs/retention.md draws and prints is what the plan says."""
from __future__ import annotations

import pathlib
from datetime import date, timedelta

from _restorable.model.policy import Policy
from _restorable.model.retention import Plan, plan_prune
from kit.history import at, backup, nightly, rolled

PAGE = (pathlib.Path(__file__).parents[3] / "docs" / "retention.md").read_text()
LETTERS = {"daily": "d", "weekly": "w", "monthly": "m"}


def calendar(plan: Plan, first: date, last: date) -> str:
    """Draw a plan, one line a week, kept nights in brackets with the letters of their tiers."""
    marks = {row.id.time.date(): "".join(sorted({LETTERS[why.split("#")[0]] for why in row.reasons if "#" in why}))
             for row in plan.kept}
    lines = ["week of    Mon     Tue     Wed     Thu     Fri     Sat     Sun"]
    while first <= last:
        week = [first + timedelta(days=day) for day in range(7)]
        cells = [f"[{day.day} {marks[day]}]" if day in marks else f" {day.day}" for day in week if day <= last]
        lines.append(f"{first:%b %d}     " + "".join(f"{cell:8}" for cell in cells).rstrip())
        first += timedelta(days=7)
    return "\n".join(lines)


def table(plan: Plan) -> str:
    """Print a plan, one line a backup."""
    return "\n".join(f"{'keep' if row.keep else 'drop'}  {row.id}  {', '.join(row.reasons)}" for row in plan.rows)


def test_the_calendar_on_the_page_is_the_plan():
    history = rolled(nightly("2025-01-01", "2026-07-15"), Policy.of({}))
    plan = plan_prune(history, Policy.of({}), at("2026-07-15 03:00"))
    assert calendar(plan, date(2026, 4, 27), date(2026, 7, 15)) in PAGE
    assert table(plan) in PAGE


def test_the_example_with_floors_on_the_page_is_the_plan():
    history = [backup("2026-07-04 02:00", held=True), backup("2026-07-06 02:00", proven=True),
               backup("2026-07-07 02:00"), backup("2026-07-08 02:00", bad=True), *nightly("2026-07-09", "2026-07-15")]
    assert table(plan_prune(history, Policy.of({"daily": 4}), at("2026-07-15 03:00"))) in PAGE


def test_the_refusals_on_the_page_are_the_guards_words():
    year, now = list(nightly("2025-07-15", "2026-07-15")), at("2026-07-15 03:00")
    before = Policy.of({"daily": 7})
    shrunk = plan_prune(year[-7:], Policy.of({"daily": 3}), now, known_digest=before.digest(), known=before.as_dict())
    for refusal in (*plan_prune(year, Policy.of({}), now).refusals, *shrunk.refusals):
        assert refusal.message in PAGE
        assert f"({refusal.code})" in PAGE
