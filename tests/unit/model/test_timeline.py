# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""History files, and which segments lead along a lineage."""
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from _restorable.errors import Damaged
from _restorable.model.lsn import Lsn
from _restorable.model.timeline import Ancestor, Lineage, latest, lineage

MIB = 2**20
WRITTEN = """\
1\t0/3000110\tno recovery target specified

2\t0/5000060\tbefore 2026-11-20 03:00:00+00
"""


@st.composite
def lineages(draw):
    numbers = draw(st.lists(st.integers(1, 50), min_size=1, max_size=5, unique=True).map(sorted))
    ends = draw(st.lists(st.integers(1, 200 * MIB), min_size=len(numbers) - 1, max_size=len(numbers) - 1).map(sorted))
    return Lineage(numbers[-1], tuple(Ancestor(number, Lsn(end)) for number, end in zip(numbers, ends)))


def test_a_real_history_file_is_read():
    found = Lineage.parse(3, WRITTEN)
    assert found.timelines() == (1, 2, 3)
    assert found.begin == Lsn.parse("0/5000060")
    assert found.has(1, Lsn.parse("0/3000110")) and not found.has(1, Lsn.parse("0/3000111"))
    assert found.has(3, Lsn.parse("FF/0")) and not found.has(4, Lsn(0))


@given(lineages())
def test_a_lineage_reads_back_as_it_is_written(found):
    if found.ancestors:
        assert Lineage.parse(found.timeline, found.text()) == found


@pytest.mark.parametrize("text", ["", "nonsense", "2\t0/1\tx\n1\t0/2\tx\n", "3\t0/1\tx\n", "1\t0/1\tx\n1\t0/2\ty\n"])
def test_a_broken_history_file_is_damaged(text):
    with pytest.raises(Damaged, match=r"history file 00000003\.history"):
        Lineage.parse(3, text)


def test_recovery_reads_the_segment_of_a_switch_from_the_younger_timeline():
    found = Lineage.parse(3, WRITTEN)
    names = [segment.name for segment in found.segments(Lsn.parse("0/2000028"), Lsn.parse("0/6000000"))]
    assert names == ["000000010000000000000002", "000000020000000000000003", "000000020000000000000004",
                     "000000030000000000000005"]


@given(lineages(), st.integers(0, 250 * MIB), st.integers(1, 50 * MIB))
def test_the_chain_has_every_number_once_and_never_goes_back_to_an_older_timeline(found, first, length):
    chain = list(found.segments(Lsn(first), Lsn(first + length), MIB))
    assert [each.number for each in chain] == list(range(first // MIB, (first + length - 1) // MIB + 1))
    assert [each.timeline for each in chain] == sorted(each.timeline for each in chain)
    assert {each.timeline for each in chain} <= set(found.timelines())


def test_the_first_timeline_needs_no_history_file_and_every_other_one_does():
    assert lineage(1, {}) == Lineage(1)
    assert lineage(3, {3: WRITTEN}).timelines() == (1, 2, 3)
    with pytest.raises(Damaged, match=r"00000003\.history is missing"):
        lineage(3, {2: "1\t0/1\tx\n"})


def test_the_newest_timeline_is_that_of_a_history_file_or_of_wal():
    assert latest({}, {}) == 1
    assert latest({2: ""}, {1: None}) == 2
    assert latest({2: ""}, {3: None}) == 3


ONE, TWO = Lineage(1), Lineage(2, (Ancestor(1, Lsn(500)),))


@pytest.mark.parametrize(("mine", "other", "parted"), [
    # the newest left timeline 1, which went on
    (TWO, ONE, (Lsn(500), 2)), (Lineage(3, (Ancestor(1, Lsn(500)), Ancestor(2, Lsn(900)))), ONE, (Lsn(500), 2)),
    (Lineage(3, (Ancestor(1, Lsn(500)), Ancestor(2, Lsn(900)))), TWO, (Lsn(900), 3)),
    # two copies of timeline 1, made at different places of it and at the same one
    (Lineage(3, (Ancestor(1, Lsn(700)),)), TWO, (Lsn(500), 3)),
    (Lineage(3, (Ancestor(1, Lsn(300)),)), TWO, (Lsn(300), 3)),
    (Lineage(3, (Ancestor(1, Lsn(500)),)), TWO, (Lsn(500), 3)),
    # one that lives on where the other left it, and such as share nothing that is known
    (ONE, TWO, None), (ONE, ONE, None), (Lineage(2), ONE, None)])
def test_two_histories_part_where_the_first_of_them_left_what_they_share(mine, other, parted):
    assert mine.parting(other) == parted
