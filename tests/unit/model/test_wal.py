# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Places and names of the WAL."""
from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from _restorable.errors import ConfigError, Damaged
from _restorable.model.lsn import Lsn
from _restorable.model.wal import SIZES, Segment, WalFile, history_name, is_wal_name
from _restorable.model.wal_header import SegmentHeader

lsns = st.integers(0, 2**64 - 1).map(Lsn)
sizes = st.sampled_from(SIZES)
segments = st.builds(Segment.of_lsn, st.integers(1, 2**32 - 1), lsns, sizes)


@given(lsns)
def test_an_lsn_reads_back_as_it_is_written(lsn):
    assert Lsn.parse(str(lsn)) == lsn


def test_an_lsn_is_written_as_the_server_writes_it():
    assert str(Lsn.parse("0/16B3748")) == "0/16B3748"
    assert str(Lsn(2**32 * 10 + 255)) == "A/FF"
    assert Lsn.parse("1/0") - Lsn.parse("0/FFFFFFFF") == 1
    assert Lsn.parse("0/FFFFFFFF") + 1 == Lsn.parse("1/0")


@pytest.mark.parametrize("text", ["", "0", "0/", "/0", "0/123456789", "G/0", "0/0 ", "-1/0"])
def test_what_is_no_lsn_is_refused(text):
    with pytest.raises(ConfigError, match="is not valid"):
        Lsn.parse(text)


@given(segments)
def test_a_segment_reads_back_as_it_is_named(segment):
    assert Segment.parse(segment.name, segment.size) == segment
    assert is_wal_name(segment.name)


@given(segments)
def test_segments_follow_one_another_without_a_hole(segment):
    assert segment.next().start == segment.end
    assert segment.end - segment.start == segment.size
    assert segment.next().name > segment.name or segment.next().start.value >= 2**64


@given(lsns, sizes)
def test_a_segment_holds_the_place_it_was_made_of(lsn, size):
    segment = Segment.of_lsn(1, lsn, size)
    assert segment.start <= lsn < segment.end
    assert Segment.before_lsn(1, Lsn(lsn.value + 1), size) == segment


@pytest.mark.parametrize(("lsn", "size", "name"), [
    ("0/16B3748", 16 * 2**20, "000000010000000000000001"),
    ("0/FF000000", 16 * 2**20, "0000000100000000000000FF"),
    ("1/0", 16 * 2**20, "000000010000000100000000"),
    ("0/FFF00000", 2**20, "000000010000000000000FFF"),
    ("1/40000000", 2**30, "000000010000000100000001"),
])
def test_names_are_those_of_pg_walfile_name(lsn, size, name):
    assert Segment.of_lsn(1, Lsn.parse(lsn), size).name == name


def test_a_backup_that_ends_on_a_boundary_needs_the_segment_before_it():
    assert Segment.before_lsn(1, Lsn.parse("0/3000000")).name == "000000010000000000000002"
    assert Segment.of_lsn(1, Lsn.parse("0/3000000")).name == "000000010000000000000003"


def test_the_kinds_of_archived_files_are_told_apart():
    kinds = {name: WalFile.parse(name).kind for name in (
        "00000001000000000000000A", "00000001000000000000000A.partial", "00000001000000000000000A.00000028.backup",
        history_name(2))}
    assert list(kinds.values()) == ["segment", "partial", "backup", "history"]
    assert WalFile.parse("00000001000000000000000A.partial").segment() == Segment.parse("00000001000000000000000A")


@pytest.mark.parametrize("name", [
    "", "000000000000000000000001", "00000000.history", "00000001000000000000000a", "0000000100000000000000010",
    "00000001000000000000000A.gz", "../00000001000000000000000A", "00000001000000000000000A.backup",
    "0000000200000000.history", "RECOVERYXLOG", "00000001000000000000000A\n"])
def test_other_names_are_refused(name):
    assert not is_wal_name(name)
    with pytest.raises(ConfigError, match="is no name of a WAL file"):
        WalFile.parse(name)


def test_a_name_beyond_the_segment_size_is_refused():
    assert Segment.parse("000000010000000000000FFF", 2**20).number == 4095
    with pytest.raises(ConfigError):
        Segment.parse("000000010000000000000FFF")


def header(magic=0xD110, info=2, timeline=1, address=2**24, system=7, size=2**24, order="<"):
    return struct.pack(f"{order}HHIQI4xQII", magic, info, timeline, address, 0, system, size, 8192)


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_header_tells_whose_segment_it_is(order):
    found = SegmentHeader.parse(header(system=2**63 + 5, order=order) + bytes(100), "X")
    assert found.system_identifier == str(2**63 + 5)
    assert (found.address, found.segment_size, found.timeline) == (Lsn(2**24), 2**24, 1)


@pytest.mark.parametrize("head", [b"", b"\0" * 40, header()[:39], header(info=0), header(size=5), header(magic=1)])
def test_what_begins_no_segment_is_damaged(head):
    with pytest.raises(Damaged, match="does not begin as a WAL segment"):
        SegmentHeader.parse(head, "X")
