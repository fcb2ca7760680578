# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A schedule runs when cron says, to the minute and over ten years, and an impossible one is refused by its value."""
from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import takewhile

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from _restorable.errors import ConfigError
from _restorable.model.schedule import Schedule

UTC = timezone.utc
BEGIN, TEN_YEARS = datetime(2024, 1, 1, tzinfo=UTC), datetime(2034, 1, 1, tzinfo=UTC)


def runs(schedule, begin=BEGIN, end=TEN_YEARS):
    """Return every run in [begin, end)."""
    found, when = [], begin
    while (when := schedule.next_after(when)) < end:
        found.append(when)
    return found


def oracle(schedule, begin=BEGIN, end=TEN_YEARS):
    """Return the same by the cron library, which keeps Debian's rules."""
    times = (each.astimezone(UTC) for each in CronSim(schedule.text, begin.astimezone(schedule.place)))
    return list(takewhile(lambda each: each < end, times))


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
@pytest.mark.parametrize("text", [
    "0 4 * * sun#1", "0 3 * * *", "30 2 * * *", "0 2 * * mon-sat", "0 3 1 * mon", "15 1,13 */2 * fri",
    "0 4 15 * sun#1,mon", "0 0 29 2 *", "0 0 31 * *", "0 4 * * fri#5", "0 0 1-31 * mon",
    "0 0 * jan-mar,dec 0,7", "5 4 13 * fri",
])
def test_ten_years_are_as_the_cron_library_has_them(text, zone):
    schedule = Schedule.parse(text, timezone=zone)
    found = runs(schedule)
    assert len(found) >= 2
    assert found == oracle(schedule)


def test_the_first_sunday_is_neither_days_1_to_7_nor_any_sunday():
    found = runs(Schedule.parse("0 4 * * sun#1"))
    assert len(found) == 120
    assert all(each.isoweekday() == 7 and each.day <= 7 and each.hour == 4 for each in found)


def test_the_last_friday_is_in_the_last_seven_days():
    found = runs(Schedule.parse("0 4 * * fri#L"))
    assert len(found) == 120
    assert all(each.isoweekday() == 5 and (each + timedelta(days=7)).month != each.month for each in found)


@pytest.mark.parametrize(("text", "count"), [("*/15 * * * *", 100), ("0 */2 * * *", 12), ("7 * * * *", 25)])
@pytest.mark.parametrize("day", [datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 3, 28, 12, tzinfo=UTC)])
def test_every_so_many_minutes_follows_real_time_through_a_change_of_clocks(text, count, day):
    schedule = Schedule.parse(text, timezone="Europe/Berlin")
    end = day + timedelta(minutes=25 * 60)
    found = runs(schedule, day, end)
    assert found == oracle(schedule, day, end)
    assert count - 2 <= len(found) <= count


def test_a_time_in_the_skipped_hour_runs_right_after_it_and_one_in_the_repeated_hour_once():
    schedule = Schedule.parse("30 2 * * *", timezone="Europe/Berlin")
    spring = runs(schedule, datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 30, 12, tzinfo=UTC))
    autumn = runs(schedule, datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 26, 12, tzinfo=UTC))
    assert [each.isoformat()[:16] for each in spring] == ["2026-03-29T01:00", "2026-03-30T00:30"]
    assert [each.isoformat()[:16] for each in autumn] == ["2026-10-25T00:30", "2026-10-26T01:30"]


def test_clocks_that_change_at_midnight_lose_no_run_and_double_none():
    schedule = Schedule.parse("0 0 * * *", timezone="Africa/Cairo")     # 24 April 2026 begins at 01:00
    found = runs(schedule, datetime(2026, 4, 22, tzinfo=UTC), datetime(2026, 4, 26, tzinfo=UTC))
    assert [each.isoformat()[:13] for each in found] == [
        "2026-04-22T22", "2026-04-23T22", "2026-04-24T21", "2026-04-25T21"]


part = st.one_of(st.integers(0, 59).map(str), st.just("*"), st.integers(2, 30).map("*/{}".format),
                 st.tuples(st.integers(0, 30), st.integers(31, 59)).map(lambda pair: f"{pair[0]}-{pair[1]}"))
hour = st.one_of(st.integers(0, 23).map(str), st.just("*"), st.integers(2, 12).map("*/{}".format))
day = st.one_of(st.just("*"), st.integers(1, 28).map(str), st.integers(2, 15).map("*/{}".format), st.just("1-31"))
month = st.sampled_from(["*", "jan", "2-11", "*/3", "mar,jun,sep,dec"])
name = st.sampled_from(["*", "mon", "mon-fri", "sun#1", "sat#3,mon", "0", "7", "*/2", "sun,wed"])
expressions = st.tuples(part, hour, day, month, name).map(" ".join)


@settings(max_examples=150, deadline=None)
@given(expressions, st.datetimes(datetime(2024, 1, 1), datetime(2033, 1, 1)))
def test_the_next_three_runs_of_any_expression_are_the_librarys(text, when):
    schedule, when = Schedule.parse(text), when.replace(tzinfo=UTC)
    found, library = when, CronSim(schedule.text, when)
    for _each in range(3):
        found = schedule.next_after(found)
        assert found == next(library)


@settings(max_examples=100, deadline=None)
@given(expressions)
def test_an_expression_is_read_the_same_when_it_is_written_again(text):
    once = Schedule.parse(text.upper() + " ", timezone="Europe/Berlin")
    assert Schedule.parse(once.text, timezone=once.timezone) == once


@pytest.mark.parametrize(("text", "what", "cure"), [
    ("61 * * * *", "minute 61 is not in 0-59", "0-59"), ("0 0 30 2 *", "no year has such a day", "28"),
    ("0 0 30 feb *", "no year has such a day", "28"), ("0 0 31 2,4,6 *", "no year has such a day", "28"),
    ("0 24 * * *", "hour 24 is not in 0-23", "0-23"), ("0 0 * * sunday", "sunday is not in", "sun-sat"),
    ("0 0 * 13 *", "month 13", "jan-dec"), ("0 0 0 * *", "day of the month 0", "1-31"),
    ("0 3 * *", "4 fields", "five fields"), ("", "0 fields", "five fields"), ("@reboot", "no such word", "@daily"),
    ("0 0 1/5 * *", "a step without a range", "*/5"), ("*/0 * * * *", "step 0", "at least 1"),
    ("0 0 5-1 * *", "ends before it begins", "round"), ("0 0 * * sun#6", "'sun#6'", "sun#L"),
    ("0 0 * * sun#L,sun#5", "sun#L is sun#4 or sun#5", "one"), ("0 0 */2 * sun#L", "step of days", "*"),
    ("a b c d e", "minute a", "0-59"),
])
def test_an_impossible_schedule_is_refused_with_its_value_and_the_cure(text, what, cure):
    with pytest.raises(ConfigError) as found:
        Schedule.parse(text, where="clusters.shop.jobs.dump.schedule")
    assert found.value.message.startswith(f"clusters.shop.jobs.dump.schedule is {text!r}: ")
    assert what in found.value.message
    assert cure in found.value.hint
    assert found.value.code == "schedule.invalid"


def test_a_zone_that_is_none_is_refused():
    with pytest.raises(ConfigError, match="time zone of schedule is 'Berlin'"):
        Schedule.parse("0 3 * * *", timezone="Berlin")


def test_the_last_day_of_february_comes_in_leap_years_only():
    leap = Schedule.parse("0 0 29 2 *")
    assert leap.next_after(datetime(2096, 3, 1, tzinfo=UTC)) == datetime(2104, 2, 29, tzinfo=UTC)
