# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Laws of the retention plan that hold for any history and any policy."""
from __future__ import annotations

import cProfile
from dataclasses import replace
from datetime import timedelta

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from _restorable.model.naming import BackupId
from _restorable.model.policy import Policy
from _restorable.model.retention import LAST_OF_SERIES, NO_TIER, Candidate, plan_prune
from kit.history import at, nightly, rolled
from kit.strategies import NOW, histories, larger, policies

HOUR = timedelta(hours=1)                          # so far ahead a time is still believed
SERIES = (("dump", ""), ("adopted", "app"))


def survivors(history, policy, now=NOW):
    """Return the candidates a plan keeps."""
    staying = {row.id for row in plan_prune(history, policy, now).kept}
    return [each for each in history if each.id in staying]


@given(histories(), policies())
def test_every_candidate_is_kept_or_dropped_exactly_once_with_a_reason(history, policy):
    plan = plan_prune(history, policy, NOW)
    assert sorted(row.id for row in plan.kept + plan.dropped) == sorted(each.id for each in history)
    assert all(row.reasons for row in plan.rows)
    assert [row.id.time for row in plan.rows] == sorted((each.id.time for each in history), reverse=True)


@given(histories(), policies())
def test_a_second_prune_finds_nothing_to_drop_and_the_same_reasons(history, policy):
    plan = plan_prune(history, policy, NOW)
    again = plan_prune(survivors(history, policy), policy, NOW)
    assert again.rows == plan.kept


@given(st.data(), histories(), policies())
def test_a_larger_policy_keeps_a_superset(data, history, policy):
    kept = {row.id for row in plan_prune(history, policy, NOW).kept}
    assert kept <= {row.id for row in plan_prune(history, data.draw(larger(policy)), NOW).kept}


@given(st.data(), histories(), policies())
def test_an_unlimited_tier_keeps_a_superset_but_for_the_oldest_floor(data, history, policy):
    tier = data.draw(st.sampled_from([name for name, count in policy.tiers().items() if count]))
    wanted = {row.id for row in plan_prune(history, policy, NOW).kept if row.reasons != ("floor:oldest",)}
    assert wanted <= {row.id for row in plan_prune(history, replace(policy, **{tier: -1}), NOW).kept}


@given(histories(min_size=1), policies())
def test_no_group_is_ever_emptied(history, policy):
    def group(candidate):
        return (candidate.id.kind == "adopted", candidate.group)

    left = {group(each) for each in survivors(history, policy)}
    for gone in {group(each) for each in history} - left:
        assert gone[0] and (False, ("dump", "")) in left     # files that failed their drills
        assert all(each.bad for each in history if group(each) == gone)


@given(histories(), policies())
def test_held_future_young_and_newest_proven_backups_always_stay(history, policy):
    left = {each.id for each in survivors(history, policy)}
    for each in history:
        if each.held or each.id.time > NOW + HOUR or NOW - each.id.time < policy.min_age:
            assert each.id in left
    proven = [each.id for each in history if each.proven and not each.bad and not each.held
              and each.id.kind == "dump" and not each.id.label and each.id.time <= NOW + HOUR]
    assert not proven or max(proven) in left
    good = [each.id for each in history if each.group == ("base", "") and not each.held and not each.bad
            and each.id.time <= NOW + HOUR]
    assert {*sorted(good)[-policy.min_keep:]} <= left or not policy.min_keep


@given(histories(), policies())
def test_no_backup_goes_unless_a_newer_good_one_stays(history, policy):
    plan = plan_prune(history, policy, NOW)
    good = {each.id for each in history if not each.bad}
    for row in plan.dropped:
        assert any(other.id > row.id for other in plan.kept if other.id in good)


@given(histories(), policies())
def test_bad_backups_and_adopted_files_change_no_dumps_fate(history, policy):
    def of_dumps(candidates):
        return [row for row in plan_prune(candidates, policy, NOW).rows if row.id.kind == "dump" and row.id in good]

    good = {each.id for each in history if not each.bad}
    assert of_dumps(history) == of_dumps([each for each in history if each.id.kind == "dump" and not each.bad])


@given(histories(SERIES, min_size=2), policies())
def test_an_adopted_file_is_judged_as_if_the_clusters_dumps_were_of_its_series(history, policy):
    assume(len({each.id.time for each in history}) == len(history))
    alike = [replace(each, id=BackupId(each.id.time, "adopted", "app")) for each in history]
    together = {row.id: row for row in plan_prune(alike, policy, NOW).rows}
    for row in plan_prune(history, policy, NOW).rows:
        if row.reasons == (LAST_OF_SERIES,):
            assert not together[row.id].keep
        elif row.id.kind == "adopted":
            assert row == together[row.id]
        elif row.reasons == (NO_TIER,):            # no file ever gave way to a dump that goes
            assert not together[BackupId(row.id.time, "adopted", "app")].keep


@given(histories(), policies(floors=False), st.sampled_from((0, 1, 12, 36, 2000)).map(lambda hours: hours * HOUR))
def test_a_group_with_nothing_newer_than_the_last_prune_loses_nothing(history, policy, ago):
    pruned = NOW - ago
    plan = plan_prune(history, policy, NOW, last_pruned=pruned)
    newer = [each for each in history if pruned < each.id.time <= NOW + HOUR and not each.bad]
    for row in plan.dropped:
        group = next(each for each in history if each.id == row.id).group
        assert any(each.group == group or each.group == ("dump", "") for each in newer)
    assert {row.id for row in plan.dropped} <= {row.id for row in plan_prune(history, policy, NOW).dropped}


@settings(max_examples=50)
@given(policies(unlimited=False), st.sets(st.integers(0, 799), max_size=400), st.integers(0, 23))
def test_800_days_of_daily_pruning_lose_no_representative(policy, failed, hour):
    first = at(f"2024-05-01 {hour:02}:00")
    history = [Candidate(BackupId(first + timedelta(days=day), "dump")) for day in range(800) if day not in failed]
    now = history[-1].id.time + timedelta(hours=1)
    never, daily = (plan_prune(each, policy, now) for each in (history, rolled(history, policy)))
    assert daily.kept == never.kept


@settings(max_examples=10)
@given(policies(unlimited=False), st.integers(0, 3600), st.integers(1, 48))
def test_a_fortnight_of_hourly_pruning_loses_no_representative(policy, second, hours):
    policy = replace(policy, hourly=hours)
    history = [Candidate(BackupId(at("2026-03-20") + timedelta(hours=hour, seconds=second), "dump"))
               for hour in range(14 * 24)]         # over Berlin's night of March 29
    now = history[-1].id.time + timedelta(hours=1)
    never, hourly = (plan_prune(each, policy, now) for each in (history, rolled(history, policy)))
    assert hourly.kept == never.kept


def test_the_work_grows_with_the_number_of_candidates_and_no_faster():
    def calls(count):
        history = [Candidate(BackupId(NOW - timedelta(minutes=17 * age), "adopted" if age % 2 else "dump"))
                   for age in range(count)]
        profile = cProfile.Profile()
        profile.runcall(plan_prune, history, Policy.of({"hourly": -1, "weekly": 4, "timezone": "Europe/Berlin"}), NOW)
        return sum(entry.callcount for entry in profile.getstats())

    assert calls(20_000) <= 10.5 * calls(2_000)


def test_the_history_of_the_properties_is_not_trivial():
    plan = plan_prune(nightly("2024-05-01", "2026-07-15"), Policy.of({}), NOW)
    assert 13 <= len(plan.kept) < 20 < len(plan.dropped)
