# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The places of data that a piped archive lacks are found as pg_dump itself writes them into a file."""
from __future__ import annotations

import itertools
import os
import random
import threading
import time

import pytest

from _restorable.errors import Damaged, ToolFailed
from _restorable.postgres.archives import Made, staged
from _restorable.postgres.offsets import missing_offsets
from kit import shop as kit
from kit.servers import MAJORS, Missing, start_server

NAME = "offsets"


@pytest.fixture(scope="module", params=MAJORS)
def server(request):
    """A server with a database that has every kind of data: empty tables, odd rows, large objects."""
    try:
        with start_server(request.param) as started:
            kit.build(started, NAME)
            started.sql("CREATE TABLE empty ()", database=NAME)
            started.sql("CREATE TABLE none (n int)", database=NAME)
            # rows of 256, 65,536 and 2^24 bytes have the most NUL bytes in their lengths
            started.sql("CREATE TABLE lengths AS SELECT repeat('x', n - 1) AS line"
                        " FROM unnest(ARRAY[1, 2, 256, 257, 65536, 65537, 16777216]) AS n", database=NAME)
            started.sql("SELECT lo_from_bytea(0, decode(repeat('00', 40000), 'hex')), lo_from_bytea(0, '')",
                        database=NAME)
            yield started
    except Missing as missing:
        # a failure under RESTORABLE_NO_SKIPS=1 (conftest.py), which .ci/run sets
        pytest.skip(str(missing))


def timeless(archive):
    """Return an archive without the moment at which it was made."""
    began = 12 if archive[6] >= 15 else 16
    return archive[:began] + archive[began + 35:]


def pieces(data, seed):
    """Yield data in pieces of random sizes, the first ones of single bytes."""
    chance = random.Random(seed)
    sizes = itertools.chain([1] * 40, iter(lambda: chance.choice((1, 7, 5_000, 300_000)), 0))
    place = 0
    for size in sizes:
        if place >= len(data):
            return
        yield data[place:place + size]
        place += size


@pytest.mark.parametrize("how", [("--compress=0",), (), ("--compress=0", "--inserts", "--exclude-table=lengths")])
def test_a_piped_archive_becomes_what_pg_dump_writes_into_a_file(server, tmp_path, how):
    words = ("--format=custom", *how)
    piped = kit.dump(server, NAME, *words)
    kit.dump(server, NAME, *words, f"--file={tmp_path}/whole")
    whole = (tmp_path / "whole").read_bytes()
    assert timeless(piped) != timeless(whole)
    with staged(pieces(piped, 7), "custom", str(tmp_path), server.bin_dir) as archive:
        with open(archive.path, "rb") as file:
            assert timeless(file.read()) == timeless(whole)
    assert missing_offsets([whole]) == []


def test_work_with_the_contents_begins_while_the_data_is_still_coming(server, tmp_path):
    piped = kit.dump(server, NAME, "--format=custom", "--compress=0")
    begun = threading.Event()

    def chunks():
        yield piped[:-1000]
        assert begun.wait(60)              # the last bytes come only after the contents were read
        yield piped[-1000:]

    def begin(archive):
        made = Made(True, archive.toc().database.encode())
        begun.set()
        return made

    with staged(chunks(), "custom", str(tmp_path), server.bin_dir, begin) as archive:
        assert archive.begun.result().properties == NAME.encode()


def test_what_was_begun_ends_before_an_archive_that_breaks_off_is_removed(server, tmp_path):
    piped = kit.dump(server, NAME, "--format=custom", "--compress=0")
    seen = []

    def chunks():
        yield piped[:-1000]
        raise Damaged("cut off", hint="Take another.")

    def begin(archive):
        time.sleep(0.5)
        seen.append(os.path.getsize(archive.path))
        raise ToolFailed("no such role")

    with pytest.raises(Damaged, match="cut off"), staged(chunks(), "custom", str(tmp_path), server.bin_dir, begin):
        seen.append("given")
    assert (seen, os.listdir(tmp_path)) == ([len(piped) - 1000], [])


def test_a_failure_of_what_was_begun_is_raised_to_who_asks_for_it(server, tmp_path):
    def begin(_archive):
        raise ToolFailed("no such role")

    piped = kit.dump(server, NAME, "--format=custom")
    with staged([piped], "custom", str(tmp_path), server.bin_dir, begin) as archive:
        with pytest.raises(ToolFailed, match="no such role"):
            archive.begun.result()


def test_what_is_cut_off_or_strange_is_left_as_it_is(server):
    piped = kit.dump(server, NAME, "--format=custom", "--compress=0")
    places = missing_offsets([piped])
    contents = places[-1][0]
    for end in [0, 5, 11, 12, 300, contents - 1, len(piped) // 2, len(piped) - 1]:
        assert missing_offsets([piped[:end]]) == [], end
    assert missing_offsets([piped + b"\x01"]) == []
    assert missing_offsets([piped[:6] + b"\x11" + piped[7:]]) == []      # version 1.17
    assert missing_offsets([b"-- PostgreSQL database dump\n"]) == []


def test_an_archive_is_read_to_its_end_whatever_it_is(server):
    piped = kit.dump(server, NAME, "--format=custom")
    for data in (piped, piped[:100] + bytes(1000) + piped[100:], b"x" * 1000):
        left = iter(kit.chunks(data, 10_000))
        missing_offsets(left)
        assert next(left, None) is None
