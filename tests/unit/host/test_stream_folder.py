# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of a stream as the shipper sees it: what waits, and up to where the slot may let go."""
from __future__ import annotations

import pytest

from _restorable.host.wal_source import StreamFolder
from _restorable.model.lsn import Lsn
from kit.wal import MIB, NAMES

OTHER = "00000002" + NAMES[2][8:]      # the segment in which timeline 2 began


@pytest.fixture
def folder(tmp_path):
    return StreamFolder(str(tmp_path))


def put(folder, *names):
    for name in names:
        with open(folder.path(name), "wb") as file:
            file.write(b"wal")


def test_what_is_being_received_does_not_wait_and_history_goes_first(folder):
    put(folder, NAMES[1], NAMES[0], f"{NAMES[2]}.partial", "00000001.history", "strange")
    assert folder.ready() == ["00000001.history", NAMES[0], NAMES[1]]


def test_the_last_part_of_a_timeline_that_was_left_waits_too(folder):
    put(folder, NAMES[1], f"{NAMES[2]}.partial", "00000002.history", f"{OTHER}.partial")
    assert folder.ready() == ["00000002.history", NAMES[1], f"{NAMES[2]}.partial"]
    folder.archived(f"{NAMES[2]}.partial")
    assert folder.ready() == ["00000002.history", NAMES[1]]


def test_the_newest_durable_segment_stays_since_the_receiver_goes_on_behind_it(folder, tmp_path):
    put(folder, *NAMES[:3], OTHER)
    for name in (NAMES[1], NAMES[0], NAMES[2], OTHER):
        folder.archived(name)
    assert [path.name for path in tmp_path.iterdir()] == [OTHER] and folder.ready() == []


def test_nothing_is_known_to_be_durable_at_the_beginning(folder):
    assert folder.durable_until(MIB) is None


@pytest.mark.parametrize(("done", "until"), [
    ((), 1), ((0,), 2), ((1,), 1), ((0, 1), 3), ((0, 1, 2), 4), ((1, 2), 1)])
def test_the_slot_lets_go_of_nothing_before_the_oldest_segment_that_waits(folder, done, until):
    put(folder, *NAMES[:3], f"{NAMES[3]}.partial")
    for index in done:
        folder.archived(NAMES[index])
    assert folder.durable_until(MIB) == Lsn(until * MIB)


def test_without_a_part_the_slot_follows_the_newest_durable_segment(folder):
    put(folder, *NAMES[:2])
    for name in NAMES[:2]:
        folder.archived(name)
    assert folder.durable_until(MIB) == Lsn(3 * MIB)
