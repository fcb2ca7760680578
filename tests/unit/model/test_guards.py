# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guards: what forbids acting on a plan, in which words."""
from __future__ import annotations

import pytest

from _restorable.model.guards import Refusal
from _restorable.model.policy import Policy
from _restorable.model.retention import plan_prune
from kit.history import at, backup, nightly, tiers

NOW = at("2026-07-15 03:00")


def refusals(history, policy, **options):
    """Return {code: refusal}."""
    return {each.code: each for each in plan_prune(history, policy, NOW, **options).refusals}


def sized(*sizes, kind="dump"):
    """Return nightly backups of these sizes, the last one newest."""
    return [backup(f"2026-07-{day:02}", kind, size=size) for day, size in enumerate(sizes, 1)]


@pytest.mark.parametrize(("nights", "limit", "refused"), [
    (8, 50, False),                                # 4 of 8 go
    (9, 50, True),                                 # 5 of 9
    (7, 10, False),                                # 3 of 7: so few may always go
    (8, 49, True),
    (400, 100, False),
])
def test_too_many_at_once_are_refused(nights, limit, refused):
    history = list(nightly("2025-01-01", "2026-07-15"))[-nights:]
    plan = plan_prune(history, tiers(last=4, max_delete_percent=limit), NOW)
    assert [each.code for each in plan.refusals] == (["prune.too_many"] if refused else [])
    assert len(plan.dropped) == nights - 4         # the rows are shown all the same


def test_the_refusal_names_the_numbers_and_the_way_out():
    assert refusals(nightly("2026-07-06", "2026-07-15"), tiers(last=3))["prune.too_many"] == Refusal(
        "prune.too_many",
        "7 of 10 backups of dump would be dropped (70 %), the limit is 50 %",
        "Read the plan with `restorable prune --dry-run`; if it is what you want, run `restorable prune --confirm` "
        "once (in a task `confirm: true`, with the playbook `-e restorable_confirm=true`).")


def test_a_large_group_does_not_hide_the_loss_of_a_small_one():
    kept = [backup(f"2026-07-{day:02}", held=True) for day in range(1, 15)]
    found = refusals([*kept, *(backup(f"2026-07-0{day}", "adopted", "app") for day in range(1, 7))], tiers(last=1))
    assert found["prune.too_many"].message.startswith("5 of 6 backups of adopted app ")


@pytest.mark.parametrize(("changed", "told"), [
    ({"daily": 3}, "daily 7 is now 3"), ({"daily": 7, "weekly": -1}, "weekly off is now unlimited"),
    ({"daily": 7, "timezone": "Europe/Berlin"}, "timezone UTC is now Europe/Berlin"),
    ({"daily": 7, "week_ends_on": "saturday"}, "week_ends_on sunday is now saturday"),
    ({"daily": 7, "count_current_period": True}, "count_current_period off is now on"),
    ({"daily": 6, "within": "2d"}, "daily 7 is now 6; within off is now 2d"),
])
def test_a_changed_policy_or_zone_needs_confirmation_and_the_change_is_named(changed, told):
    known, policy = tiers(daily=7), tiers(**changed)
    history = list(nightly("2026-07-01", "2026-07-15"))
    asked = {"known_digest": known.digest(), "known": known.as_dict()}
    found = refusals(history, policy, **asked)["prune.policy_changed"]
    assert found.message == f"the retention policy changed since the last prune: {told}; it keeps {policy}"
    assert "--confirm" in found.hint and "restorable_confirm=true" in found.hint
    unread = refusals(history, policy, known_digest=known.digest())["prune.policy_changed"]
    assert "what it was cannot be read" in unread.message
    assert "prune.policy_changed" not in refusals(history, policy, known_digest=policy.digest(), known=policy.as_dict())
    assert not refusals(history, policy, **asked, confirmed=True)
    assert not refusals(history[-3:], policy, **asked)     # nothing would go


def test_other_floors_and_guards_are_no_changed_policy():
    known = tiers(daily=7).digest()
    assert not refusals([], tiers(daily=7, min_keep=9, min_age="9d", max_delete_percent=9), known_digest=known)


@pytest.mark.parametrize(("sizes", "refused"), [
    ((100, 100, 100, 100, 100, 49), True),
    ((100, 100, 100, 100, 100, 50), False),
    ((100, 100, 100, 49), True),                   # three before it are enough
    ((100, 100, 49), False),                       # two are not
    ((1000, 1000, 100, 100, 100, 100, 100, 49), True),
    ((100, 100, 100, 1, 1, 1, 1), False),          # the fourth small night is the new usual
    ((1, 900, 100, 110, 90, 51), False),           # the median, not the mean
    ((0, 0, 0, 0, 0, 0), False),                   # sizes nobody knows
])
def test_a_newest_backup_far_smaller_than_usual_stops_the_prune(sizes, refused):
    assert ("prune.size_anomaly" in refusals(sized(*sizes), tiers(last=1, max_delete_percent=100))) == refused


def test_a_small_newest_backup_is_named_with_its_sizes():
    found = refusals(sized(1000, 1000, 1000, 1000, 10), tiers(last=4))["prune.size_anomaly"]
    assert found.message == ("the newest backup of dump has 10 bytes, 1 % of the median 1000 of the 4 before it, "
                             "the limit is 50 %")
    assert "restorable drill" in found.hint
    assert not refusals(sized(1000, 1000, 1000, 1000, 10), tiers(last=4, size_anomaly_percent=0))
    assert not refusals(sized(1000, 1000, 1000, 1000, 10), tiers(last=5))      # nothing would go


def test_only_good_backups_of_one_kind_and_group_are_compared():
    dumps, files = sized(100, 100, 100, 100, 100), [backup("2026-07-09", "adopted", "app", size=1)]
    bad = [backup("2026-07-10", size=1, bad=True), backup("2026-07-20", size=1)]
    bases = [*sized(900, 900, 900, 900, kind="base"), backup("2026-07-11", "incr", size=1)]
    found = refusals([*dumps, *files, *bad, *bases], tiers(last=1, max_delete_percent=100))
    assert not found


def test_all_guards_that_fire_are_reported_and_one_confirmation_lifts_them():
    history = sized(100, 100, 100, 100, 100, 10)
    policy = tiers(last=1)
    assert list(refusals(history, policy, known_digest="0" * 16)) == [
        "prune.policy_changed", "prune.too_many", "prune.size_anomaly"]
    assert not refusals(history, policy, known_digest="0" * 16, confirmed=True)


def test_the_default_policy_prunes_a_year_of_nights_only_when_confirmed():
    history = list(nightly("2025-07-15", "2026-07-15"))
    assert list(refusals(history, Policy.of({}))) == ["prune.too_many"]
