# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a repository's listing tells of its WAL."""
from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from _restorable.model.lsn import Lsn
from _restorable.model.timeline import Ancestor, Lineage
from _restorable.model.wal import Segment
from _restorable.model.wal_catalogue import Interval, WalCatalogue
from _restorable.model.wal_naming import (
    binding_key,
    parse_wal_key,
    quarantine_key,
    stored_wal,
    wal_file_prefix,
    wal_folder,
    wal_key,
)

MIB = 2**20
SHA = "ab" * 32


def listing(*segments, others=(), size=MIB, digest=SHA):
    keys = [wal_key("shop", Segment(timeline, number, size).name, digest, ".zst") for timeline, number in segments]
    return [(key, 10) for key in sorted([*keys, *others, binding_key("shop", size)])]


def test_the_layout_is_the_one_of_the_format():
    assert wal_key("shop", "0000000100000002000000FF", SHA, ".zst.age") == \
        f"shop/wal/00000001/0000000100000002/0000000100000002000000FF-{'ab' * 16}.zst.age"
    assert wal_key("shop", "00000002.history", SHA, "") == f"shop/wal/00000002.history-{'ab' * 16}"
    assert quarantine_key("shop", "00000002.history", SHA, "") == f"shop/quarantine/00000002.history-{'ab' * 16}"
    assert wal_folder("shop", "00000002.history") == "shop/wal/"
    name = "000000010000000000000001"
    assert not wal_key("shop", f"{name}.partial", SHA, "").startswith(wal_file_prefix("shop", name))


@given(st.sampled_from(["000000010000000000000001", "000000010000000000000001.partial", "00000002.history",
                        "000000010000000000000001.00000028.backup"]), st.sampled_from(["", ".zst", ".zst.age"]))
def test_keys_read_back_as_they_are_written(name, suffix):
    found = parse_wal_key(wal_key("shop", name, SHA, suffix), 5)
    assert (found.name, found.digest, found.suffix, found.size) == (name, SHA[:32], suffix, 5)


def test_keys_that_are_not_ours_are_no_wal():
    keys = ["shop/wal/notes.txt", "shop/wal/00000001/0000000100000000/000000010000000000000001",
            "shop/wal/00000001/0000000100000000/000000010000000000000001-xyz.zst", binding_key("shop", MIB)]
    assert list(stored_wal((key, 1) for key in keys)) == []


@given(st.sets(st.tuples(st.integers(1, 3), st.integers(0, 9000)), max_size=80))
def test_intervals_are_exactly_the_segments_that_are_there(segments):
    found = WalCatalogue.of(listing(*segments))
    covered = {(each.timeline, number) for each in found.intervals for number in range(each.first, each.last + 1)}
    assert covered == segments
    assert found.count == len(segments) and found.size == 10 * len(segments)
    missing = {(each.timeline, number) for each in found.gaps() for number in range(each.first, each.last + 1)}
    assert not missing & segments
    for timeline in found.timelines():
        mine = [number for line, number in segments if line == timeline]
        assert {number for line, number in missing if line == timeline} == set(range(min(mine), max(mine))) - set(mine)


def test_numbers_go_on_across_the_halves_of_a_name():
    found = WalCatalogue.of(listing((1, 255), (1, 256), size=16 * MIB))
    assert [(each.first, each.last) for each in found.intervals] == [(255, 256)]
    assert found.sizes == (16 * MIB,)


def test_the_same_name_with_other_content_is_a_conflict_and_an_identical_one_is_not():
    name = Segment(1, 7, MIB).name
    both = [wal_key("shop", name, digit * 64, ".zst") for digit in "ab"]
    assert WalCatalogue.of(listing(others=both)).conflicts == (name,)
    sealed = wal_key("shop", name, SHA, ".zst.age")
    assert WalCatalogue.of(listing((1, 7), others=[sealed])).conflicts == ()


def test_partials_histories_and_backup_files_are_no_segments():
    name = Segment(1, 7, MIB).name
    others = [wal_key("shop", f"{name}{end}", SHA, "") for end in (".partial", ".00000028.backup")]
    found = WalCatalogue.of(listing(others=[*others, wal_key("shop", "00000002.history", SHA, "")]))
    assert not found.intervals
    assert [len(found.partials), len(found.backups), len(found.histories)] == [1, 1, 1]


def test_gaps_before_the_window_do_not_matter():
    found = WalCatalogue.of(listing((1, 1), (1, 5), (1, 9)))
    assert list(found.gaps()) == [Interval(1, 2, 4), Interval(1, 6, 8)]
    assert list(found.gaps(after={1: 5})) == [Interval(1, 6, 8)]
    assert list(found.gaps(after={1: 7})) == [Interval(1, 7, 8)]


SWITCHED = Lineage(2, (Ancestor(1, Lsn(5 * MIB + 100)),))


def test_recovery_reaches_as_far_as_the_chain_has_no_hole():
    found = WalCatalogue.of(listing((1, 3), (1, 4), (2, 5), (2, 6), (2, 8)))
    assert found.reach(SWITCHED, Lsn(3 * MIB + 40)) == Lsn(7 * MIB)
    assert found.reach(Lineage(1), Lsn(3 * MIB + 40)) == Lsn(5 * MIB)
    assert found.reach(SWITCHED, Lsn(1 * MIB)) == Lsn(1 * MIB)
    assert [each.number for each in found.missing(SWITCHED, Lsn(3 * MIB), Lsn(9 * MIB))] == [7]


def test_the_parents_own_segment_of_the_switch_leads_to_the_switch_only():
    found = WalCatalogue.of(listing((1, 4), (1, 5), (2, 6)))
    assert found.reach(SWITCHED, Lsn(4 * MIB)) == Lsn(5 * MIB + 100)
    assert not list(found.missing(SWITCHED, Lsn(4 * MIB), Lsn(5 * MIB + 50)))
    assert [each.number for each in found.missing(SWITCHED, Lsn(4 * MIB), Lsn(7 * MIB))] == [5]


def test_segments_of_the_parent_after_the_switch_are_another_history():
    found = WalCatalogue.of(listing((1, 4), (1, 5), (1, 6), (1, 7)))
    assert found.reach(SWITCHED, Lsn(4 * MIB)) == Lsn(5 * MIB + 100)


@given(st.sets(st.tuples(st.integers(1, 2), st.integers(0, 12)), max_size=20), st.integers(0, 11))
def test_nothing_is_missing_up_to_where_recovery_reaches(segments, first):
    found = WalCatalogue.of(listing(*segments))
    reached = found.reach(SWITCHED, Lsn(first * MIB))
    if reached > Lsn(first * MIB):
        assert not list(found.missing(SWITCHED, Lsn(first * MIB), reached))
    assert list(found.missing(SWITCHED, Lsn(first * MIB), Lsn(reached.value + 1)))


def test_a_hundred_thousand_segments_cost_no_memory():
    keys = ((wal_key("shop", Segment(1, number).name, SHA, ".zst"), 1) for number in range(100_000))
    tracemalloc.start()
    found = WalCatalogue.of(keys)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.count == 100_000
    assert peak < 1_000_000
