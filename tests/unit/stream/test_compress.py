# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from _restorable.errors import ConfigError, Damaged
from _restorable.stream import zstd
from _restorable.stream.compress import METHODS, compress_whole, compressor, decompressor
from _restorable.stream.frames import FrameWalk
from _restorable.stream.stage import rechunk
from kit.leftovers import nothing_left

MIB = 1024 * 1024
SAMPLE = b"".join(os.urandom(50_000) + bytes(200_000) + b"row of text\t" * 10_000 for _index in range(3))
SKIPPABLE = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc"

ENGINES = {"package": "zstandard", "stdlib": "stdlib", "program": "zstd"}


def have(engine):
    return shutil.which("zstd") is not None if engine == "program" else getattr(zstd, ENGINES[engine]) is not None


@pytest.fixture(params=["package", "program", *(["stdlib"] if have("stdlib") else [])])   # stdlib: Python 3.14
def engine(request, monkeypatch):
    """Leave only one of the three ways to zstd."""
    if not have(request.param):
        pytest.skip(f"zstd by the {request.param} is not on this host")
    for name in ("package", "stdlib"):
        if name != request.param:
            monkeypatch.setattr(zstd, ENGINES[name], None)
    return request.param


def pack(data, method="zstd", level=None):
    return b"".join(compressor(method, level)(rechunk([data], 70_000)))


def unpack(data, method="zstd", size=70_000):
    return b"".join(decompressor(method)(rechunk([data], size)))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("data", [b"", b"x", SAMPLE], ids=["empty", "one byte", "sample"])
def test_what_was_packed_comes_back(method, data):
    assert unpack(pack(data, method), method) == data


@pytest.mark.parametrize("data", [b"", b"x", SAMPLE], ids=["empty", "one byte", "sample"])
def test_every_way_to_zstd_gives_it_back(engine, data):
    with nothing_left():
        assert unpack(pack(data)) == data


@pytest.mark.parametrize("level", [1, 3, 9])
def test_every_way_to_zstd_writes_one_frame_with_a_checksum(engine, level):
    packed = pack(SAMPLE, level=level)
    assert packed[:4] == b"\x28\xb5\x2f\xfd"
    assert packed[4] & 4, "bit 2 of the frame header descriptor is Content_Checksum_flag (RFC 8878)"
    walk = FrameWalk()
    walk.add(packed)
    assert walk.frames == 1


@pytest.mark.skipif(shutil.which("zstd") is None, reason="the zstd program is not on this host")
def test_the_stock_program_reads_ours_and_we_read_its():
    packed = pack(SAMPLE)
    assert subprocess.run(["zstd", "-dc"], input=packed, capture_output=True, check=True).stdout == SAMPLE
    theirs = subprocess.run(["zstd", "-c", "-T2"], input=SAMPLE, capture_output=True, check=True).stdout
    assert unpack(theirs) == SAMPLE


def test_gzip_is_what_gzip_reads():
    assert gzip.decompress(pack(SAMPLE, "gzip")) == SAMPLE
    assert unpack(gzip.compress(SAMPLE), "gzip") == SAMPLE


def test_several_frames_are_one_stream(engine):
    packed = pack(b"one") + pack(b"") + SKIPPABLE + pack(b"two")
    for size in (1, 7, 1000):
        assert unpack(packed, size=size) == b"onetwo"


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_several_gzip_members_are_one_stream(size):
    assert unpack(pack(b"one", "gzip") + pack(b"two", "gzip"), "gzip", size) == b"onetwo"


@pytest.mark.parametrize("keep", [0, 1, 4, 5, 9, 1000, 0.5, -5, -4, -1])
def test_truncated_zstd_is_damaged_and_no_end(engine, keep):
    packed = pack(SAMPLE)
    cut = packed[:int(len(packed) * keep) if isinstance(keep, float) else keep]
    with nothing_left(), pytest.raises(Damaged) as caught:
        unpack(cut)
    assert caught.value.code == "stream.truncated"


def test_zstd_cut_in_its_second_frame_is_damaged(engine):
    with pytest.raises(Damaged) as caught:
        unpack(pack(SAMPLE) + pack(SAMPLE)[:-10])
    assert caught.value.code == "stream.truncated"


@pytest.mark.parametrize("keep", [0, 1, 9, 15, 0.5, -8, -1])
def test_truncated_gzip_is_damaged_and_no_end(keep):
    packed = pack(SAMPLE, "gzip")
    cut = packed[:int(len(packed) * keep) if isinstance(keep, float) else keep]
    with pytest.raises(Damaged) as caught:
        unpack(cut, "gzip")
    assert caught.value.code == "stream.truncated"


@pytest.mark.parametrize("tail", [b"x", b"garbage", b"\0" * 100])
def test_what_follows_the_end_is_damage(engine, tail):
    with nothing_left(), pytest.raises(Damaged):
        unpack(pack(SAMPLE) + tail)


@pytest.mark.parametrize("tail", [b"x", b"garbage"])
def test_what_follows_the_end_of_gzip_is_damage(tail):
    with pytest.raises(Damaged):
        unpack(pack(SAMPLE, "gzip") + tail, "gzip")


