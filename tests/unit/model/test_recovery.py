# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which base backup a recovery begins with, and how the nearest moments are named where none will do."""
from __future__ import annotations

import pytest

from _restorable.errors import Refused
from _restorable.model.base import BaseReport
from _restorable.model.lsn import Lsn
from _restorable.model.naming import BackupId
from _restorable.model.recovery import Window, choose_window
from _restorable.model.recovery_target import Target
from kit.history import at

NOW = at("2026-07-20")


def window(begin: str, start: int, reach: int, until: str = "", *, beyond: bool = False,
           inside: bool = False) -> Window:
    """Return what can be reached from a base that ended at begin and start; WAL leads on to reach."""
    base = BaseReport(str(Lsn(start - 10)), str(Lsn(start)), 1, at(begin).isoformat(), 9, 9, self_contained=inside)
    return Window(BackupId(at(begin), "base"), base, Lsn(reach), at(until) if until else None, beyond)


# a gap on the 8th; the second base stands on its own from the 10th on, up to the 15th
GAPPED = [window("2026-07-05", 500, 800, "2026-07-08", beyond=True), window("2026-07-10", 1000, 1500, "2026-07-15")]
ALONE = window("2026-07-03", 300, 290, inside=True)


def chosen(target: Target, windows=tuple(GAPPED)) -> str:
    return f"{choose_window(windows, target, NOW).begin:%d}"


@pytest.mark.parametrize(("target", "base"), [
    (Target(), "10"), (Target.of("immediate"), "10"), (Target.of("name", "x"), "10"), (Target.of("xid", "7"), "10"),
    (Target.of("time", "2026-07-06T00:00:00Z"), "05"), (Target.of("time", "2026-07-10T00:00:00Z"), "10"),
    (Target.of("time", "2026-07-06T01:00:00+02:00"), "05"),
    (Target.of("lsn", str(Lsn(700))), "05"), (Target.of("lsn", str(Lsn(1000))), "10")])
def test_the_newest_base_that_leads_there_is_taken(target, base):
    assert chosen(target) == base


@pytest.mark.parametrize(("moment", "what", "nearest"), [
    ("2026-07-04T12:00:00Z", "before the end of the oldest base", ["2026-07-05T00:00:00Z after it"]),
    ("2026-07-09T00:00:00Z", "inside a gap", ["2026-07-08T00:00:00Z before it", "2026-07-10T00:00:00Z after it"]),
    # the same moment as the one before, said elsewhere
    ("2026-07-09 02:00:00 Europe/Berlin", "inside a gap", ["2026-07-08T00:00:00Z before it"]),
    ("2026-07-16T00:00:00Z", "after the last archived WAL", ["2026-07-15T00:00:00Z before it"])])
def test_a_time_that_cannot_be_reached_is_refused_with_the_nearest_ones(moment, what, nearest):
    with pytest.raises(Refused, match=what) as caught:
        chosen(Target.of("time", moment))
    assert caught.value.code == "recover.out_of_reach" and all(each in caught.value.hint for each in nearest)


@pytest.mark.parametrize(("place", "what"), [
    (400, "before the end of the oldest base"), (900, "inside a gap"), (800, "inside a gap"),
    (1600, "after the last archived WAL"), (1500, "after the last archived WAL")])
def test_a_place_that_cannot_be_reached_is_refused_with_what_can_be(place, what):
    with pytest.raises(Refused, match=what) as caught:
        chosen(Target.of("lsn", str(Lsn(place))))
    assert all(str(each) in caught.value.hint for each in GAPPED)


def test_a_place_behind_the_gap_at_which_all_wal_ends_is_not_said_to_be_its_end():
    with pytest.raises(Refused, match="inside a gap of the WAL, or behind it"):
        chosen(Target.of("lsn", str(Lsn(900))), GAPPED[:1])


@pytest.mark.parametrize(("begin", "until", "asked", "named"), [
    ("2026-07-05T00:00:00.25+00:00", "2026-07-06", "2026-07-04", "2026-07-05T00:00:01Z after it"),
    ("2026-07-05T00:00:00.25+00:00", "2026-07-05T00:00:00.75+00:00", "2026-07-04", "2026-07-05T00:00:00.250000Z after"),
    ("2026-07-05T00:00:00.25+00:00", "2026-07-05T00:00:00.75+00:00", "2026-07-07", "2026-07-05T00:00:00.750000Z"),
    ("2026-07-05", "2026-07-06T00:00:00.75+00:00", "2026-07-07", "2026-07-06T00:00:00Z before it")])
def test_a_moment_that_is_named_can_be_asked_for_as_it_is_written(begin, until, asked, named):
    one = [window(begin, 500, 800, until)]
    with pytest.raises(Refused) as caught:
        chosen(Target.of("time", f"{asked}T00:00:00Z"), one)
    assert named in caught.value.hint
    moment = next(word for word in caught.value.hint.rstrip(".").split() if word.startswith("2026"))
    assert choose_window(one, Target.of("time", moment), NOW) == one[0]


def test_a_time_ahead_of_the_clock_is_refused():
    with pytest.raises(Refused, match="ahead") as caught:
        chosen(Target.of("time", "2026-07-21T00:00:00Z"))
    assert caught.value.code == "recover.future"


@pytest.mark.parametrize("target", [Target(), Target.of("name", "x"), Target.of("xid", "7")])
def test_what_may_lie_behind_a_gap_is_refused_naming_where_it_begins(target):
    with pytest.raises(Refused, match="gap at") as caught:
        chosen(target, GAPPED[:1])
    # no record begins where the WAL ends, so the place that is named is the begin of its last segment
    assert str(Lsn(800)) in caught.value.message and f"lsn {Lsn(500)} " in caught.value.hint
    assert "2026-07-08 00:00:00 UTC" in caught.value.hint


def test_a_base_without_wal_behind_it_reaches_its_own_end_alone():
    assert chosen(Target(), [ALONE]) == chosen(Target.of("immediate"), [ALONE]) == "03"
    for target in (Target.of("name", "x"), Target.of("time", "2026-07-04T00:00:00Z")):
        with pytest.raises(Refused) as caught:
            chosen(target, [ALONE])
        assert caught.value.code == "recover.out_of_reach"


def test_the_end_of_wal_that_begins_behind_a_gap_is_refused_and_the_base_itself_is_not():
    base = window("2026-07-03", 300, 290, beyond=True, inside=True)
    with pytest.raises(Refused, match="right behind base") as caught:
        chosen(Target(), [base])
    assert caught.value.code == "recover.gap" and "--immediate" in caught.value.hint
    assert chosen(Target.of("immediate"), [base]) == "03"


def test_a_base_whose_own_wal_is_gone_is_none():
    with pytest.raises(Refused, match="none is there with its WAL"):
        chosen(Target(), [window("2026-07-05", 500, 490)])
