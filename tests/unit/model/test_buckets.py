# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calendar of retention against the standard library's own."""
from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from _restorable.errors import ConfigError
from _restorable.model.buckets import PERIODS, WEEKDAYS, bucketing, local, zone
from kit.history import at
from kit.strategies import ZONES

moments = st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1), timezones=st.just(timezone.utc))


@given(moments, st.sampled_from(ZONES))
def test_days_months_years_and_iso_weeks_agree_with_the_standard_library(moment, name):
    here = local(moment, zone(name))
    assert bucketing("daily")(here) == here.date().toordinal()
    assert divmod(bucketing("monthly")(here) - 1, 12) == (here.year, here.month - 1)
    assert bucketing("yearly")(here) == here.year
    sunday = datetime.fromordinal(bucketing("weekly")(here))
    assert (sunday.isoweekday(), sunday.isocalendar()[:2]) == (7, here.isocalendar()[:2])


@given(moments, st.sampled_from(WEEKDAYS))
def test_a_week_is_numbered_by_the_next_day_of_its_name(moment, name):
    last = datetime.fromordinal(bucketing("weekly", name)(moment))
    assert last.strftime("%A").lower() == name
    assert timedelta(0) <= last.date() - moment.date() < timedelta(days=7)


@given(moments, st.sampled_from(ZONES))
def test_an_hour_is_numbered_by_the_second_it_began(moment, name):
    here = local(moment, zone(name))
    began = here.replace(minute=0, second=0, microsecond=0)
    # Lord Howe's clock jumps half an hour ahead, from 2:00 to 2:30: that hour has no beginning
    assume(local(began.astimezone(timezone.utc), zone(name)).replace(tzinfo=None) == began.replace(tzinfo=None))
    assert bucketing("hourly")(here) == began.timestamp() + datetime(1970, 1, 1).toordinal() * 86400


def test_an_hour_whose_beginning_a_clock_skipped_comes_between_its_neighbours():
    place = zone("Australia/Lord_Howe")
    numbers = [bucketing("hourly")(local(datetime(2048, 10, 3, *clock, tzinfo=timezone.utc), place))
               for clock in ((15, 29), (15, 30), (15, 59), (16, 0))]     # 1:59, 2:30, 2:59, 3:00
    assert numbers[0] < numbers[1] == numbers[2] < numbers[3]


@given(moments, moments, st.sampled_from(ZONES), st.sampled_from(PERIODS))
def test_later_periods_have_greater_numbers(one, other, name, period):
    first, second = sorted((one, other))
    if second - first > timedelta(hours=1) or name not in ("America/St_Johns", "Australia/Lord_Howe"):
        assert bucketing(period)(local(first, zone(name))) <= bucketing(period)(local(second, zone(name)))


def test_a_midnight_that_comes_twice_takes_the_later_day_back():
    # St. John's, 2010-11-07: 00:01 became 23:01 of November 6, and one minute of the 7th was already over
    newfoundland = zone("America/St_Johns")
    before, after = local(at("2010-11-07 02:30:30"), newfoundland), local(at("2010-11-07 02:31:00"), newfoundland)
    assert (f"{before:%d %H:%M}", f"{after:%d %H:%M}") == ("07 00:00", "06 23:01")
    assert bucketing("daily")(before) == bucketing("daily")(after) + 1


def test_utc_needs_no_time_zone_data():
    assert zone("UTC") is timezone.utc
    assert zone("Europe/Berlin") == ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize("name", ["Europe/Atlantis", "Europe", "/etc/localtime", "", "localtime", "\0"])
def test_an_unknown_zone_is_named_with_its_place(name):
    with pytest.raises(ConfigError, match=r"^retention\.timezone is "):
        zone(name, "retention.timezone")


@pytest.mark.parametrize(("name", "hint"), [
    ("Europe/Berln", "Did you mean Europe/Berlin?"), ("america/new_york", "Did you mean America/New_York?"),
    ("Europe", "Write an IANA name"), ("", "Write an IANA name")])
def test_a_zone_that_nobody_knows_is_refused_with_the_one_that_is_meant(name, hint):
    with pytest.raises(ConfigError, match="is no time zone") as caught:
        zone(name)
    assert caught.value.hint.startswith(hint) and repr(name) in caught.value.message
