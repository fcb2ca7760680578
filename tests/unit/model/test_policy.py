# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a retention policy: defaults, strictness, digest."""
from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given

from _restorable.errors import ConfigError
from _restorable.model.policy import Policy
from kit.strategies import policies


def test_without_any_tier_the_default_is_seven_days_four_weeks_three_months():
    policy = Policy.of({})
    assert policy.tiers() == {"last": 0, "hourly": 0, "daily": 7, "weekly": 4, "monthly": 3, "yearly": 0}
    assert (policy.min_keep, policy.min_age) == (3, timedelta(hours=24))
    assert (policy.max_delete_percent, policy.size_anomaly_percent) == (50, 50)
    assert (policy.timezone, policy.week_ends_on, policy.count_current_period) == ("UTC", "sunday", False)
    assert Policy.of({"timezone": "Europe/Berlin", "daily": None}).tiers() == policy.tiers()


@pytest.mark.parametrize("settings", [{"daily": 3}, {"within": "14d"}, {"yearly": -1}, {"daily": 0, "last": 2}])
def test_naming_one_tier_turns_the_others_off(settings):
    policy = Policy.of(settings)
    assert {tier: count for tier, count in policy.tiers().items() if count} == {
        tier: count for tier, count in settings.items() if count and tier != "within"}


@pytest.mark.parametrize(("text", "span"), [
    ("90s", timedelta(seconds=90)), ("90m", timedelta(minutes=90)), ("36h", timedelta(hours=36)),
    ("14d", timedelta(days=14)), ("2w", timedelta(days=14)), ("1.5h", timedelta(minutes=90)),
    ("1.5d", timedelta(hours=36)),
])
def test_durations_are_texts_with_a_unit(text, span):
    policy = Policy.of({"within": text, "min_age": text})
    assert (policy.within, policy.min_age) == (span, span)


@pytest.mark.parametrize("nothing", [0, "0", "0h"])
def test_a_duration_of_zero_needs_no_unit(nothing):
    policy = Policy.of({"daily": 1, "within": nothing, "min_age": nothing})
    assert (policy.within, policy.min_age) == (timedelta(0), timedelta(0))


