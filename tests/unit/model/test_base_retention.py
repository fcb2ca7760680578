# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No incremental loses what it stands on."""
from __future__ import annotations

from datetime import timedelta

from _restorable.model.base_retention import keep_parents
from _restorable.model.naming import BackupId
from _restorable.model.retention import plan_prune
from kit.history import at, backup, days, fates, tiers

FULL, ONE, TWO = backup("2026-07-05", "base"), backup("2026-07-06", "incr"), backup("2026-07-07", "incr")
OTHER = backup("2026-07-12", "base")
CHAIN = {ONE.id: FULL.id, TWO.id: ONE.id}


def plan(*candidates, **policy):
    return plan_prune(candidates, tiers(max_delete_percent=100, **policy), at("2026-07-20"))


def test_a_kept_incremental_keeps_its_parents_down_to_the_full_one():
    kept = keep_parents(plan(FULL, ONE, TWO, last=1), CHAIN)
    assert days(kept) == ["2026-07-05", "2026-07-06", "2026-07-07"]
    assert fates(kept)[str(FULL.id)] == f"keep: parent of {TWO.id}"
    assert fates(kept)[str(ONE.id)] == f"keep: parent of {TWO.id}"


def test_a_chain_that_nothing_wants_goes_as_a_whole():
    assert days(keep_parents(plan(FULL, ONE, TWO, OTHER, last=1), CHAIN)) == ["2026-07-12"]


def test_an_incremental_whose_parent_cannot_be_read_keeps_everything_older():
    kept = keep_parents(plan(FULL, ONE, TWO, last=1), {TWO.id: None})
    assert days(kept) == ["2026-07-05", "2026-07-06", "2026-07-07"]
    assert "cannot be read" in fates(kept)[str(FULL.id)]


def test_a_loop_ends():
    assert days(keep_parents(plan(FULL, ONE, last=1), {ONE.id: FULL.id, FULL.id: ONE.id})) == [
        "2026-07-05", "2026-07-06"]


def test_dumps_are_untouched_by_chains():
    dump = backup("2026-07-01")
    assert fates(keep_parents(plan(dump, OTHER, last=1), CHAIN))[str(dump.id)].startswith("keep: last#1")


def test_a_long_chain_is_kept_whole():
    start = BackupId(at("2026-01-01"), "base")
    links = [start]
    while len(links) < 300:
        links.append(BackupId(links[-1].time + timedelta(hours=1), "incr"))
    from _restorable.model.retention import Candidate
    found = keep_parents(plan(*(Candidate(each) for each in links), last=1), dict(zip(links[1:], links)))
    assert len(found.kept) == 300
