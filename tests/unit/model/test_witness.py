# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rows a recovered server must have: those committed before where it stopped, on its own line of history."""
from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from _restorable.errors import ConfigError, Damaged
from _restorable.model.lsn import Lsn
from _restorable.model.reading import Reader
from _restorable.model.timeline import Ancestor, Lineage
from _restorable.model.witness import Witness, WitnessRow, judge_rows, witness_job

BEGIN = datetime(2026, 11, 20, 13, 0, tzinfo=timezone.utc)
STRAIGHT = Lineage(1)
FORKED = Lineage(2, (Ancestor(1, Lsn(250)),))      # what timeline 1 wrote behind 250 is no part of it


def row(number: int, token: str = "t") -> WitnessRow:
    return WitnessRow(number, BEGIN + timedelta(minutes=number), f"{token}{number}")


def known(number: int, token: str = "t") -> Witness:
    """Return a row that a manifest tells of, committed before 100 times its number."""
    return Witness(row(number, token), 1, Lsn(100 * number))


def judge(there, told, *, replayed=1000, until=None, lineage=STRAIGHT, keep=400):
    return judge_rows([row(each) for each in there], told, lineage=lineage, replayed=Lsn(replayed),
                      until=BEGIN + timedelta(minutes=until) if until is not None else None,
                      keep=timedelta(days=keep))


@pytest.mark.parametrize(("there", "told", "options"), [
    ([1, 2, 3], [1, 2, 3], {}),                        # all of them
    ([1, 2], [1, 2, 3], {"replayed": 299}),            # the third was committed later than recovery came
    ([1, 2, 3], [2], {}),                              # rows that no manifest tells of
    ([1, 2], [1, 2, 3], {"lineage": FORKED}),          # the third was lost with the old primary
    ([2, 3], [2, 3], {}),                              # the first was deleted, long ago
    ([1, 2], [1, 2], {"until": 2}),                    # as old as the target
    ([], [], {})])
def test_rows_that_must_be_there_are_there(there, told, options):
    words = judge(there, [known(each) for each in told], **options)
    assert words.startswith(f"{len(there)} rows")


@pytest.mark.parametrize(("there", "told", "options", "named"), [
    ([1, 2], [3], {}, "row 3 .* is lost"),
    ([], [1], {}, "row 1 .* is lost"),
    ([1, 3], [], {}, "row 2 is lost between 1 and 3"),
    ([1, 2], [], {"until": 1}, "row 2 .* is there, the target is"),
    ([1, 2, 3], [3], {"lineage": FORKED, "until": 2}, "row 3 .* is there")])
def test_a_row_that_is_lost_or_too_new_is_named(there, told, options, named):
    with pytest.raises(Damaged, match=named):
        judge(there, [known(each) for each in told], **options)


def test_a_row_that_was_altered_is_another_one():
    with pytest.raises(Damaged, match="row 2 .* is another one"):
        judge([1, 2], [known(2, token="x")])


def test_what_was_old_enough_to_be_deleted_is_not_expected():
    old = Witness(WitnessRow(1, BEGIN - timedelta(days=3), "t1"), 1, Lsn(100))
    assert "all 1 that" in judge([2], [old, known(2)], keep=2)


def test_a_manifest_keeps_it_and_gives_it_back():
    assert Witness.of(known(7).as_dict()) == known(7)


def test_nothing_is_written_unless_a_database_is_named():
    assert witness_job(Reader({}, "clusters.app.witness")).database == ""
    with pytest.raises(ConfigError, match="clusters.app.witness.keep is '2h'"):
        witness_job(Reader({"database": "app", "keep": "2h"}, "clusters.app.witness"))
