# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WAL that no server wrote: segments with a true first page, in a folder that looks like pg_wal."""
from __future__ import annotations

import hashlib
import struct
from pathlib import Path
from typing import Callable, Iterator

from _restorable.model.wal import Segment, WalFile

MIB = 2**20
SYSTEM = 7_000_000_000_000_000_001
NAMES = tuple(Segment(1, number, MIB).name for number in range(1, 40))


def segment_bytes(name: str, *, system: int = SYSTEM, size: int = MIB, fill: bytes = b"", timeline: int = 0) -> bytes:
    """Return a segment that says it is this one of that server; fill makes its content another one."""
    file = WalFile.parse(name)
    head = struct.pack("<HHIQI4xQII", 0xD110, 2, timeline or file.timeline, file.segment(size).start.value, 0, system,
                       size, 8192)
    body = (fill or hashlib.sha256(name.encode()).digest()) * 64
    return (head + body).ljust(size, b"\0")


def text_bytes(name: str, *, left: int = 3) -> bytes:
    """Return a history file of a timeline, whose parent was left at the end of a segment, or of a base backup."""
    if name.endswith(".history"):
        return f"{int(name[:8], 16) - 1}\t0/{left * MIB:X}\tno recovery target specified\n".encode()
    start = WalFile.parse(name).segment(MIB).start.value + int(name[25:33], 16)
    return f"START WAL LOCATION: {start >> 32:X}/{start & 0xFFFFFFFF:X} (file {name[:24]})\n".encode()


class GivenWal:
    """A source of WAL (ops/wal_ports.py) whose files have the contents that a function gives by their names."""

    def __init__(self, contents: Callable[[str], bytes]) -> None:
        self._contents = contents

    def system_identifier(self) -> str:
        """Return "": nobody asks a server."""
        return ""

    def read(self, name: str) -> Iterator[bytes]:
        """Yield a file's bytes."""
        yield self._contents(name)

    def read_into(self, name: str, buffer: memoryview) -> Iterator[memoryview]:
        """Fill the buffer with a file's bytes and yield them."""
        data = self._contents(name)
        buffer[:len(data)] = data
        yield buffer[:len(data)]


class FakeServer:
    """A data directory whose server has finished the files that finish() names."""

    def __init__(self, folder: Path, *, system: int = SYSTEM) -> None:
        self.data = folder
        self.system = system
        self.wal = folder / "pg_wal"
        self.status = self.wal / "archive_status"
        self.status.mkdir(parents=True, mode=0o700)
        (folder / "global").mkdir()
        (folder / "global" / "pg_control").write_bytes(struct.pack("=QI", system, 1800))

    def finish(self, *names: str, fill: bytes = b"") -> None:
        """Write files and mark them ready to be archived."""
        for name in names:
            whole = name.endswith((".history", ".backup"))
            content = text_bytes(name) if whole else segment_bytes(name, system=self.system, fill=fill)
            (self.wal / name).write_bytes(content)
            (self.status / f"{name}.ready").touch()

    def archived(self, *names: str) -> None:
        """Do what PostgreSQL does when archive_command has said 0."""
        for name in names:
            (self.status / f"{name}.ready").rename(self.status / f"{name}.done")
