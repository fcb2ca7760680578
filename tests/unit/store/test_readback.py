# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file is read back while it grows, and what the disk has is what counts."""
from __future__ import annotations

import hashlib
import os
import threading

import pytest

from _restorable.store import readback
from _restorable.store.readback import ReadBack


@pytest.fixture
def handle(tmp_path):
    number = os.open(tmp_path / "part", os.O_RDWR | os.O_CREAT, 0o600)
    yield number
    os.close(number)


def grow(handle, follower, pieces):
    size = 0
    for piece in pieces:
        size += os.write(handle, piece)
        follower.written(size)
    return size


@pytest.mark.parametrize("count", [0, 1, 5, 64])
def test_a_file_that_was_followed_has_its_own_size_and_digest(handle, monkeypatch, count):
    monkeypatch.setattr(readback, "AHEAD", 10_000)
    pieces = [os.urandom(7_001) for _index in range(count)]
    follower = ReadBack(handle)
    size = grow(handle, follower, pieces)
    assert follower.finish(size) == (size, hashlib.sha256(b"".join(pieces)).hexdigest())


def test_a_byte_that_changed_on_the_disk_after_it_was_written_is_seen(handle):
    follower = ReadBack(handle)
    size = grow(handle, follower, [b"x" * 50_000])
    os.pwrite(handle, b"y", 20_000)
    assert follower.finish(size) != (size, hashlib.sha256(b"x" * 50_000).hexdigest())


@pytest.mark.parametrize("length", [49_999, 50_001])
def test_a_file_of_another_length_than_was_written_is_seen(handle, length):
    follower = ReadBack(handle)
    size = grow(handle, follower, [b"x" * 50_000])
    os.ftruncate(handle, length)
    assert follower.finish(size)[0] == length


def test_an_error_of_the_disk_while_the_file_grows_is_raised_at_the_end(handle, monkeypatch):
    monkeypatch.setattr(readback, "AHEAD", 10_000)

    def broken(_handle):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", broken)
    follower = ReadBack(handle)
    size = grow(handle, follower, [b"x" * 20_000] * 3)
    with pytest.raises(OSError, match="Input/output error"):
        follower.finish(size)


def test_no_thread_is_left_behind(handle, monkeypatch):
    monkeypatch.setattr(readback, "AHEAD", 10_000)
    before = threading.active_count()
    follower = ReadBack(handle)
    grow(handle, follower, [b"x" * 20_000] * 3)
    follower.stop()
    assert threading.active_count() == before


@pytest.mark.parametrize("damage", ["none", "flipped", "short", "long"])
def test_a_file_whose_writer_has_it_still_is_compared_with_that(handle, damage):
    follower, pieces = ReadBack(handle), [b"x" * 50_000, b"y" * 7]
    size = grow(handle, follower, pieces)
    if damage == "flipped":
        os.pwrite(handle, b"z", 20_000)
    elif damage != "none":
        os.ftruncate(handle, size + (1 if damage == "long" else -1))
    assert follower.is_durable_as(pieces) == (damage == "none")
    if damage == "flipped":
        assert follower.finish(size) != (size, hashlib.sha256(b"".join(pieces)).hexdigest())
