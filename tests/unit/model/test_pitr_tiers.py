# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tiers that want no later moment: which WAL their base backups keep, by the policy that a user writes."""
from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from _restorable.errors import ConfigError
from _restorable.model.base_retention import keep_parents, without_pitr
from _restorable.model.lsn import Lsn
from _restorable.model.naming import BackupId
from _restorable.model.policy import Policy
from _restorable.model.retention import Candidate, Plan, Row, plan_prune
from _restorable.model.settings import Settings
from _restorable.model.wal_retention import BaseSpan, wal_keep

MIB = 2**20
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=timezone.utc)
FLOORS = {"min_keep": 0, "max_delete_percent": 100}
BARE = {"monthly": {"keep": 12, "pitr": False}}


def taken(days: int, kind: str = "base") -> BackupId:
    return BackupId(NOW - timedelta(days=days), kind)


def wal_of(policy: Policy, ages: list[int], window: int | None = None) -> dict[int, str]:
    """Return, by days of age, what stays of a day's ten segments: all, own (the first two) or nothing."""
    plan = plan_prune([Candidate(taken(each)) for each in ages], policy, NOW, confirmed=True)
    kept, bare = {row.id for row in plan.kept}, without_pitr(plan, policy)
    spans = [BaseSpan(str(taken(each)), NOW - timedelta(days=each), 1, Lsn((1000 - each) * 10 * MIB),
                      Lsn(((1000 - each) * 10 + 2) * MIB), taken(each) not in bare)
             for each in ages if taken(each) in kept]
    keep = wal_keep(spans, timedelta(days=window) if window else None, NOW, MIB)
    found = {}
    for each in ages:
        there = [bool(keep.reason(1, (1000 - each) * 10 + number)) for number in range(10)]
        found[each] = {(True,) * 10: "all", (True, True, *(False,) * 8): "own", (False,) * 10: "nothing"}[tuple(there)]
    return found


AGES = [0, 1, 2, 20, 21, 50, 51, 81]       # the last of October is 20 days ago, of September 51, of August 81


@pytest.mark.parametrize(("tiers", "window", "expected"), [
    # every tier with PITR: all since the oldest kept base
    ({"daily": 2, "monthly": 12}, None, dict.fromkeys(AGES, "all")),
    # the months keep themselves alone, the days everything since
    ({"daily": 2, **BARE}, None, {0: "all", 1: "all", 2: "nothing", 20: "own", 21: "nothing", 50: "nothing",
                                  51: "own", 81: "own"}),
    # said expressly, with PITR is the default
    ({"daily": 2, "monthly": {"keep": 12, "pitr": True}}, None, dict.fromkeys(AGES, "all")),
    # no tier with PITR: the floor of the newest alone keeps what was written since
    (BARE, None, {0: "all", 1: "nothing", 2: "nothing", 20: "own", 21: "nothing", 50: "nothing", 51: "own",
                  81: "own"}),
    # a window in days decides where it is set, from the last base before it
    ({"daily": 2, **BARE}, 30, {**dict.fromkeys(AGES, "all"), 81: "own"})])
def test_the_wal_of_each_base_backup(tiers, window, expected):
    assert wal_of(Policy.of({**tiers, **FLOORS}, bases=True), AGES, window) == expected


@pytest.mark.parametrize(("why", "bare"), [
    (("monthly#1",), True), (("monthly#1", "daily#2"), False),
    (("monthly#1", "floor:newest"), False), (("held",), False),
    (("monthly#2", "yearly#1"), False), (("floor:oldest",), True)])
def test_a_base_backup_is_bare_only_if_nothing_else_wants_it(why, bare):
    policy = Policy.of({"daily": 2, "yearly": 1, **BARE}, bases=True)
    assert (without_pitr(Plan((Row(taken(3), True, why),)), policy) == {taken(3)}) is bare


def test_a_parent_is_as_bare_as_what_stands_on_it():
    policy = Policy.of({"daily": 2, **BARE}, bases=True)
    full, child = taken(9), taken(8, "incr")
    rows = (Row(child, True, ("monthly#1",)), Row(full, False, ("no tier wants it",)))
    plan = keep_parents(Plan(rows), {child: full})
    assert without_pitr(plan, policy) == {full, child}


def test_base_backups_carry_their_wal_where_a_tier_may_keep_them_alone():
    def base(**retention):
        body = {"repositories": {"local": {"path": "/b"}}, "clusters": {"shop": {
            "wal": {}, "retention": {"base": retention}, "jobs": {"incremental": {"self_contained": False}}}}}
        return Settings.of(body).cluster("shop")

    assert base(daily=2, **BARE).base.self_contained is True
    assert base(daily=2, **BARE).incremental.self_contained is False
    assert base(daily=2).base.self_contained is None
    assert base(daily=2, monthly={"keep": 0, "pitr": False}).base.self_contained is None


def test_a_policy_is_told_and_read_back_with_its_tiers():
    policy = Policy.of({"daily": 2, **BARE}, bases=True)
    assert Policy.of(policy.as_dict(), bases=True) == policy
    assert str(policy).startswith("daily 2, monthly 12 without PITR (UTC")
    # the same counts with PITR select more WAL, which a human must confirm
    assert policy.digest() != Policy.of({"daily": 2, "monthly": 12}).digest()


@pytest.mark.parametrize(("tiers", "named"), [
    ({"monthly": {"keep": 3, "pitr": "no"}}, "retention.monthly.pitr is 'no'"),
    ({"monthly": {"keep": -2}}, "retention.monthly.keep is -2"),
    ({"monthly": {"kep": 3}}, "retention.monthly.kep is not a known setting"),
    ({"monthly": {"pitr": False}}, "retention has every tier off")])
def test_a_tier_that_is_not_right_is_named(tiers, named):
    with pytest.raises(ConfigError) as caught:
        Policy.of(tiers, bases=True)
    assert caught.value.message.startswith(named)


def test_a_dump_has_no_wal_to_say_anything_of():
    with pytest.raises(ConfigError, match="retention.monthly is"):
        Policy.of(BARE)
