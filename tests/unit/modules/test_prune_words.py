# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pg_prune says and draws of what a plan could not do."""
from __future__ import annotations

import pytest

ROW = {"time": "2026-11-20T03:00:00+00:00", "size": 10, "reasons": ["no tier wants it"]}


def repository(**more):
    return {"repository": "offsite", "policy": "daily 7", "kept": [], "dropped": [], "retained": [], "stayed": [],
            "freed": 0, "error": "", "wal": {"runs": []}, **more}


@pytest.fixture
def module():
    from ansible_collections.restorable.postgres.plugins.modules import pg_prune
    return pg_prune


def test_what_locks_keep_and_what_stayed_is_told_with_the_reason(module):
    row = repository(dropped=[{**ROW, "backup": "a"}], freed=10, error="the disk is read-only",
                     retained=[{**ROW, "backup": "b", "until": "2026-12-01"}], stayed=[{**ROW, "backup": "c"}])
    assert module._in_words([row]) == (
        "offsite: 0 kept, 1 dropped (10 B), 1 retained, 1 stayed, the disk is read-only")
    assert module.plan_diff("shop", row)["prepared"].splitlines() == [
        "shop in offsite: keep daily 7", "  c  stayed  could not be deleted", "  b  retained  locked until 2026-12-01",
        "- a  drop  no tier wants it", "  not pruned to the end: the disk is read-only"]


def test_a_plan_that_was_carried_out_says_no_more_than_that(module):
    assert module._in_words([repository()]) == "offsite: 0 kept, 0 dropped (0 B)"
