# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which WAL is kept, and why."""
from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from _restorable.model.lsn import Lsn
from _restorable.model.timeline import Ancestor
from _restorable.model.wal import Segment
from _restorable.model.wal_naming import StoredWal, stored_wal, wal_key
from _restorable.model.wal_retention import BaseSpan, plan_wal, to_drop, wal_keep

MIB = 2**20
NOW = datetime(2026, 11, 20, 3, 0, tzinfo=timezone.utc)
SHA = "ab" * 32


def base(days, first, last, timeline=1):
    """Return a base of so many days ago that needs the segments first to last."""
    return BaseSpan(f"{days}d", NOW - timedelta(days=days), timeline, Lsn(first * MIB + 40), Lsn((last + 1) * MIB))


def stored(timeline, numbers):
    keys = [wal_key("shop", Segment(timeline, number, MIB).name, SHA, ".zst") for number in numbers]
    return list(stored_wal((key, 10) for key in keys))


def kept(keep, timeline, numbers):
    return [number for number in numbers if keep.reason(timeline, number)]


bases = st.lists(st.builds(lambda days, first, length, timeline: base(days, first, first + length, timeline),
                           st.integers(0, 60), st.integers(0, 60), st.integers(0, 5), st.integers(1, 3)), max_size=6)
windows = st.one_of(st.none(), st.integers(1, 40).map(lambda days: timedelta(days=days)))


def test_without_a_base_everything_stays():
    keep = wal_keep((), timedelta(days=7), NOW, MIB)
    assert keep.reason(1, 0) == "no base backup yet"
    assert not list(to_drop(keep, stored(1, range(9))))


def test_the_window_begins_at_the_newest_base_that_is_older_than_it():
    found = wal_keep([base(21, 0, 1), base(14, 10, 11), base(8, 20, 21), base(1, 30, 31)], timedelta(days=7), NOW, MIB)
    assert kept(found, 1, range(40)) == [0, 1, 10, 11, *range(20, 40)]
    assert found.reason(1, 10) == "base 14d" and found.reason(1, 25) == "recovery window from 8d"


def test_a_window_longer_than_the_history_begins_at_the_oldest_base():
    assert kept(wal_keep([base(3, 5, 6), base(1, 9, 9)], timedelta(days=7), NOW, MIB), 1, range(20)) == \
        list(range(5, 20))


def test_without_a_window_everything_since_the_oldest_base_stays():
    assert kept(wal_keep([base(30, 5, 6), base(1, 9, 9)], None, NOW, MIB), 1, range(20)) == list(range(5, 20))


def test_a_backup_that_ends_on_a_boundary_does_not_keep_the_next_segment():
    found = wal_keep([base(20, 5, 6), base(10, 9, 9)], timedelta(days=7), NOW, MIB)
    assert kept(found, 1, range(9)) == [5, 6]


def test_a_base_on_a_younger_timeline_that_branched_off_earlier_keeps_its_own_wal():
    found = wal_keep([base(8, 100, 101), base(1, 60, 61, timeline=2)], timedelta(days=7), NOW, MIB)
    assert kept(found, 1, range(120)) == list(range(100, 120))
    assert kept(found, 2, range(120)) == list(range(60, 120))


def test_a_base_across_a_promotion_keeps_its_own_wal_of_both_timelines():
    across = replace(base(30, 5, 9, timeline=2), left=(Ancestor(1, Lsn(7 * MIB + 100)),))
    found = wal_keep([across, base(10, 20, 20, timeline=2)], timedelta(days=7), NOW, MIB)
    assert kept(found, 1, range(30)) == [5, 6, 7] and kept(found, 2, range(15)) == [7, 8, 9]
    open_end = wal_keep([across], None, NOW, MIB)
    assert kept(open_end, 1, range(12)) == kept(open_end, 2, range(12)) == list(range(5, 12))


