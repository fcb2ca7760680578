# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clocks and calendars: zones, summer time, weeks, month ends, wrong clocks."""
from __future__ import annotations

import pytest

from _restorable.model.retention import plan_prune
from kit.history import at, backup, backups, days, fates, nightly, tiers, times


def test_a_clock_set_forward_makes_neither_a_lost_nor_a_double_period():
    # Berlin, 2026-03-29: 02:00 becomes 03:00, so a backup of "02:30" runs at 03:30
    history = backups("""
        2026-03-28 01:30
        2026-03-28 22:30
        2026-03-28 23:30
        2026-03-29 00:30
        2026-03-29 01:30
        2026-03-29 21:30
        2026-03-29 22:30""")                       # 02:30, 23:30 | 00:30, 01:30, 03:30, 23:30 | 00:30
    berlin = {"timezone": "Europe/Berlin"}
    now = at("2026-03-30 12:00")
    assert times(plan_prune(history, tiers(daily=3, **berlin), now)) == [
        "2026-03-28 22:30", "2026-03-29 21:30", "2026-03-29 22:30"]
    assert times(plan_prune(history, tiers(hourly=4, **berlin), now)) == [
        "2026-03-29 00:30", "2026-03-29 01:30", "2026-03-29 21:30", "2026-03-29 22:30"]


def test_a_clock_set_back_has_two_hours_of_one_name_and_one_day():
    # Berlin, 2026-10-25: 03:00 becomes 02:00, so there are two backups of "02:30"
    history = backups("""
        2026-10-24 23:30
        2026-10-25 00:30
        2026-10-25 01:30
        2026-10-25 02:30""")                       # 01:30, 02:30, again 02:30, 03:30
    berlin = {"timezone": "Europe/Berlin"}
    now = at("2026-10-25 03:00")
    assert times(plan_prune(history, tiers(hourly=3, **berlin), now)) == [
        "2026-10-25 00:30", "2026-10-25 01:30", "2026-10-25 02:30"]
    assert times(plan_prune(history[:3], tiers(daily=1, **berlin), now)) == ["2026-10-25 01:30"]


@pytest.mark.parametrize(("zone", "kept"), [
    ("UTC", ["2026-06-30 10:30", "2026-07-01 11:30"]),
    ("Pacific/Tongatapu", ["2026-07-01 10:30", "2026-07-01 11:30"]),   # +13: July 1 23:30, July 2 00:30
    ("Pacific/Pago_Pago", ["2026-07-01 10:30", "2026-07-01 11:30"]),   # -11: June 30 23:30, July 1 00:30
    ("Asia/Kathmandu", ["2026-06-30 10:30", "2026-07-01 11:30"]),      # +5:45
])
def test_the_day_ends_at_the_policys_midnight(zone, kept):
    history = backups("""
        2026-06-30 10:30
        2026-07-01 10:30
        2026-07-01 11:30""")
    assert times(plan_prune(history, tiers(daily=2, timezone=zone), at("2026-07-03"))) == kept


@pytest.mark.parametrize(("zone", "kept"), [
    ("UTC", ["2026-06-30 10:30", "2026-07-01 11:30"]),
    ("Pacific/Pago_Pago", ["2026-07-01 10:30", "2026-07-01 11:30"]),
])
def test_the_month_ends_at_the_policys_midnight(zone, kept):
    history = backups("""
        2026-06-30 10:30
        2026-07-01 10:30
        2026-07-01 11:30""")
    assert times(plan_prune(history, tiers(monthly=1, timezone=zone), at("2026-07-03"))) == kept


@pytest.mark.parametrize(("week_end", "kept"), [
    ("monday", ["2026-07-06", "2026-07-13"]),
    ("tuesday", ["2026-07-07", "2026-07-14"]),
    ("wednesday", ["2026-07-01", "2026-07-08"]),                       # today is Wednesday: that week still runs
    ("thursday", ["2026-07-02", "2026-07-09"]),
    ("friday", ["2026-07-03", "2026-07-10"]),
    ("saturday", ["2026-07-04", "2026-07-11"]),
    ("sunday", ["2026-07-05", "2026-07-12"]),
])
def test_a_week_ends_on_the_day_the_policy_says(week_end, kept):
    policy = tiers(weekly=2, week_ends_on=week_end)
    plan = plan_prune(nightly("2026-05-01", "2026-07-15"), policy, at("2026-07-15 12:00"))
    assert days(plan) == [*kept, "2026-07-15"]


