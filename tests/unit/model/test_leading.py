# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a base and the archive lead, what is a gap, and what has only not come yet; segments of 1 MiB."""
from __future__ import annotations

import pytest

from _restorable.model.base import BaseReport
from _restorable.model.leading import lead, pending
from _restorable.model.lsn import Lsn
from _restorable.model.timeline import Ancestor, Lineage
from _restorable.model.wal import Segment
from _restorable.model.wal_catalogue import WalCatalogue
from _restorable.model.wal_naming import binding_key, wal_key

MIB = 2**20
ONE = Lineage(1)
PROMOTED = Lineage(2, (Ancestor(1, Lsn(8 * MIB + 700)),))      # in the midst of segment 8
AT_A_BORDER = Lineage(2, (Ancestor(1, Lsn(8 * MIB)),))
TWICE = Lineage(3, (*PROMOTED.ancestors, Ancestor(2, Lsn(12 * MIB + 9))))


def archive(*runs: tuple[int, int, int]) -> WalCatalogue:
    """Return an archive of runs of segments: timeline, first, last."""
    names = [Segment(timeline, number, MIB).name for timeline, first, last in runs
             for number in range(first, last + 1)]
    return WalCatalogue.of([(key, 1) for key in sorted([*(wal_key("a", name, "ab" * 32, "") for name in names),
                                                        binding_key("a", MIB)])])


def base(inside: bool) -> BaseReport:
    """Return a base that began in segment 5 and ended in segment 6."""
    return BaseReport(str(Lsn(5 * MIB + 40)), str(Lsn(6 * MIB + 90)), 1, "2026-07-05T00:00:00+00:00", 9, 9, MIB,
                      self_contained=inside)


@pytest.mark.parametrize(("runs", "lineage", "inside", "reach", "beyond"), [
    # one timeline
    ([(1, 5, 9)], ONE, False, 10, False),
    ([(1, 5, 6), (1, 8, 9)], ONE, False, 7, True),
    # directly after a promotion: the newest timeline has no segment of its own yet
    ([(1, 5, 7)], PROMOTED, False, 8, False),
    ([(1, 5, 6)], PROMOTED, False, 7, True),
    ([(1, 5, 5), (1, 7, 7)], PROMOTED, False, 6, True),
    ([(1, 5, 6)], AT_A_BORDER, False, 7, True),
    # the parent went on writing beside its child: what lies behind the switch is of another history
    ([(1, 5, 7), (1, 9, 20)], PROMOTED, False, 8, False),
    ([(1, 5, 6), (2, 8, 9)], PROMOTED, False, 7, True),
    ([(1, 5, 7), (2, 8, 8), (2, 10, 11)], TWICE, False, 9, True),
    ([(1, 5, 7), (2, 8, 10)], TWICE, False, 11, True),
    ([(1, 5, 7), (2, 8, 11)], TWICE, False, 12, False),
    # a base that brings its own WAL goes on with the segment behind it
    ([(1, 7, 9)], ONE, True, 10, False),
    ([(1, 6, 9)], ONE, True, 10, False),
    ([(1, 5, 5), (1, 7, 9)], ONE, True, 10, False),
    ([(1, 5, 9)], ONE, True, 10, False),
    ([(1, 2, 4)], ONE, True, None, False),
    ([(1, 6, 6)], ONE, True, None, False),
    ([], ONE, True, None, False),
    ([(1, 8, 9)], ONE, True, None, True),
    ([(1, 5, 5), (1, 8, 9)], ONE, True, 6, True),
    # one that does not bring it cannot
    ([(1, 6, 9)], ONE, False, None, True)])
def test_a_gap_is_told_from_the_end(runs, lineage, inside, reach, beyond):
    wanted = Lsn(reach * MIB) if reach else Lsn.parse(base(inside).start_lsn)
    assert lead(archive(*runs), lineage, base(inside)) == (wanted, beyond)


@pytest.mark.parametrize(("runs", "reach", "beyond"), [([(1, 6, 9)], 10, False), ([(1, 7, 9)], None, True)])
def test_a_standby_does_not_complete_the_last_segment_that_its_base_brings(runs, reach, beyond):
    wanted = Lsn(reach * MIB) if reach else Lsn.parse(base(True).start_lsn)
    assert lead(archive(*runs), ONE, base(True), standby=True) == (wanted, beyond)


def test_wal_of_the_switch_that_has_not_come_yet_is_told():
    assert "up to the switch to timeline 2 at 0/8002BC" in pending(PROMOTED, Lsn(8 * MIB), MIB)
    for lineage, reach in ((ONE, 8), (PROMOTED, 9), (AT_A_BORDER, 8)):
        assert pending(lineage, Lsn(reach * MIB), MIB) == ""