def test_history_files_always_stay_and_partials_go_with_their_segment():
    found = wal_keep([base(8, 20, 21)], timedelta(days=7), NOW, MIB)
    names = ["00000001.history", f"{Segment(1, 19, MIB).name}.partial", f"{Segment(1, 20, MIB).name}.partial",
             f"{Segment(1, 19, MIB).name}.00000028.backup"]
    left = [reason for _each, _timeline, reason in found.judged(StoredWal("", name, SHA, "", 1) for name in names)]
    assert left == ["history", "", "recovery window from 8d", ""]


@given(bases, windows)
def test_no_segment_that_a_kept_base_needs_is_ever_dropped(spans, window):
    keep = wal_keep(spans, window, NOW, MIB)
    for each in spans:
        needed = range(each.start.value // MIB, Segment.before_lsn(1, each.stop, MIB).number + 1)
        assert kept(keep, each.timeline, needed) == list(needed)


@given(bases, windows, st.integers(0, 60 * 86400))
def test_every_moment_of_the_window_stays_reachable(spans, window, ago):
    """The newest base before the moment keeps everything since, on its timeline and on all later ones."""
    moment = NOW - timedelta(seconds=ago)
    before = [each for each in spans if each.taken <= moment]
    if before and (window is None or moment >= NOW - window):
        newest = max(before, key=lambda each: each.taken)
        keep = wal_keep(spans, window, NOW, MIB)
        for timeline in range(newest.timeline, 4):
            assert all(keep.reason(timeline, number) for number in range(newest.start.value // MIB, 90))


@given(bases.filter(bool), st.integers(1, 30), st.integers(0, 30))
def test_a_longer_window_keeps_a_superset(spans, days, more):
    short = wal_keep(spans, timedelta(days=days), NOW, MIB)
    long = wal_keep(spans, timedelta(days=days + more), NOW, MIB)
    for timeline in (1, 2, 3):
        assert set(kept(short, timeline, range(80))) <= set(kept(long, timeline, range(80)))


@given(bases, windows)
def test_a_plan_says_of_every_file_once_what_becomes_of_it(spans, window):
    keep, files = wal_keep(spans, window, NOW, MIB), stored(1, range(0, 70, 2)) + stored(2, range(70))
    plan = plan_wal(keep, files)
    assert sum(each.count for each in plan.fates) == len(files)
    assert plan.count == len(list(to_drop(keep, files))) and plan.freed == 10 * plan.count
    again = [each for each, _timeline, reason in keep.judged(files) if reason]
    assert plan_wal(keep, again).count == 0


@given(bases, windows, st.lists(st.tuples(st.integers(1, 4), st.integers(0, 70)), max_size=60))
def test_a_file_is_judged_alike_alone_and_in_any_listing(spans, window, places):
    keep = wal_keep(spans, window, NOW, MIB)
    files = [each for timeline, number in places for each in stored(timeline, [number])]
    alone = [(timeline, keep.reason(timeline, number)) for timeline, number in places]
    assert [(timeline, reason) for _each, timeline, reason in keep.judged(files)] == alone


@given(bases, windows, st.integers(1, 3), st.integers(0, 70))
def test_a_stretch_ends_where_the_fate_may_change_and_not_later(spans, window, timeline, number):
    keep = wal_keep(spans, window, NOW, MIB)
    reason, end = keep.stretch(timeline, number)
    assert end > number
    assert {keep.reason(timeline, each) for each in range(number, min(end, 90))} == {reason}


@pytest.mark.parametrize("count", [1000])
def test_a_thousand_bases_leave_one_beginning_each_timeline(count):
    spans = [base(number / 10, 5 * (count - number), 5 * (count - number) + 1) for number in range(count)]
    keep = wal_keep(spans, timedelta(days=7), NOW, MIB)
    assert len(keep.beginnings) == 1
    assert len(keep.spans) == count
    looked = []

    class Counted(int):
        def __lt__(self, other):
            looked.append(other)
            return int(self) < other

    assert keep.reason(1, Counted(7)) == ""
    assert 0 < len(looked) < 30        # of the thousand