@pytest.mark.parametrize(("settings", "message", "hint"), [
    ({"dayly": 7}, "shop.retention.dayly is not a known setting", "Did you mean daily?"),
    ({"daily": "7"}, "shop.retention.daily is '7'", "a whole number"),
    ({"daily": 7.0}, "shop.retention.daily is 7.0", "a whole number"),
    ({"daily": True}, "shop.retention.daily is True", "a whole number"),
    ({"daily": -2}, "shop.retention.daily is -2", "-1 to keep every one"),
    ({"daily": 0, "weekly": 0, "monthly": 0}, "shop.retention has every tier off and would keep nothing", "daily: 7"),
    ({"daily": 0}, "shop.retention has every tier off and would keep nothing", "at least one of last, hourly"),
    ({"within": "0d"}, "shop.retention has every tier off and would keep nothing", "within"),
    ({"within": 14}, "shop.retention.within is 14", "a duration with its unit, such as 90m, 36h, 14d or 2w"),
    ({"within": "14"}, "shop.retention.within is '14'", "a duration with its unit"),
    ({"within": True}, "shop.retention.within is True", "a duration with its unit"),
    ({"within": "14 days"}, "shop.retention.within is '14 days'", "90s, 15m, 24h, 7d or 2w"),
    ({"within": "-1d"}, "shop.retention.within is '-1d'", "duration"),
    ({"within": ""}, "shop.retention.within is ''", "duration"),
    ({"within": ["2d"]}, "shop.retention.within is ['2d']", "duration"),
    ({"within": "99999999999w"}, "shop.retention.within is '99999999999w'", "hundred years"),
    ({"min_age": 24}, "shop.retention.min_age is 24", "a duration with its unit"),
    ({"min_keep": -1}, "shop.retention.min_keep is -1", "at least 0"),
    ({"min_keep": False}, "shop.retention.min_keep is False", "a whole number"),
    ({"max_delete_percent": 101}, "shop.retention.max_delete_percent is 101", "at most 100"),
    ({"size_anomaly_percent": -1}, "shop.retention.size_anomaly_percent is -1", "at least 0"),
    ({"timezone": "Mars/Olympus"}, "shop.retention.timezone is 'Mars/Olympus', which is no time zone", "Europe/Berlin"),
    ({"timezone": "Europe"}, "shop.retention.timezone is 'Europe'", "IANA"),
    ({"timezone": "../etc/passwd"}, "shop.retention.timezone is '../etc/passwd'", "IANA"),
    ({"timezone": ""}, "shop.retention.timezone is ''", "IANA"),
    ({"timezone": "localtime"}, "shop.retention.timezone is 'localtime'", "IANA"),
    ({"timezone": 1}, "shop.retention.timezone is 1", "a text"),
    ({"week_ends_on": "sun"}, "shop.retention.week_ends_on is 'sun'", "monday, tuesday"),
    ({"week_ends_on": 7}, "shop.retention.week_ends_on is 7", "a text"),
    ({"count_current_period": "yes"}, "shop.retention.count_current_period is 'yes'", "true or false"),
    (["daily"], "shop.retention is ['daily'], not a mapping", "keys and values"),
    ("daily", "shop.retention is 'daily', not a mapping", "keys and values"),
])
def test_a_wrong_setting_is_named_with_its_value_and_a_cure(settings, message, hint):
    with pytest.raises(ConfigError) as caught:
        Policy.of(settings, "shop.retention")
    assert caught.value.message.startswith(message)
    assert hint in caught.value.hint


def test_a_policy_that_keeps_nothing_cannot_exist():
    with pytest.raises(ConfigError, match="every tier off"):
        Policy()
    with pytest.raises(ConfigError, match="every tier off"):
        replace(Policy(daily=1), daily=0)


def test_the_weekday_may_be_capitalised():
    assert Policy.of({"week_ends_on": "Saturday"}).week_ends_on == "saturday"


@given(policies())
def test_a_policy_reads_back_from_its_own_words(policy):
    again = Policy.of(policy.as_dict())
    assert (again, again.digest()) == (policy, policy.digest())


@pytest.mark.parametrize(("written", "spelt"), [
    ("14d", "2w"), ("48h", "2d"), ("36h", "36h"), ("120m", "2h"), ("90s", "90s"), (0, "0s"),
])
def test_a_duration_is_spelt_in_its_largest_unit_so_that_equal_policies_have_one_digest(written, spelt):
    assert Policy.of({"daily": 1, "within": written}).as_dict()["within"] == spelt


def test_the_digest_tells_what_selects_and_nothing_else():
    policy = Policy.of({})
    assert policy.digest() == "266e9c486148f7c5"             # stored beside old plans: it must never change by itself
    same = replace(policy, min_keep=9, min_age=timedelta(0), max_delete_percent=1, size_anomaly_percent=1)
    assert same.digest() == policy.digest()
    others = [replace(policy, **change) for change in (
        {"last": 1}, {"hourly": 1}, {"daily": 6}, {"weekly": -1}, {"monthly": 4}, {"yearly": 1},
        {"within": timedelta(days=1)}, {"timezone": "Europe/Berlin"}, {"week_ends_on": "monday"},
        {"count_current_period": True})]
    assert len({each.digest() for each in [policy, *others]}) == 11


def test_a_policy_reads_as_a_sentence():
    assert str(Policy.of({})) == "daily 7, weekly 4, monthly 3 (UTC, weeks end on sunday)"
    assert str(Policy.of({"yearly": -1, "within": "36h", "count_current_period": True})) == (
        "yearly unlimited, within 36h (UTC, weeks end on sunday, the running period counts)")
