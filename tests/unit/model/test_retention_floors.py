# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Floors, holds, known-bad backups, groups and series, and the rule that time alone never deletes."""
from __future__ import annotations

from dataclasses import replace

import pytest

from _restorable.model.retention import plan_prune
from kit.history import at, backup, days, fates, nightly, nights, tiers

NOW = at("2026-07-15 03:00")


def test_the_newest_backup_is_never_dropped():
    plan = plan_prune([backup("2020-02-02"), backup("2020-02-03")], tiers(monthly=1), at("2020-02-04"))
    assert "floor:newest" in plan.rows[0].reasons


def test_the_newest_proven_backup_is_never_dropped():
    proven = [backup("2026-05-01", proven=True), backup("2026-05-02", proven=True)]
    history = [*proven, *nightly("2026-05-03", "2026-07-15")]
    plan = plan_prune(history, tiers(daily=2), NOW)
    assert days(plan) == ["2026-05-02", "2026-07-14", "2026-07-15"]
    assert plan.kept[-1].reasons == ("floor:newest_proven",)


def test_a_proven_backup_that_later_failed_is_no_floor():
    history = [backup("2026-05-01", proven=True), backup("2026-05-02", proven=True, bad=True), backup("2026-07-15")]
    assert days(plan_prune(history, tiers(last=1), NOW)) == ["2026-05-01", "2026-07-15"]


def test_min_keep_counts_good_backups():
    history = [*nightly("2026-07-01", "2026-07-09"), backup("2026-07-10", bad=True), backup("2026-07-11")]
    plan = plan_prune(history, tiers(last=1, min_keep=3), NOW)
    assert days(plan) == ["2026-07-08", "2026-07-09", "2026-07-11"]
    assert plan.kept[-1].reasons == ("floor:min_keep",)


@pytest.mark.parametrize(("min_age", "kept"), [
    ("1h", ["2026-07-15"]),                        # an hour old is old enough
    ("3601s", ["2026-07-15"]),
    ("25h", ["2026-07-15"]),
    ("26h", ["2026-07-14", "2026-07-15"]),
    ("3d", nights("2026-07-13", "2026-07-15")),
])
def test_nothing_younger_than_min_age_is_dropped(min_age, kept):
    assert days(plan_prune(nightly("2026-07-01", "2026-07-15"), tiers(last=1, min_age=min_age), NOW)) == kept


def test_the_oldest_stays_until_every_tier_is_full():
    policy = tiers(daily=2, monthly=2)
    filling = plan_prune(nightly("2026-05-10", "2026-06-15"), policy, at("2026-06-15 03:00"))
    assert days(filling) == ["2026-05-10", "2026-05-31", "2026-06-14", "2026-06-15"]
    assert filling.kept[-1].reasons == ("floor:oldest",)
    full = plan_prune(nightly("2026-05-10", "2026-07-15"), policy, NOW)
    assert days(full) == ["2026-05-31", "2026-06-30", "2026-07-14", "2026-07-15"]


def test_an_unlimited_tier_is_never_waited_for():
    plan = plan_prune(nightly("2026-05-10", "2026-07-15"), tiers(daily=2, monthly=-1), NOW)
    assert days(plan) == ["2026-05-31", "2026-06-30", "2026-07-14", "2026-07-15"]


def test_held_backups_stay_and_are_counted_in_no_tier():
    held = {"2026-05-31", "2026-07-12", "2026-07-13", "2026-07-15"}
    history = [replace(each, held=f"{each.id.time:%Y-%m-%d}" in held) for each in nightly("2026-05-01", "2026-07-15")]
    plan = plan_prune(history, tiers(last=1, daily=2, weekly=2, monthly=2, min_keep=2), NOW)
    assert {f"{row.id.time:%m-%d}": row.reasons for row in plan.kept} == {
        "07-15": ("held",),
        "07-14": ("last#1", "daily#1", "floor:newest", "floor:min_keep"),
        "07-13": ("held",),
        "07-12": ("held",),
        "07-11": ("daily#2", "weekly#1", "floor:min_keep"),
        "07-05": ("weekly#2",),
        "06-30": ("monthly#1",),
        "05-31": ("held",),
        "05-30": ("monthly#2",),
    }


