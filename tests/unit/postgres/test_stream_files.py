# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Segments as they are received: whole or .partial, in any pieces."""
from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from _restorable.errors import Unavailable
from _restorable.model.lsn import Lsn
from _restorable.model.wal import Segment
from _restorable.postgres.stream_files import StreamFiles
from kit.wal import MIB, NAMES, segment_bytes

STREAM = b"".join(segment_bytes(name) for name in NAMES[:3])


def receive(folder, data, *, begin=1, pieces=(128 * 1024,)):
    files, place, turn = StreamFiles(str(folder), MIB), 0, 0
    while place < len(data):
        step = pieces[turn % len(pieces)]
        files.write(1, Lsn(begin * MIB + place), data[place:place + step])
        place, turn = place + step, turn + 1
    files.close()
    return files


@given(st.lists(st.integers(1, 3 * MIB), min_size=1, max_size=5), st.integers(1, 3 * MIB))
def test_segments_are_what_was_sent_in_whatever_pieces(tmp_path_factory, pieces, length):
    folder = tmp_path_factory.mktemp("stream")
    receive(folder, STREAM[:length], pieces=[max(each, 50_000) for each in pieces])
    whole, rest = divmod(length, MIB)
    for index in range(whole):
        assert (folder / NAMES[index]).read_bytes() == STREAM[index * MIB:(index + 1) * MIB]
    part = folder / f"{NAMES[whole] if whole < 3 else NAMES[3]}.partial"
    assert part.exists() == bool(rest)
    if rest:
        assert part.read_bytes() == STREAM[whole * MIB:length].ljust(MIB, b"\0")
    assert len(os.listdir(folder)) == whole + bool(rest)


def test_a_part_that_is_received_again_keeps_what_it_has(tmp_path):
    receive(tmp_path, STREAM[:MIB + 900_000])
    files = receive(tmp_path, STREAM[MIB:MIB + 100], begin=2)
    assert (tmp_path / f"{NAMES[1]}.partial").read_bytes()[:900_000] == STREAM[MIB:MIB + 900_000]
    assert files.newest() == Segment(1, 1, MIB)


def test_the_newest_segment_is_the_last_place_and_then_the_last_timeline(tmp_path):
    for name in (NAMES[3], "00000002" + NAMES[3][8:], "00000003" + NAMES[1][8:], f"{NAMES[5]}.partial"):
        (tmp_path / name).touch()
    assert StreamFiles(str(tmp_path), MIB).newest() == Segment(2, 4, MIB)


def test_a_stream_that_begins_inside_a_segment_is_refused(tmp_path):
    with pytest.raises(Unavailable, match="inside of segment"):
        StreamFiles(str(tmp_path), MIB).write(1, Lsn(MIB + 8192), b"wal")
    assert not os.listdir(tmp_path)


def test_a_folder_that_is_gone_is_told(tmp_path):
    with pytest.raises(Unavailable, match="cannot be written in .*gone"):
        StreamFiles(str(tmp_path / "gone"), MIB).write(1, Lsn(MIB), b"wal")