def test_what_was_never_zstd_is_damaged(engine):
    with pytest.raises(Damaged) as caught:
        unpack(b"PGDMP" + bytes(1000))
    assert caught.value.code == "stream.garbage"


@pytest.mark.parametrize("place", [0.001, 0.1, 0.3, 0.5, 0.7, 0.99])
def test_a_flipped_bit_in_zstd_is_damage(engine, place):
    packed = bytearray(pack(SAMPLE))
    packed[int(len(packed) * place)] ^= 0x10
    with pytest.raises(Damaged):
        unpack(bytes(packed))


@pytest.mark.parametrize("place", [0.1, 0.5, 0.99])
def test_a_flipped_bit_in_gzip_is_damage(place):
    packed = bytearray(pack(SAMPLE, "gzip"))
    packed[int(len(packed) * place)] ^= 0x10
    with pytest.raises(Damaged):
        unpack(bytes(packed), "gzip")


@pytest.mark.parametrize("method", ["zstd", "gzip"])
def test_a_stream_of_zeros_unpacks_in_constant_memory(method):
    packed = pack(bytes(200 * MIB), method)
    assert len(packed) < MIB
    tracemalloc.start()
    try:
        assert sum(map(len, decompressor(method)([packed]))) == 200 * MIB
        assert tracemalloc.get_traced_memory()[1] < 8 * MIB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("method", METHODS)
def test_an_input_that_fails_gives_no_end(method):
    def source():
        yield SAMPLE
        raise KeyError("upstream")

    packed = b""
    with pytest.raises(KeyError):
        for chunk in compressor(method)(source()):
            packed += chunk
    if method != "none":
        with pytest.raises(Damaged):
            unpack(packed, method)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("stage", [compressor, decompressor])
def test_a_consumer_that_stops_early_closes_the_source(method, stage):
    closed = []

    def source():
        try:
            while True:
                yield whole
        finally:
            closed.append(True)

    whole = os.urandom(MIB) if stage is compressor else pack(os.urandom(MIB), method)
    chunks = stage(method)(source())
    next(chunks)
    chunks.close()
    assert closed == [True]


@pytest.mark.parametrize(("method", "level", "code"), [
    ("lz4", None, "compression.method"), ("zstd", 0, "compression.level"), ("zstd", 23, "compression.level"),
    ("gzip", 10, "compression.level"), ("none", 1, "compression.level")])
def test_what_cannot_be_done_is_refused_by_name(method, level, code):
    with pytest.raises(ConfigError) as caught:
        compressor(method, level)
    assert caught.value.code == code
    assert caught.value.hint


def test_a_host_without_any_zstd_is_told_the_cure(monkeypatch):
    monkeypatch.setattr(zstd, "zstandard", None)
    monkeypatch.setattr(zstd, "stdlib", None)
    monkeypatch.setenv("PATH", "/nonexistent")
    for work in (lambda: list(compressor("zstd")([b"x"])), lambda: list(decompressor("zstd")([b"x"]))):
        with pytest.raises(ConfigError) as caught:
            work()
        assert caught.value.code == "compression.no_zstd"
        assert "zstandard" in caught.value.hint


@given(st.lists(st.binary(max_size=3000), max_size=5), st.integers(1, 500), st.data())
def test_a_walk_is_complete_at_the_frames_ends_and_nowhere_else(contents, size, data):
    frames = [pack(content) for content in contents]
    packed = b"".join(frames)
    ends = {sum(map(len, frames[:count])) for count in range(1, len(frames) + 1)}
    cut = data.draw(st.integers(0, len(packed)))
    walk = FrameWalk()
    for chunk in rechunk([packed[:cut]], size):
        walk.add(chunk)
    assert walk.complete == (cut in ends)
    assert not walk.garbage


def test_a_walk_knows_every_kind_of_header():
    if zstd.zstandard is None:
        pytest.skip("the zstandard package, which writes the odd headers, is not on this host")
    for size in (0, 1, 255, 256, 257, 65_791, 65_792, 200_000):
        for known in (True, False):
            for checksum in (True, False):
                packer = zstd.zstandard.ZstdCompressor(write_content_size=known, write_checksum=checksum)
                packed = packer.compress(bytes(size))
                walk = FrameWalk()
                walk.add(packed)
                assert walk.complete, (size, known, checksum)
                walk = FrameWalk()
                walk.add(packed[:-1])
                assert not walk.complete, (size, known, checksum)


@pytest.mark.parametrize("data", [b"", b"row", SAMPLE, bytes(4 * MIB)], ids=["empty", "short", "mixed", "zeros"])
def test_what_is_packed_in_one_piece_is_read_as_every_frame_is(engine, data):
    whole = compress_whole(1, memoryview(bytearray(data)))
    assert b"".join(decompressor("zstd")([whole])) == data
    with pytest.raises(Damaged):
        list(decompressor("zstd")([whole[:-1]]))
    with pytest.raises(ConfigError, match="compression level 20"):
        compress_whole(20, memoryview(data))


def test_wal_is_packed_with_a_window_that_stays_in_the_nearest_cache():
    data = memoryview(os.urandom(8192) * 64)
    windows = [zstd.zstandard.get_frame_parameters(compress_whole(level, data)).window_size for level in (1, 3)]
    assert windows[0] == 2 ** zstd.NEARBY["window_log"] < windows[1]