def test_a_held_backup_that_is_bad_or_in_the_future_stays_too():
    held = [backup("2026-07-01", bad=True, held=True), backup("2027-01-01", held=True)]
    plan = plan_prune([*held, backup("2026-07-15")], tiers(last=1), NOW)
    assert [row.reasons for row in plan.rows] == [("held", "future-dated"), ("last#1", "floor:newest"), ("held",)]


@pytest.mark.parametrize(("bad", "good", "fate"), [
    ("2026-07-13", "2026-07-14", "drop: known bad"),
    ("2026-07-14 04:00", "2026-07-14 05:00", "keep: known bad, but younger than min_age"),
    ("2026-07-13", "2026-07-12", "keep: known bad, but no newer good backup"),
    ("2026-07-13", None, "keep: known bad, but no newer good backup"),
    ("2026-07-13", "2026-08-14", "keep: known bad, but no newer good backup"),       # a date nobody can believe
    ("2026-07-20", "2026-07-14", "keep: future-dated"),
])
def test_a_known_bad_backup_goes_once_a_newer_good_one_is_there(bad, good, fate):
    history = [backup(bad, bad=True)] + ([backup(good)] if good else [])
    plan = plan_prune(history, tiers(daily=9, min_age="24h"), NOW)
    assert fates(plan)[str(history[0].id)] == fate


def test_a_known_bad_newest_neither_stands_for_a_period_nor_is_the_newest():
    bad = [backup("2026-07-14 20:00", bad=True), backup("2026-07-15", bad=True)]
    plan = plan_prune([*nightly("2026-07-01", "2026-07-14"), *bad], tiers(daily=2), NOW)
    assert days(plan) == ["2026-07-13", "2026-07-14", "2026-07-14", "2026-07-15"]
    assert plan.rows[2].reasons == ("daily#1", "floor:newest")


def test_nothing_goes_if_everything_is_bad():
    history = [backup(day, bad=True) for day in nights("2026-01-01", "2026-07-15")]
    assert not plan_prune(history, tiers(last=1), NOW).dropped


def test_sets_of_another_selection_never_compete():
    hourly = [backup(f"2026-07-15 {hour:02}:30", label="0badcafe") for hour in range(3)]
    base = [backup("2026-07-12", "base"), backup("2026-07-13", "incr")]
    plan = plan_prune([*hourly, *base, *nightly("2026-07-10", "2026-07-12")], tiers(last=1), NOW)
    assert [str(row.id) for row in plan.kept] == [
        "20260715T023000Z-dump-0badcafe", "20260713T000000Z-incr", "20260712T020000Z-dump"]


def test_series_whose_names_begin_alike_never_compete():
    labels = ("app", "app-archive", "app_prod")
    history = [backup(f"2026-07-0{day} 0{number}:00", "adopted", label)
               for day in (1, 2) for number, label in enumerate(labels)]
    plan = plan_prune(history, tiers(last=1), NOW)
    assert [str(row.id) for row in plan.kept] == [
        "20260702T020000Z-adopted-app_prod", "20260702T010000Z-adopted-app-archive",
        "20260702T000000Z-adopted-app"]
    assert len(plan.dropped) == 3


def test_two_sets_of_one_second_each_have_a_fate():
    second = "2026-07-15 02:00"
    history = [backup(second), backup(second, label="0badcafe"), backup(second, "adopted"), backup(second, "base")]
    plan = plan_prune(history, tiers(last=1), NOW)
    assert fates(plan) == {
        "20260715T020000Z-dump-0badcafe": "keep: last#1, floor:newest",
        "20260715T020000Z-dump": "keep: last#1, floor:newest",
        "20260715T020000Z-base": "keep: last#1, floor:newest",
        "20260715T020000Z-adopted": "keep: floor:newest_of_series",    # the dump of that second has the greater name
    }


