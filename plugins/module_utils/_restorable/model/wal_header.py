# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""What the first page of a segment says of itself: whose it is, which place it has, how long it is. Pure.

The layout is XLogLongPageHeaderData of PostgreSQL's xlog_internal.h, in the byte order of the server.
"""
from __future__ import annotations

import struct
from dataclasses import dataclass

from ..errors import Damaged
from .lsn import Lsn
from .wal import SIZES

LENGTH = 40                        # bytes
_LONG = 0x0002                     # XLP_LONG_HEADER
_OLDEST, _NEWEST = 0xD100, 0xD1FF  # XLOG_PAGE_MAGIC: D106 is PostgreSQL 13, D118 is 18


@dataclass(frozen=True)
class SegmentHeader:
    """The header of a segment's first page."""

    magic: int
    timeline: int                  # of the page's writer; a segment copied at a switch keeps its parent's
    address: Lsn
    system_identifier: str
    segment_size: int

    @classmethod
    def parse(cls, head: bytes, name: str) -> SegmentHeader:
        """Read the first bytes of a segment; raise Damaged if they begin no WAL."""
        for order in "<>":
            if len(head) >= LENGTH:
                magic, info, timeline, address, _rest, system, size, _block = \
                    struct.unpack(f"{order}HHIQI4xQII", head[:LENGTH])
                if _OLDEST <= magic <= _NEWEST and info & _LONG and size in SIZES:
                    return cls(magic, timeline, Lsn(address), str(system), size)
        raise Damaged(f"file {name} does not begin as a WAL segment does", code="wal.no_segment",
                      hint="Look at it with `pg_waldump`; if the server writes such segments, its disk is failing.")
