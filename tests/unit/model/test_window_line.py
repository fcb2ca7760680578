# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The window is drawn as a person would draw it."""
from __future__ import annotations

from _restorable.model.base import BaseReport
from _restorable.model.lsn import Lsn
from _restorable.model.naming import BackupId
from _restorable.model.recovery import Window
from _restorable.model.window_line import draw
from kit.history import at


def window(begin: str, until: str = "", *, kind: str = "base", inside: bool = False) -> Window:
    """Return what can be reached from a base that ended at begin."""
    base = BaseReport("0/2000028", "0/2000100", 1, at(begin).isoformat(), 9, 9, self_contained=inside)
    reach = Lsn.parse("0/9000000") if until else Lsn.parse("0/2000028")
    return Window(BackupId(at(begin), kind), base, reach, at(until) if until else None)


def test_nothing_is_drawn_of_nothing():
    assert draw([]) == "" and draw([window("2026-07-01")]) == ""


def test_bases_and_the_wal_between_them_are_one_line():
    line = draw([window("2026-07-01", "2026-07-11"), window("2026-07-06", "2026-07-11", kind="incr")], width=11)
    assert line == "2026-07-01 00:00  B────i─────  2026-07-11 00:00 UTC"


def test_a_gap_is_seen():
    line = draw([window("2026-07-01", "2026-07-04"), window("2026-07-08", "2026-07-11")], width=11)
    assert line == "2026-07-01 00:00  B───···B───  2026-07-11 00:00 UTC"


def test_a_base_without_wal_is_a_letter_alone():
    line = draw([window("2026-07-01", inside=True), window("2026-07-11", inside=True)], width=11)
    assert line == "2026-07-01 00:00  B·········B  2026-07-11 00:00 UTC"
    assert draw([window("2026-07-01", inside=True)]) == "2026-07-01 00:00:00  B  2026-07-01 00:00:00 UTC"


def test_a_short_window_is_told_to_the_second():
    line = draw([window("2026-07-01T03:00:05", "2026-07-01T03:00:47")], width=11)
    assert line == "2026-07-01 03:00:05  B──────────  2026-07-01 03:00:47 UTC"