def test_dumps_of_the_whole_cluster_take_over_from_an_adopted_series():
    adopted = [replace(each, id=replace(each.id, kind="adopted", label="app"))
               for each in nightly("2026-01-01", "2026-07-09", hour=1)]
    dumps = list(nightly("2026-07-09", "2026-07-15"))
    plan = plan_prune([*adopted, *dumps], tiers(daily=7, monthly=2), NOW)
    assert [f"{row.id.time:%m-%d} {row.id.kind}" for row in plan.kept] == [
        *(f"07-{day:02} dump" for day in range(15, 8, -1)), "07-09 adopted", "06-30 adopted", "05-31 adopted"]


def test_the_last_file_of_an_adopted_series_outlives_all_dumps():
    adopted = [backup(f"2026-0{month}-01", "adopted", "gone_from_the_cluster") for month in (1, 2, 3)]
    plan = plan_prune([*adopted, *nightly("2026-01-01", "2026-07-15")], tiers(daily=7, monthly=3), NOW)
    assert [(str(row.id), row.reasons) for row in plan.kept if row.id.kind == "adopted"] == [
        ("20260301T000000Z-adopted-gone_from_the_cluster", ("floor:newest_of_series",))]


def test_dumps_of_a_part_take_over_from_nobody():
    adopted = [backup("2026-07-01", "adopted", "app"), backup("2026-07-02", "adopted", "app")]
    plan = plan_prune([*adopted, backup("2026-07-03", label="app"), backup("2026-07-04", label="0badcafe")],
                      tiers(last=1), NOW)
    assert [str(row.id) for row in plan.dropped] == ["20260701T000000Z-adopted-app"]


def test_an_adopted_file_never_displaces_a_dump():
    dumps = list(nightly("2026-07-01", "2026-07-10"))
    later = [replace(each, id=replace(each.id.later(3600), kind="adopted")) for each in dumps]
    alone = plan_prune(dumps, tiers(daily=3), NOW)
    beside = plan_prune([*dumps, *later], tiers(daily=3), NOW)
    assert [row for row in beside.rows if row.id.kind == "dump"] == list(alone.rows)
    assert days(alone) == nights("2026-07-08", "2026-07-10")


def test_time_alone_never_deletes():
    history = list(nightly("2026-07-01", "2026-07-10"))
    policy = tiers(daily=3)
    plan = plan_prune(history, policy, NOW, last_pruned=at("2026-07-10 02:00"))
    assert not plan.dropped
    assert plan.rows[-1].reasons == ("no newer backup since the last prune",)
    assert plan.rows[0].reasons == ("daily#1", "floor:newest")
    assert len(plan_prune(history, policy, NOW, last_pruned=at("2026-07-10 01:59")).dropped) == 7


@pytest.mark.parametrize(("newer", "dropped"), [
    (backup("2026-07-14"), 8),
    (backup("2026-07-14", held=True), 7),
    (backup("2026-07-14", bad=True), 0),
    (backup("2026-07-20"), 0),                                        # future-dated
    (backup("2026-07-14", label="0badcafe"), 0),                      # another selection
])
def test_only_a_newer_success_of_the_same_group_lets_others_go(newer, dropped):
    plan = plan_prune([*nightly("2026-07-01", "2026-07-10"), newer], tiers(daily=3), NOW, last_pruned=at("2026-07-12"))
    assert len(plan.dropped) == dropped


def test_confirming_lifts_guards_but_no_floor():
    history = [backup("2026-01-01", proven=True), *nightly("2026-06-01", "2026-07-15")]
    policy = tiers(daily=1, min_keep=3)
    plan = plan_prune(history, policy, NOW, known_digest="0" * 16, confirmed=True)
    assert (days(plan), plan.refusals) == (["2026-01-01", *nights("2026-07-13", "2026-07-15")], ())
    waiting = plan_prune(history, policy, NOW, confirmed=True, last_pruned=NOW)
    assert not waiting.dropped
