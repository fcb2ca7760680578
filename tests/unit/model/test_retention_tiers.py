# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tiers keep, as tables of dates."""
from __future__ import annotations

from datetime import timedelta

import pytest

from _restorable.model.retention import plan_prune
from kit.history import at, backup, backups, days, fates, nightly, nights, rolled, tiers, times

GFS = tiers(daily=7, weekly=4, monthly=3)
SUNDAYS = [f"{each.id.time:%Y-%m-%d}" for each in nightly("2026-05-01", "2026-07-15") if each.id.time.weekday() == 6]

# name: (nights that have a dump, when the plan is made, what stays)
FIXTURES = {
    "steady": (
        list(nightly("2025-01-01", "2026-07-15")), "2026-07-15 03:00",
        ["2026-04-30", "2026-05-31", "2026-06-21", "2026-06-28", "2026-06-30", "2026-07-05",
         *nights("2026-07-09", "2026-07-15")]),
    "ten nights failed, then one success": (
        list(nightly("2025-01-01", "2026-07-16", without=nights("2026-07-06", "2026-07-15"))), "2026-07-16 03:00",
        ["2026-04-30", "2026-05-31", "2026-06-14", "2026-06-21", "2026-06-28", "2026-06-30",
         *nights("2026-07-01", "2026-07-05"), "2026-07-16"]),
    "begun six weeks ago": (
        list(nightly("2026-06-03", "2026-07-17")), "2026-07-17 03:00",
        ["2026-06-03", "2026-06-21", "2026-06-28", "2026-06-30", "2026-07-05", *nights("2026-07-11", "2026-07-17")]),
    "no Sunday since May": (
        list(nightly("2025-01-01", "2026-07-15", without=SUNDAYS)), "2026-07-15 03:00",
        ["2026-04-30", "2026-05-30", "2026-06-20", "2026-06-27", "2026-06-30", "2026-07-04",
         *nights("2026-07-08", "2026-07-11"), *nights("2026-07-13", "2026-07-15")]),
}


@pytest.mark.parametrize("name", FIXTURES)
def test_seven_days_four_weeks_three_months_keep_these_nights(name):
    history, now, expected = FIXTURES[name]
    assert days(plan_prune(history, GFS, at(now))) == expected


@pytest.mark.parametrize("name", FIXTURES)
def test_pruning_after_every_night_ends_with_the_same_nights(name):
    history, now, expected = FIXTURES[name]
    assert days(plan_prune(rolled(history, GFS), GFS, at(now))) == expected


def test_every_row_says_why_and_names_its_rank_in_each_tier():
    plan = plan_prune(nightly("2026-06-28", "2026-07-06"), tiers(daily=2, weekly=2, monthly=1), at("2026-07-06 03:00"))
    assert fates(plan) == {
        "20260706T020000Z-dump": "keep: daily#1, floor:newest",
        "20260705T020000Z-dump": "keep: daily#2, weekly#1",
        "20260704T020000Z-dump": "drop: no tier wants it",
        "20260703T020000Z-dump": "drop: no tier wants it",
        "20260702T020000Z-dump": "drop: no tier wants it",
        "20260701T020000Z-dump": "drop: no tier wants it",
        "20260630T020000Z-dump": "keep: monthly#1",
        "20260629T020000Z-dump": "drop: no tier wants it",
        "20260628T020000Z-dump": "keep: weekly#2",
    }


def test_the_plan_is_newest_first_whatever_the_order_of_the_candidates():
    history = list(nightly("2026-06-28", "2026-07-06"))
    forth, back = (plan_prune(each, GFS, at("2026-07-06 03:00")) for each in (history, history[::-1]))
    assert forth == back
    assert [row.id for row in forth.rows] == [each.id for each in history[::-1]]


def test_the_newest_of_a_period_stands_for_it():
    history = backups("""
        2026-07-12 02:00
        2026-07-12 14:00
        2026-07-13 02:00
        2026-07-13 23:59
        2026-07-14 00:00""")
    assert times(plan_prune(history, tiers(daily=3), at("2026-07-14 03:00"))) == [
        "2026-07-12 14:00", "2026-07-13 23:59", "2026-07-14 00:00"]


@pytest.mark.parametrize(("tier", "kept"), [
    ("weekly", ["2026-07-05", "2026-07-12", "2026-07-15"]),
    ("monthly", ["2026-05-31", "2026-06-30", "2026-07-15"]),
    ("yearly", ["2024-12-31", "2025-12-31", "2026-07-15"]),
])
def test_the_running_week_month_and_year_use_up_no_place(tier, kept):
    history = list(nightly("2023-01-01", "2026-07-15"))
    assert days(plan_prune(history, tiers(**{tier: 2}), at("2026-07-15 03:00"))) == kept
    running = tiers(**{tier: 2}, count_current_period=True)
    assert days(plan_prune(history, running, at("2026-07-15 03:00"))) == kept[1:]


