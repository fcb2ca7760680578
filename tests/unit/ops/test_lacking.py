# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which base backups a repository lacks: those that its own retention keeps, and what these stand on."""
from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from _restorable.model.catalogue import Backup, Catalogue
from _restorable.model.naming import BackupId
from _restorable.model.policy import Policy
from _restorable.ops.lacking import lacking

NOW = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
FULL, SECOND, LATE = (BackupId(NOW - timedelta(days=days), "base") for days in (9, 6, 1))
ON_FULL, ON_SECOND = (BackupId(NOW - timedelta(days=days), "incr") for days in (8, 5))
PARENTS = {ON_FULL: FULL, ON_SECOND: SECOND}


def never():
    raise AssertionError("no manifest is read for this")


def wanted(*ids, keep, parents=lambda: PARENTS, here=()):
    def catalogue(backups):
        return Catalogue("shop", tuple(Backup(each, 1, True) for each in sorted(backups)))
    policies = {"dump": Policy.of({}), "base": Policy.of({"last": keep, "min_keep": 0, "min_age": "0"})}
    return [each.id for each in lacking(catalogue(here), [catalogue(ids)], policies, NOW, parents)]


def test_what_the_target_would_prune_at_once_is_not_wanted():
    assert wanted(FULL, SECOND, LATE, keep=1, parents=dict) == [LATE]
    assert wanted(FULL, SECOND, LATE, keep=2, parents=dict) == [SECOND, LATE]


@pytest.mark.parametrize("here", [(), (FULL,)])
def test_nothing_is_read_where_nothing_would_be_dropped_that_is_not_there(here):
    assert wanted(SECOND, ON_SECOND, LATE, keep=3, parents=never, here=here) == [SECOND, ON_SECOND, LATE]


def test_an_incremental_that_is_kept_brings_what_it_stands_on_and_nothing_else():
    assert wanted(FULL, ON_FULL, SECOND, ON_SECOND, keep=1) == [SECOND, ON_SECOND]


def test_a_parent_is_wanted_for_an_incremental_that_is_there_already():
    assert wanted(FULL, ON_FULL, SECOND, keep=1, here=(ON_SECOND,)) == [SECOND]


def test_where_no_manifest_tells_the_parent_all_that_is_older_is_wanted():
    unknown = {ON_FULL: FULL, ON_SECOND: None}
    assert wanted(FULL, ON_FULL, SECOND, ON_SECOND, LATE, keep=2, parents=lambda: unknown) == [
        FULL, ON_FULL, SECOND, ON_SECOND, LATE]
