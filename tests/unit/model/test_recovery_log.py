# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server's own words about its recovery are taken for."""
from __future__ import annotations

import pytest

from _restorable.errors import Damaged, Refused
from _restorable.model.lsn import Lsn
from _restorable.model.recovery_log import Told, all_replayed, why_it_died
from _restorable.model.recovery_target import Target

# of PostgreSQL 15, whose recovery_target_time lay behind the last commit
SHORT = """\
2026-11-27 05:16:02.101 UTC [71] LOG:  redo done at 0/4000110 system usage: CPU: user: 0.00 s, elapsed: 0.02 s
2026-11-27 05:16:02.101 UTC [71] LOG:  last completed transaction was at log time 2026-11-27 05:15:58.7+00
2026-11-27 05:16:02.101 UTC [71] FATAL:  recovery ended before configured recovery target was reached
"""


@pytest.mark.parametrize(("log", "last", "said"), [
    (SHORT, "0/4000000", True),
    (SHORT, "0/5000000", False),       # a segment that ends early: something is wrong with the WAL
    (SHORT, None, False),              # no WAL was archived
    (SHORT.replace("FATAL:  recovery ended", "FATAL:  something"), "0/4000000", False),
    (SHORT.partition("\n")[2], "0/4000000", False)])
def test_all_was_replayed_if_the_server_came_into_the_last_segment_before_it_missed_its_target(log, last, said):
    assert all_replayed(Told.read(log), Lsn.parse(last) if last else None) is said


@pytest.mark.parametrize(("last", "kind", "code", "words"), [
    ("0/4000000", Refused, "recover.not_reached", "the WAL ends before it, the last transaction"),
    ("0/5000000", Damaged, "recover.wal_unreadable", "replay ended behind 0/4000110, the last")])
def test_wal_that_cannot_be_read_to_its_end_is_not_said_to_end(last, kind, code, words):
    error = why_it_died(Told.read(SHORT), Target.of("name", "x"), "", Lsn.parse(last))
    assert (type(error), error.code) == (kind, code) and words in error.message
    assert ("--backup" in error.hint) is (kind is Refused)
