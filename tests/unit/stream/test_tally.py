# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import hashlib

import pytest

from _restorable.stream.tally import Tally


def test_size_and_digest_are_those_of_the_whole_stream():
    tally = Tally()
    assert b"".join(tally([b"one", b"", b"two"])) == b"onetwo"
    assert (tally.size, tally.sha256) == (6, hashlib.sha256(b"onetwo").hexdigest())


def test_an_empty_stream_has_a_digest_too():
    tally = Tally()
    assert list(tally([])) == []
    assert (tally.size, tally.sha256) == (0, hashlib.sha256().hexdigest())


def test_nothing_is_told_before_the_end():
    tally = Tally()
    chunks = tally([b"one", b"two"])
    next(chunks)
    with pytest.raises(ValueError, match="not ended"):
        _size = tally.size
    with pytest.raises(ValueError, match="not ended"):
        _sha256 = tally.sha256


def test_nothing_is_told_of_a_stream_that_failed_or_was_given_up():
    def source():
        yield b"one"
        raise OSError

    failed, given_up = Tally(), Tally()
    with pytest.raises(OSError):
        list(failed(source()))
    chunks = given_up([b"one"])
    next(chunks)
    chunks.close()
    for tally in (failed, given_up):
        with pytest.raises(ValueError, match="not ended"):
            _sha256 = tally.sha256


def test_a_tally_counts_one_stream_only():
    tally = Tally()
    list(tally([]))
    with pytest.raises(ValueError, match="one stream"):
        tally([b"x"])


def test_without_a_digest_the_size_alone_is_known():
    tally = Tally(digest=False)
    assert b"".join(tally([b"ab", b"c"])) == b"abc"
    assert (tally.size, tally.sha256) == (3, "")
