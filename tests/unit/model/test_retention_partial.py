# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets that lack a database never stand for a whole one."""
from __future__ import annotations

import pytest

from _restorable.model.retention import plan_prune
from kit.history import at, backup, days, fates, nightly, tiers

NOW = at("2026-07-15 03:00")


def test_a_partial_set_takes_no_place_of_a_whole_one():
    history = [*nightly("2026-07-01", "2026-07-10"), backup("2026-07-11", partial=True),
               backup("2026-07-12", partial=True), *nightly("2026-07-13", "2026-07-14")]
    plan = plan_prune(history, tiers(daily=4), NOW)
    assert days(plan) == ["2026-07-09", "2026-07-10", "2026-07-13", "2026-07-14"]
    assert fates(plan)["20260712T000000Z-dump"] == "drop: partial, and a whole backup is newer"


def test_a_partial_set_stays_as_long_as_no_whole_one_is_newer():
    history = [*nightly("2026-07-01", "2026-07-10"), backup("2026-07-12", partial=True)]
    plan = plan_prune(history, tiers(daily=2), NOW)
    assert fates(plan)["20260712T000000Z-dump"] == "keep: partial, but no newer whole backup"
    assert days(plan) == ["2026-07-09", "2026-07-10", "2026-07-12"]


def test_a_partial_set_is_no_reason_to_drop_a_whole_one():
    history = [*nightly("2026-07-01", "2026-07-03"), backup("2026-07-14", partial=True)]
    assert plan_prune(history, tiers(last=1), NOW, last_pruned=at("2026-07-10")).dropped == ()


def test_partial_sets_count_among_themselves_where_there_is_no_whole_one():
    history = [backup(f"2026-07-{day:02}", partial=True) for day in range(1, 11)]
    assert days(plan_prune(history, tiers(daily=2), NOW)) == ["2026-07-09", "2026-07-10"]


def test_a_bad_whole_one_is_no_whole_one():
    history = [backup("2026-07-01", partial=True), backup("2026-07-02", partial=True), backup("2026-07-03", bad=True)]
    assert days(plan_prune(history, tiers(last=1), NOW)) == ["2026-07-02", "2026-07-03"]


def test_a_partial_set_of_another_selection_is_judged_by_itself():
    history = [*nightly("2026-07-01", "2026-07-10"), backup("2026-07-02", label="abcdef01", partial=True)]
    assert "20260702T000000Z-dump-abcdef01" in {str(row.id) for row in plan_prune(history, tiers(last=1), NOW).kept}


@pytest.mark.parametrize("flags", [{"held": True}, {"bad": True}])
def test_a_partial_set_that_is_held_or_young_stays(flags):
    history = [backup("2026-07-14 02:00", partial=True, **flags), backup("2026-07-15 02:00")]
    assert len(plan_prune(history, tiers(last=1, min_age="2d"), NOW).kept) == 2


def test_a_partial_set_is_no_measure_of_a_usual_size():
    history = [backup(f"2026-07-{day:02}", size=100) for day in range(1, 9)]
    plan = plan_prune([*history, backup("2026-07-10", size=1, partial=True)], tiers(last=5), NOW)
    assert (plan.refusals, len(plan.dropped)) == ((), 3)
