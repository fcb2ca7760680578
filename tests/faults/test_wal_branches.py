# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is missing around a change of timeline is no end of the WAL, and what was never there is."""
from __future__ import annotations

import pytest
from faults.test_wal_getting import get, keys_of, world

from _restorable.errors import Damaged
from _restorable.model.wal import Segment
from _restorable.model.wal_settings import WalJob
from _restorable.ops.wal_archive import WalArchive
from kit.memory_store import MemoryStore
from kit.wal import MIB, GivenWal, segment_bytes


def name(timeline, number):
    return Segment(timeline, number, MIB).name


def history(*left):
    """Return a history file: (timeline, segments from the beginning to where it was left)."""
    return "".join(f"{timeline}\t0/{round(count * MIB):X}\tno recovery target specified\n" for timeline, count in left)


def archive(store, *names, **histories):
    """Store segments, and the history files T2, T3… with that content."""
    contents = {f"0000000{key[1:]}.history": text.encode() for key, text in histories.items()}
    source = GivenWal(lambda each: contents.get(each) or segment_bytes(each))
    for each in [*names, *contents]:
        WalArchive(world(store), WalJob()).add(source, each)


def drop(store, *names):
    for each in names:
        for key in keys_of(store, each):
            store.delete(key)


def asked_for(store, each, tmp_path):
    """Say what a recovery hears: there, absent, or the error's words."""
    try:
        return "there" if get(each, tmp_path / "X", store) else "absent"
    except Damaged as error:
        return str(error)


@pytest.fixture
def store():
    """Timeline 1 with 1 to 5, left in the middle of 5; timeline 2 with 5 to 8, left at the end of 8; 3 with 9."""
    found = MemoryStore()
    archive(found, *(name(1, each) for each in range(1, 5)), f"{name(1, 5)}.partial",
            *(name(2, each) for each in range(5, 9)), name(3, 9),
            T2=history((1, 5.5)), T3=history((1, 5.5), (2, 9)))
    return found


@pytest.mark.parametrize("missing", [(1, 2), (1, 4), (2, 5), (2, 6), (2, 8)])
def test_a_segment_before_a_switch_is_missing_even_where_its_timeline_ends_with_it(store, tmp_path, missing):
    drop(store, name(*missing))
    assert "is missing from the archive" in asked_for(store, name(*missing), tmp_path)


def test_the_last_segment_before_a_switch_is_missing_without_any_other_trace_of_its_timeline(store, tmp_path):
    drop(store, name(1, 4), f"{name(1, 5)}.partial")
    found = asked_for(store, name(1, 4), tmp_path)
    assert found.startswith(f"segment {name(1, 4)} is missing") and "00000002.history in repository memory" in found


def test_a_partial_segment_behind_it_proves_that_a_segment_is_missing(tmp_path):
    store = MemoryStore()
    archive(store, name(1, 1), f"{name(1, 3)}.partial")
    assert f"has {name(1, 3)}.partial" in asked_for(store, name(1, 2), tmp_path)


@pytest.mark.parametrize("wanted", [(3, 10), (1, 5), (1, 9), (2, 9)])
def test_the_end_of_each_timeline_is_an_end(store, tmp_path, wanted):
    assert asked_for(store, name(*wanted), tmp_path) == "absent"


@pytest.mark.parametrize("wanted", [(2, 4), (3, 8), (3, 1)])
def test_what_a_timeline_never_had_is_absent_and_its_parent_is_asked_next(store, tmp_path, wanted):
    assert asked_for(store, name(*wanted), tmp_path) == "absent"


def test_nothing_behind_a_promotion_whose_first_segment_is_not_full_yet_is_an_end(tmp_path):
    store = MemoryStore()
    archive(store, name(1, 1), name(1, 2), T2=history((1, 3.5)))
    assert asked_for(store, name(2, 3), tmp_path) == asked_for(store, name(1, 3), tmp_path) == "absent"
    assert asked_for(store, "00000003.history", tmp_path) == "absent"


@pytest.mark.parametrize(("lost", "why"), [("00000002.history", "00000003.history in repository memory names"),
                                           ("00000003.history", f"repository memory has {name(3, 9)}")])
def test_a_history_file_that_was_lost_is_no_end_of_the_timelines(store, tmp_path, lost, why):
    drop(store, lost)
    found = asked_for(store, lost, tmp_path)
    assert found.startswith(f"history file {lost} is missing from the archive") and why in found


def test_the_first_timeline_never_had_a_history_file(store, tmp_path):
    assert asked_for(store, "00000001.history", tmp_path) == "absent"


def test_an_archive_that_begins_on_a_later_timeline_needs_no_history(tmp_path):
    store = MemoryStore()
    archive(store, name(2, 1), name(2, 2))
    assert asked_for(store, "00000002.history", tmp_path) == "absent"


def test_a_history_file_that_cannot_be_read_proves_nothing(store, tmp_path):
    [key] = keys_of(store, "00000003.history")
    store.objects[key] = b"rotten"
    assert "00000003.history" in asked_for(store, name(2, 9), tmp_path)
