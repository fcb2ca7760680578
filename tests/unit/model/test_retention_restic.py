# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""With count_current_period and no floors the rule is restic's: checked against its documented behaviour.

restic forget keeps, for each --keep-<period> n, the newest snapshot of each of the n newest periods that have one
(hours, days, ISO weeks, months, years), and the oldest snapshot of all while a count is not used up
(https://restic.readthedocs.io/en/stable/060_forget.html, internal/data/snapshot_policy.go).
"""
from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from _restorable.model.naming import BackupId
from _restorable.model.policy import COUNTS, Policy
from _restorable.model.retention import Candidate, plan_prune
from kit.history import at, days, nightly, tiers
from kit.strategies import NOW, counts

KEYS = {"last": "{0:%Y-%m-%d %H:%M:%S}", "hourly": "{0:%Y-%m-%d %H}", "daily": "{0:%Y-%m-%d}", "weekly": "{0:%G-W%V}",
        "monthly": "{0:%Y-%m}", "yearly": "{0:%Y}"}


def restic_keeps(moments: list[datetime], wanted: dict[str, int], within: timedelta) -> set[datetime]:
    """Return what `restic forget` would keep, computed with formatted dates instead of day numbers."""
    kept = {moment for moment in moments if max(moments) - moment < within}
    for tier, count in wanted.items():
        newest_of: dict[str, datetime] = {}
        for moment in sorted(moments):
            newest_of[KEYS[tier].format(moment)] = moment
        newest = sorted(newest_of.values(), reverse=True)
        kept.update(newest if count == -1 else newest[:count])
        if moments and count and (count == -1 or len(newest) < count):
            kept.add(min(moments))
    return kept


moments = st.sets(st.one_of(
    st.integers(0, 5 * 86400), st.integers(0, 900 * 24).map(lambda hour: hour * 3600), st.integers(0, 900 * 86400),
).map(lambda ago: NOW - timedelta(seconds=ago)), min_size=1, max_size=60)
withins = st.sampled_from((timedelta(0), timedelta(hours=36), timedelta(days=14)))


def ours(times: set[datetime], wanted: dict[str, int], within: timedelta) -> set[datetime]:
    """Return what we keep under restic's rule."""
    policy = Policy(**wanted, within=within, count_current_period=True, min_keep=0, min_age=timedelta(0))
    return {row.id.time for row in plan_prune([Candidate(BackupId(time, "dump")) for time in times], policy, NOW).kept}


@given(moments, st.fixed_dictionaries(dict.fromkeys(COUNTS, counts)).filter(lambda drawn: any(drawn.values())), withins)
@example({at("2021-01-03"), at("2021-01-01"), at("2020-12-28"), at("2020-12-27")}, {"weekly": 2}, timedelta(0))
def test_finite_counts_keep_exactly_what_restic_keeps(times, wanted, within):
    assert ours(times, wanted, within) == restic_keeps(list(times), wanted, within)


@given(moments, st.fixed_dictionaries(dict.fromkeys(COUNTS, st.one_of(counts, st.just(-1)))).filter(
    lambda drawn: -1 in drawn.values()), withins)
def test_with_an_unlimited_tier_restic_keeps_at_most_the_oldest_more(times, wanted, within):
    mine, theirs = ours(times, wanted, within), restic_keeps(list(times), wanted, within)
    assert mine <= theirs <= mine | {min(times)}


def test_seven_four_three_reach_back_45_days_by_restics_rule_and_76_by_ours():
    history, now = list(nightly("2025-01-01", "2026-07-15")), at("2026-07-15 03:00")
    restic = days(plan_prune(history, tiers(daily=7, weekly=4, monthly=3, count_current_period=True), now))
    assert (len(restic), restic[0]) == (11, "2026-05-31")
    default = days(plan_prune(history, tiers(daily=7, weekly=4, monthly=3), now))
    assert (len(default), default[0]) == (13, "2026-04-30")
