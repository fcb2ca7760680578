# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""zstd by whatever this host has: the zstandard package, Python 3.14's own module, or the zstd program."""
from __future__ import annotations

import shutil
import threading
from typing import Any, Callable, Iterable, Iterator

from ..errors import ConfigError, Damaged, ToolFailed
from .frames import FrameWalk
from .program import through
from .stage import CHUNK, Stage, owned

zstandard: Any = None
stdlib: Any = None
try:
    import zstandard as _zstandard
    zstandard = _zstandard
except ImportError:
    pass                               # python3-zstandard is not installed
try:
    from compression import zstd as _stdlib  # type: ignore[import-not-found,unused-ignore]
    stdlib = _stdlib
except ImportError:
    pass                               # Python before 3.14

# Threads inside the compressor. 0 works in the thread of the stream: at level 1 that takes less processor time than
# handing the data over (0.9 against 1.2 to 1.5 s/GB) and 20 MB less memory, and the other processor is PostgreSQL's.
THREADS = 0
# WAL repeats itself nearby. Level 1 with this window and this table of 16 KiB, that stays in the nearest cache, against
# its own of 512 KiB and 64 KiB: a sixth less processor time, 2 % smaller (updates of a table), 1 % larger (pgbench).
NEARBY = {"window_log": 17, "hash_log": 12}
_threads = threading.local()       # a compressor of each thread's own for each level
_WINDOW_LOG_MAX = 27               # 128 MiB, what the zstd program accepts unasked


def zstd_compressor(level: int) -> Stage:
    """Return the stage that compresses into one frame with a checksum of its content."""
    if zstandard is not None:
        return _compress_by(lambda: zstandard.ZstdCompressor(level=level, write_checksum=True,
                                                             threads=THREADS).compressobj())
    if stdlib is not None:
        options = {stdlib.CompressionParameter.compression_level: level,
                   stdlib.CompressionParameter.checksum_flag: 1,
                   stdlib.CompressionParameter.nb_workers: THREADS}
        return _compress_by(lambda: stdlib.ZstdCompressor(options=options))
    return through([_program(), "-q", "-c", f"-{level}", "--check", "--single-thread"])


def zstd_whole(level: int, data: memoryview) -> bytes:
    """Return data as one frame with a checksum of its content; level 1 looks for what repeats itself nearby."""
    if zstandard is not None:
        own: dict[int, Any] = _threads.__dict__.setdefault("by_level", {})
        if level not in own:           # its tables are used again, which saves a twentieth of a segment's work
            nearby = NEARBY if level == 1 else {}
            how = zstandard.ZstdCompressionParameters.from_level(level, write_checksum=1, **nearby)
            own[level] = zstandard.ZstdCompressor(compression_params=how)
        return bytes(own[level].compress(data))
    return b"".join(zstd_compressor(level)([bytes(data)]))


def zstd_decompressor() -> Stage:
    """Return the stage that decompresses any number of frames and checks their checksums."""
    if zstandard is not None:
        return _by_package
    return _by_stdlib if stdlib is not None else _by_program


def _compress_by(new: Callable[[], Any]) -> Stage:
    def stage(chunks: Iterable[bytes]) -> Iterator[bytes]:
        packer = new()
        with owned(chunks) as source:
            for chunk in source:
                packed = packer.compress(chunk)
                if packed:
                    yield packed
        yield packer.flush()

    return stage


class _Reader:
    """Gives chunks by read(), as the package's reader wants them, and follows the frames."""

    def __init__(self, source: Iterator[bytes]) -> None:
        self._source = source
        self._rest = memoryview(b"")
        self.walk = FrameWalk()

    def read(self, size: int) -> bytes:
        while not self._rest:
            chunk = next(self._source, None)
            if chunk is None:
                return b""
            self._rest = memoryview(chunk)
        data, self._rest = bytes(self._rest[:size]), self._rest[size:]
        self.walk.add(data)
        return data


def _by_package(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Decompress by zstandard's reader, whose output is bounded; it ends silently where the input ends."""
    with owned(chunks) as source:
        feed = _Reader(source)
        unpacker = zstandard.ZstdDecompressor(max_window_size=1 << _WINDOW_LOG_MAX)
        with unpacker.stream_reader(feed, read_across_frames=True) as reader:
            while True:
                try:
                    plain = reader.read(CHUNK)
                except zstandard.ZstdError as error:
                    raise _garbage(error) from error
                if not plain:
                    break
                yield plain
        if not feed.walk.complete:
            raise _truncated()


def _by_stdlib(chunks: Iterable[bytes]) -> Iterator[bytes]:
    def new() -> Any:
        return stdlib.ZstdDecompressor(options={stdlib.DecompressionParameter.window_log_max: _WINDOW_LOG_MAX})

    unpacker = new()
    with owned(chunks) as source:
        for chunk in source:
            data = chunk
            while data or not (unpacker.needs_input or unpacker.eof):
                if unpacker.eof:
                    unpacker = new()
                try:
                    plain = unpacker.decompress(data, CHUNK)
                except stdlib.ZstdError as error:
                    raise _garbage(error) from error
                data = unpacker.unused_data if unpacker.eof else b""
                if plain:
                    yield plain
    if not unpacker.eof:
        raise _truncated()


def _by_program(chunks: Iterable[bytes]) -> Iterator[bytes]:
    walk = FrameWalk()
    try:
        yield from through([_program(), "-q", "-d", "-c"])(walk.watch(chunks))
    except ToolFailed as error:
        raise (_garbage(error) if walk.complete or walk.garbage else _truncated()) from error
    if not walk.complete:
        raise _truncated()


def _program() -> str:
    found = shutil.which("zstd")
    if found is None:
        raise ConfigError("nothing on this host can read or write zstd", code="compression.no_zstd",
                          hint="Install the Python package zstandard (Debian: python3-zstandard) or the program "
                               "zstd, or set compression to gzip.")
    return found


def _garbage(error: Exception) -> Damaged:
    return Damaged(f"zstd data is damaged: {error}", code="stream.garbage",
                   hint="Use another backup or another repository's copy of it.")


def _truncated() -> Damaged:
    return Damaged("zstd data ends before its end", code="stream.truncated",
                   hint="Use another backup or another repository's copy of it.")
