# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from _restorable.stream.stage import close, compose, owned, rechunk


class Source:
    """Chunks that remember whether they were closed."""

    def __init__(self, *chunks):
        self.chunks = list(chunks)
        self.closed = 0

    def __iter__(self):
        return self

    def __next__(self):
        if not self.chunks:
            raise StopIteration
        return self.chunks.pop(0)

    def close(self):
        self.closed += 1


def upper(chunks):
    with owned(chunks) as source:
        for chunk in source:
            yield chunk.upper()


def double(chunks):
    with owned(chunks) as source:
        for chunk in source:
            yield chunk * 2


def test_stages_work_in_the_order_they_are_named():
    assert list(compose([b"a", b"b"], upper, double)) == [b"AA", b"BB"]
    assert list(compose([b"a"])) == [b"a"]


def test_nothing_runs_before_the_first_chunk_is_asked_for():
    source = Source(b"a", b"b")
    compose(source, upper)
    assert source.chunks == [b"a", b"b"]


def test_a_consumer_that_stops_early_closes_the_source():
    source = Source(b"a", b"b")
    line = compose(source, upper, double)
    next(line)
    line.close()
    assert source.closed


def test_a_stage_that_forgets_its_source_does_not_keep_it_open():
    source = Source(b"a", b"b")
    line = compose(source, lambda chunks: (chunk for chunk in chunks))
    next(line)
    line.close()
    assert source.closed


def test_an_error_closes_the_source_and_passes_through():
    def fails(chunks):
        for chunk in chunks:
            if chunk:
                raise KeyError("here")
            yield chunk

    source = Source(b"a", b"b")
    with pytest.raises(KeyError):
        list(compose(source, fails, upper))
    assert source.closed


def test_an_error_of_the_source_passes_through_every_stage():
    def source():
        yield b"a"
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        list(compose(source(), upper, double))


@pytest.mark.parametrize("sizes", [[], [1], [3, 3, 3], [10], [0, 1, 0, 7, 4], [4, 4], [9, 1]])
def test_rechunked_pieces_have_one_size_but_the_last(sizes):
    data = bytes(range(sum(sizes)))
    chunks, place = [], 0
    for size in sizes:
        chunks.append(data[place:place + size])
        place += size
    pieces = list(rechunk(chunks, 4))
    assert b"".join(pieces) == data
    assert [len(piece) for piece in pieces[:-1]] == [4] * (len(pieces) - 1)
    assert all(pieces)


def test_close_leaves_lists_alone():
    close([b"a"])
    close(None)
