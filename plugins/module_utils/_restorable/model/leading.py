# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""How far a base backup and archived WAL lead without a gap, and whether WAL is known to lie behind one. Pure."""
from __future__ import annotations

from .base import BaseReport
from .lsn import Lsn
from .timeline import Lineage
from .wal import Segment
from .wal_catalogue import WalCatalogue


def lead(wal: WalCatalogue, lineage: Lineage, base: BaseReport, *, standby: bool = False) -> tuple[Lsn, bool]:
    """Return the first byte that cannot be replayed from archived WAL, and whether there was WAL beyond it.

    It is the base's start_lsn if nothing of the archive leads on from it. standby says that the base is a standby's.
    """
    begin = Lsn.parse(base.start_lsn)
    own = _inside(lineage, base, standby=standby) if base.self_contained else begin
    reach = wal.reach(lineage, begin)
    if reach < own:
        # the base brings this much itself, so a gap of the archive up to there is none
        further = wal.reach(lineage, own)
        reach = further if further > own else reach
    known = max(wal.newest(lineage), _switched(lineage, wal.segment_size))
    return max(reach, begin), known > max(reach, own, Lsn.parse(base.stop_lsn))


def segments_inside(base: BaseReport) -> int:
    """Return how many segments of WAL a base brings itself."""
    if not base.self_contained:
        return 0
    first = Lsn.parse(base.start_lsn).value // base.segment_size
    return Segment.before_lsn(base.timeline, Lsn.parse(base.stop_lsn), base.segment_size).number - first + 1


def _inside(lineage: Lineage, base: BaseReport, *, standby: bool) -> Lsn:
    """Return the end of the segments that a self-contained base brings complete.

    A primary ends the last one when the backup ends (xlog.c, do_pg_backup_stop); a standby goes on writing it.
    """
    last = Segment.before_lsn(base.timeline, Lsn.parse(base.stop_lsn), base.segment_size)
    left = lineage.timeline_at(last.number, base.segment_size) != base.timeline
    return last.start if standby or left else last.end


def _switched(lineage: Lineage, size: int) -> Lsn:
    """Return the begin of the segment in which the newest timeline began: all before it was written and complete.

    That segment itself is archived once the new timeline has filled it, so until then its lack is no gap.
    """
    return Lsn(lineage.begin.value // size * size)


def pending(lineage: Lineage, reach: Lsn, size: int) -> str:
    """Say what is not archived yet where WAL ends in the very segment of the last switch; "" elsewhere."""
    if not _switched(lineage, size) == reach < lineage.begin:
        return ""
    return (f"the WAL from {reach} up to the switch to timeline {lineage.timeline} at {lineage.begin} has not been "
            "archived yet")
