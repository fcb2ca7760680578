# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which runs a host that was down still owes."""
from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from _restorable.model.missed import GRACE, owed
from _restorable.model.schedule import Schedule

NIGHTLY = {"shop-dump": Schedule.parse("0 3 * * *")}


def at(day, hour, minute=0):
    return datetime(2026, 11, day, hour, minute, tzinfo=timezone.utc)


@pytest.mark.parametrize(("begun", "now", "due"), [
    (at(19, 3), at(20, 2, 59), None),          # not due
    (at(19, 3), at(20, 3), None),              # due, and cron begins it
    (at(19, 3), at(20, 3, 9), None),           # it may be slow
    (at(19, 3), at(20, 3, 10), at(20, 3)),     # nobody began it
    (at(19, 14), at(20, 9), at(20, 3)),        # on schedule since the day before, and never begun
    (at(20, 3), at(20, 9), None),              # begun in time
    (at(15, 3), at(20, 9), at(16, 3)),         # five were missed: one makes up for all
    (at(15, 3), at(20, 2, 55), None),          # the next comes in five minutes, and two would meet
    (at(28, 3), at(20, 9), None),              # a clock that was set back
])
def test_a_run_is_owed_once_it_was_missed_for_good(begun, now, due):
    assert owed(NIGHTLY, {"shop-dump": begun}, now) == ([(due, "shop-dump")] if due else [])


def test_what_was_due_first_comes_first():
    schedules = {"shop-prune": Schedule.parse("30 4 * * *"), "shop-dump": Schedule.parse("0 3 * * *"),
                 "shop-drill": Schedule.parse("0 5 * * sun#1")}
    begun = dict.fromkeys(schedules, at(19, 12))
    assert [name for _due, name in owed(schedules, begun, at(20, 9))] == ["shop-dump", "shop-prune"]


def test_the_hour_that_clocks_skip_is_no_missed_run():
    berlin = {"shop-dump": Schedule.parse("30 2 * * *", timezone="Europe/Berlin")}
    # 28 March 2027: 02:30 does not exist there, and cron begins the run at 03:00, which is 01:00 in UTC
    begun = {"shop-dump": datetime(2027, 3, 28, 1, 0, tzinfo=timezone.utc)}
    assert owed(berlin, begun, datetime(2027, 3, 28, 9, tzinfo=timezone.utc)) == []


@given(st.integers(0, 60 * 24 * 60), st.integers(0, 60 * 24 * 60), st.sampled_from(
    ["0 3 * * *", "*/5 * * * *", "15 */6 * * *", "0 4 * * sun#1", "0 2 * * mon-sat"]))
def test_a_run_that_has_begun_is_owed_no_more(before, later, text):
    schedules = {"job": Schedule.parse(text)}
    begun, now = at(1, 0) + timedelta(minutes=before), at(1, 0) + timedelta(minutes=before + later)
    for due, _name in owed(schedules, {"job": begun}, now):
        assert begun < due <= now - GRACE
        assert owed(schedules, {"job": now}, now) == []