@pytest.mark.parametrize(("nights", "kept", "why"), [
    ("2020-12-27 2020-12-28 2020-12-31 2021-01-01 2021-01-02 2021-01-05", "2020-12-27 2021-01-02", "week 53 goes on"),
    ("2024-12-29 2024-12-30 2024-12-31 2025-01-05 2025-01-07", "2024-12-29 2025-01-05", "week 1 began in December"),
    ("2021-12-26 2022-01-01 2022-01-02 2022-01-04", "2021-12-26 2022-01-02", "January 1 is in week 52"),
])
def test_the_turn_of_the_year_splits_no_week(nights, kept, why):
    history = [backup(f"{night} 02:00") for night in nights.split()]
    assert days(plan_prune(history, tiers(weekly=2), history[-1].id.later(60).time))[:-1] == kept.split(), why


def test_months_end_on_their_own_last_day():
    plan = plan_prune(nightly("2027-11-01", "2029-03-15"), tiers(monthly=16), at("2029-03-15 03:00"))
    assert days(plan)[:-1] == [
        "2027-11-30", "2027-12-31", "2028-01-31", "2028-02-29", "2028-03-31", "2028-04-30", "2028-05-31", "2028-06-30",
        "2028-07-31", "2028-08-31", "2028-09-30", "2028-10-31", "2028-11-30", "2028-12-31", "2029-01-31", "2029-02-28"]


def test_a_backup_of_february_29_stands_for_its_day_month_and_year():
    plan = plan_prune([backup("2028-02-28"), backup("2028-02-29"), backup("2029-03-01")],
                      tiers(daily=2, monthly=1, yearly=1), at("2029-03-01 01:00"))
    assert fates(plan) == {
        "20290301T000000Z-dump": "keep: daily#1, floor:newest",
        "20280229T000000Z-dump": "keep: daily#2, monthly#1, yearly#1",
        "20280228T000000Z-dump": "drop: no tier wants it",
    }


def test_a_future_dated_backup_is_kept_and_takes_nobodys_place():
    history = [backup("2026-07-14 02:00"), backup("2026-07-15 02:00"), backup("2027-01-01 00:00")]
    assert fates(plan_prune(history, tiers(daily=1), at("2026-07-15 03:00"))) == {
        "20270101T000000Z-dump": "keep: future-dated",
        "20260715T020000Z-dump": "keep: daily#1, floor:newest",
        "20260714T020000Z-dump": "drop: no tier wants it",
    }


@pytest.mark.parametrize(("taken", "fate"), [
    ("2026-07-15 04:00", "keep: daily#1, floor:newest, floor:min_age"),    # one hour ahead: a clock may be that wrong
    ("2026-07-15 04:01", "keep: future-dated"),
])
def test_an_hour_ahead_is_not_yet_the_future(taken, fate):
    plan = plan_prune([backup(taken)], tiers(daily=1, min_age="24h"), at("2026-07-15 03:00"))
    assert list(fates(plan).values()) == [fate]


def test_a_clock_set_back_by_days_loses_nothing():
    # ten nights were dated a month ahead, then the clock was put right
    history = [*nightly("2026-07-01", "2026-07-05"), *nightly("2026-08-06", "2026-08-15"), backup("2026-07-16 02:00")]
    plan = plan_prune(history, tiers(daily=3), at("2026-07-16 03:00"))
    assert days(plan)[:3] == ["2026-07-04", "2026-07-05", "2026-07-16"]
    assert sum(row.reasons == ("future-dated",) for row in plan.kept) == 10


def test_a_clock_far_ahead_empties_no_tier():
    plan = plan_prune(nightly("2026-01-01", "2026-07-15"), tiers(daily=7, weekly=4, monthly=3), at("2040-01-01"))
    ranks = [why for row in plan.kept for why in row.reasons]
    assert {f"daily#{rank}" for rank in range(1, 8)} | {f"weekly#{rank}" for rank in range(1, 5)} | {
        "monthly#1", "monthly#2", "monthly#3"} == set(ranks) - {"floor:newest"}
    assert days(plan)[0] == "2026-05-31"           # the month of the newest has ended by this clock


def test_the_first_day_of_the_calendar_is_a_day_in_every_zone():
    history = [backup("0001-01-01 00:00"), backup("2026-07-15 02:00")]
    assert len(plan_prune(history, tiers(hourly=2, timezone="America/New_York"), at("2026-07-15 03:00")).kept) == 2
