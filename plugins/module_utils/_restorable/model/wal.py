# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Files of the WAL by their names: segments, partial segments, backup and timeline history. Pure.

The names are those of PostgreSQL's xlog_internal.h: a segment is eight hexadecimal digits of its timeline and sixteen
of its number, whose split into two halves depends on the segment size that initdb was given.
"""
from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ..errors import ConfigError
from .lsn import Lsn

SIZE = 16 * 1024 * 1024            # bytes of a segment unless initdb was told otherwise
SIZES = tuple(1024 * 1024 << power for power in range(11))      # 1 MiB to 1 GiB

_NAME = re.compile(r"([0-9A-F]{8})(?:([0-9A-F]{8})([0-9A-F]{8})(\.partial|\.[0-9A-F]{8}\.backup)?|(\.history))")


@dataclass(frozen=True, order=True)
class Segment:
    """One segment: sorts by timeline, then by place."""

    timeline: int
    number: int                    # its first byte is number * size
    size: int = SIZE

    @classmethod
    def parse(cls, name: str, size: int = SIZE) -> Segment:
        """Read a segment's name of 24 digits; raise ConfigError for another file or a name no such segment has."""
        found = _NAME.fullmatch(name)
        if not found or not found[2] or found[4]:
            raise _bad(name)
        return WalFile.parse(name).segment(size)

    @classmethod
    def of_lsn(cls, timeline: int, lsn: Lsn, size: int = SIZE) -> Segment:
        """Return the segment that holds the byte at lsn."""
        return cls(timeline, lsn.value // size, size)

    @classmethod
    def before_lsn(cls, timeline: int, lsn: Lsn, size: int = SIZE) -> Segment:
        """Return the segment that holds the last byte before lsn, as the end of a backup needs it."""
        return cls(timeline, max(lsn.value - 1, 0) // size, size)

    @property
    def name(self) -> str:
        """Return the file's name, such as 0000000100000002000000FF."""
        log, place = divmod(self.number, 0x100000000 // self.size)
        return f"{self.timeline:08X}{log:08X}{place:08X}"

    @property
    def start(self) -> Lsn:
        """Return the place of its first byte."""
        return Lsn(self.number * self.size)

    @property
    def end(self) -> Lsn:
        """Return the place after its last byte."""
        return Lsn((self.number + 1) * self.size)

    def next(self, count: int = 1) -> Segment:
        """Return the segment so many places later on the same timeline."""
        return replace(self, number=self.number + count)


@dataclass(frozen=True)
class WalFile:
    """A file that PostgreSQL archives; kind is segment, partial, backup or history."""

    name: str
    kind: str
    timeline: int
    log: int = 0                   # the upper and the lower half of a segment's number
    place: int = 0

    @classmethod
    def parse(cls, name: str) -> WalFile:
        """Read any archived file's name; raise ConfigError for every other one."""
        found = _NAME.fullmatch(name)
        timeline = int(found[1], 16) if found else 0
        if not found or not timeline:
            raise _bad(name)
        if found[5]:
            return cls(name, "history", timeline)
        kind = "segment" if not found[4] else "partial" if found[4] == ".partial" else "backup"
        return cls(name, kind, timeline, int(found[2], 16), int(found[3], 16))

    def segment(self, size: int = SIZE) -> Segment:
        """Return the segment that this file is, is a part of, or tells of; raise ConfigError if none has that name."""
        if self.kind == "history" or self.place >= 0x100000000 // size:
            raise _bad(self.name)
        return Segment(self.timeline, self.log * (0x100000000 // size) + self.place, size)


def is_wal_name(name: str) -> bool:
    """Say whether PostgreSQL may ask for a file of this name to be archived or restored."""
    found = _NAME.fullmatch(name)
    return bool(found) and int(name[:8], 16) > 0


def history_name(timeline: int) -> str:
    """Return the name of a timeline's history file, such as 00000002.history."""
    return f"{timeline:08X}.history"


def _bad(name: str) -> ConfigError:
    return ConfigError(f"{name!r} is no name of a WAL file of this cluster", code="wal.bad_name",
                       hint="Give the name that PostgreSQL gives as %f, such as 000000010000000000000007.")
