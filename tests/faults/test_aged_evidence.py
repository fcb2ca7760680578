# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence and events that are old enough go, and what stays is verified as before."""
from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from _restorable.app.report import prune_report
from _restorable.errors import Refused, Unavailable
from _restorable.model.naming import drill_prefix, prune_prefix
from _restorable.model.policy import Policy
from _restorable.ops.prune import prune
from kit.fault import Fault, Faults
from kit.faulty_store import FaultyStore
from kit.journals import CLUSTER, Journals

POLICY = Policy.of({"last": 2, "min_keep": 0, "min_age": "0", "max_delete_percent": 100})
DAY = 86400


def pruned(journals, *, writer="db1.postgres", world=None, **how):
    journals.clock.move(60)
    return prune(world or journals.world(writer), POLICY, evidence=timedelta(days=400), **how)


def numbers(journals, chain="db1.postgres"):
    return [int(key[-14:-5]) for key in sorted(journals.objects()) if f"/journal/{chain}/" in key]


def evidence(journals):
    return sorted(key for key in journals.objects() if key.startswith(drill_prefix(CLUSTER)))


@pytest.fixture
def old():
    """Three drilled backups of 500 days ago, two of 300 days ago, one of today, never pruned yet."""
    made = Journals("local")
    for days, count in ((200, 3), (300, 2), (0, 1)):
        for _number in range(count):
            made.drill(made.backup())
        made.clock.move(days * DAY)
    assert made.kinds() == []
    return made


def test_what_is_old_goes_with_a_reason_and_an_audit_still_verifies(old):
    before = numbers(old)
    assert before == list(range(1, 13))
    [planned] = pruned(old, dry_run=True)
    assert numbers(old) == before
    [done] = pruned(old)
    assert done.aged == planned.aged
    assert {row.reason for row in done.aged} == {"older than 400d00h", "older than 400d00h, and its backup is gone"}
    assert numbers(old)[0] == 7
    assert len(evidence(old)) == 3
    assert old.kinds() == []
    assert pruned(old)[0].aged == ()


def test_evidence_of_a_backup_that_is_still_there_stays(old):
    held = min(key for key in old.objects() if key.endswith("manifest.json"))
    kept = held.split("/")[2]
    old.objects()[f"{CLUSTER}/hold/{kept}.json"] = b"{}"
    pruned(old)
    assert [kept in key for key in evidence(old)] == [True, False, False, False]
    assert old.kinds() == []


def test_the_newest_verdict_stays_though_it_is_old_and_its_backup_is_gone(old):
    newest = evidence(old)[-1]
    held = newest.split(".")[1]
    for key in [key for key in old.objects() if f"/backup/{held}/" in key]:
        del old.objects()[key]
    old.clock.move(500 * DAY)
    pruned(old)
    assert newest in evidence(old)
    assert old.kinds() == []


def test_a_year_of_prunes_leaves_a_chain_that_verifies(old):
    for _month in range(20):
        old.drill(old.backup())
        pruned(old)
        old.clock.move(30 * DAY)
        assert old.kinds() == []
    oldest = min(numbers(old))
    assert oldest > 12
    assert len([key for key in old.objects() if key.startswith(prune_prefix(CLUSTER))]) < 20


def test_the_last_event_of_a_writer_that_is_gone_stays_and_verifies(old):
    old.clock.move(500 * DAY)
    for _round in range(2):
        old.drill(old.backup(writer="db2.postgres"), writer="db2.postgres")
        old.backup(writer="db2.postgres")
        pruned(old, writer="db2.postgres")
        assert numbers(old) == [12]
        assert old.kinds() == []
        old.clock.move(500 * DAY)


def test_a_chain_with_a_hole_is_left_for_the_audit_to_tell(old):
    del old.objects()[old.event(3)]
    pruned(old)
    assert numbers(old)[0] == 4
    assert ("gap", "local", "db1.postgres 3") in old.kinds()


def test_events_that_were_cut_off_at_the_beginning_are_never_explained_away(old):
    for number in (1, 2):
        del old.objects()[old.event(number)]
    pruned(old)
    assert ("gap", "local", "db1.postgres 1") in old.kinds()


def test_what_was_removed_after_the_anchor_is_still_a_gap(old):
    pruned(old)
    del old.objects()[old.event(7)]
    assert ("gap", "local", "db1.postgres 7") in old.kinds()


@pytest.mark.parametrize("nth", range(1, 6))
def test_a_removal_that_breaks_off_is_ended_by_the_next_and_verifies_in_between(old, nth):
    pruned(old)                    # the backups; what is left is evidence
    old.clock.move(250 * DAY)
    world = old.world()
    error = Unavailable("the network went away", code="store.unreachable")
    with Faults(Fault("delete", error, nth=nth)) as faults, pytest.raises(Unavailable):
        pruned(old, world=replace(world, stores=(FaultyStore(world.stores[0], faults),)))
    assert old.kinds() == []
    pruned(old)
    assert (old.kinds(), pruned(old)[0].aged) == ([], ())


def test_nothing_goes_without_an_anchor(old):
    pruned(old)
    old.clock.move(250 * DAY)
    world, before = old.world(), dict(old.objects())
    error = Unavailable("the disk is full", code="store.full")
    with Faults(Fault("put", error)) as faults, pytest.raises(Refused, match="old evidence was not deleted"):
        pruned(old, world=replace(world, stores=(FaultyStore(world.stores[0], faults),)))
    assert old.objects() == before


class NoJournal(FaultyStore):
    """A store that takes everything but events."""

    def put(self, key, chunks):
        if "/journal/" in key:
            raise Unavailable("the journal's folder is read-only", code="store.denied")
        return super().put(key, chunks)


def test_what_a_confirmed_prune_deleted_is_told_although_old_evidence_could_not_go(old):
    world, before = old.world(), {*evidence(old), *(key for key in old.objects() if "/journal/" in key)}
    world = replace(world, stores=tuple(NoJournal(store, Faults()) for store in world.stores))
    [told] = pruned(old, world=world, confirm=True)
    left = [key for key in old.objects() if key.endswith("manifest.json")]
    assert (len(left), len(told.plan.dropped), told.deleted, told.aged) == (2, 4, True, ())
    assert before <= set(old.objects())
    report = prune_report([told])
    [warning] = report["warnings"]
    assert "old evidence was not deleted" in warning and "the journal's folder is read-only" in warning
    assert report["changed"]
    with pytest.raises(Refused, match="old evidence was not deleted"):     # now there is nothing else to tell
        pruned(old, world=world, confirm=True)