def test_the_running_day_and_hour_count_as_any_other():
    history = backups("""
        2026-07-15 00:10
        2026-07-15 01:10
        2026-07-15 02:10
        2026-07-15 02:40""")
    history += nightly("2026-07-01", "2026-07-14")
    now = at("2026-07-15 02:50")
    assert times(plan_prune(history, tiers(hourly=2), now)) == ["2026-07-15 01:10", "2026-07-15 02:40"]
    assert times(plan_prune(history, tiers(daily=2), now)) == ["2026-07-14 02:00", "2026-07-15 02:40"]


def test_a_period_counts_as_ended_once_a_later_one_has_a_backup():
    # this host's clock is half an hour behind the one that took the newest: on its own it is still Sunday
    history = [backup("2026-07-05 02:00"), backup("2026-07-12 02:00"), backup("2026-07-13 00:10")]
    plan = plan_prune(history, tiers(weekly=1), at("2026-07-12 23:40"))
    assert times(plan) == ["2026-07-12 02:00", "2026-07-13 00:10"]


def test_last_counts_backups_and_within_counts_from_the_newest():
    history = list(nightly("2026-07-01", "2026-07-10"))
    much_later = at("2026-09-01")
    assert days(plan_prune(history, tiers(last=3), much_later)) == nights("2026-07-08", "2026-07-10")
    assert days(plan_prune(history, tiers(within="2d"), much_later)) == nights("2026-07-09", "2026-07-10")
    assert days(plan_prune(history, tiers(within="49h"), much_later)) == nights("2026-07-08", "2026-07-10")


def test_minus_one_keeps_the_newest_of_every_period():
    history = list(nightly("2025-12-15", "2026-07-15"))
    assert days(plan_prune(history, tiers(monthly=-1), at("2026-07-15 03:00"))) == [
        "2025-12-31", "2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31", "2026-06-30", "2026-07-15"]
    assert days(plan_prune(history, tiers(last=-1), at("2026-07-15 03:00"))) == nights("2025-12-15", "2026-07-15")


def test_hourly_and_daily_do_not_absorb_each_other():
    # 24 hours back to 03:00 of the day before, then one a day: 24 + 5, because two days are among the hours
    history = [backup(f"{night} {hour:02}:00") for night in nights("2026-07-01", "2026-07-15") for hour in range(24)]
    history = [each for each in history if each.id.time <= at("2026-07-15 02:00")]
    kept = times(plan_prune(history, tiers(hourly=24, daily=7), at("2026-07-15 02:30")))
    assert kept[:5] == [f"{night} 23:00" for night in nights("2026-07-09", "2026-07-13")]
    assert kept[5:] == [f"2026-07-14 {hour:02}:00" for hour in range(3, 24)] + [
        f"2026-07-15 {hour:02}:00" for hour in range(3)]


def test_a_weekly_schedule_fills_the_days_with_weeks():
    sundays = [each for each in nightly("2025-01-05", "2026-07-12") if each.id.time.weekday() == 6]
    assert days(plan_prune(sundays, GFS, at("2026-07-15"))) == [
        "2026-04-26", "2026-05-31", "2026-06-07", "2026-06-14", "2026-06-21", "2026-06-28", "2026-07-05", "2026-07-12"]


@pytest.mark.parametrize("gap", [1, 10, 400])
def test_nights_without_a_backup_use_up_no_place(gap):
    before = list(nightly("2023-01-01", "2025-01-31"))
    now = backup("2025-02-01 02:00").id.later(gap * 86400).time
    after = backup(f"{now:%Y-%m-%d %H:%M}")
    plan = plan_prune([*before, after], GFS, now)
    daily = [row.id for row in plan.rows if any(why.startswith("daily") for why in row.reasons)]
    assert daily == [after.id] + [each.id for each in before[:-7:-1]]
    for tier, count in (("weekly", 4), ("monthly", 3)):
        assert sum(why.startswith(tier) for row in plan.rows for why in row.reasons) == count


def test_forty_days_of_failures_and_prunes_change_nothing():
    left = [backup(f"{night} 02:00") for night in FIXTURES["steady"][2]]
    pruned = at("2026-07-15 03:00")
    for later in range(40):
        assert not plan_prune(left, GFS, pruned + timedelta(days=later), last_pruned=pruned).dropped


def test_one_backup_is_kept_and_none_makes_an_empty_plan():
    assert days(plan_prune([backup("2020-01-01")], GFS, at("2026-07-15"))) == ["2020-01-01"]
    assert plan_prune([], GFS, at("2026-07-15")).rows == ()


def test_the_same_backup_twice_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="20260701T020000Z-dump is a candidate twice"):
        plan_prune([backup("2026-07-01 02:00"), backup("2026-07-01 02:00", size=1)], GFS, at("2026-07-15"))


def test_bytes_freed_adds_up_what_goes():
    history = [backup(f"2026-07-0{day}", size=10 ** day) for day in range(1, 7)]
    assert plan_prune(history, tiers(last=4), at("2026-07-15")).bytes_freed(history) == 110
