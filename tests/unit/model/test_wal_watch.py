# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster's status tells of the shipper of its WAL."""
from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from _restorable.model.base import BaseReport
from _restorable.model.health import Health
from _restorable.model.lsn import Lsn
from _restorable.model.naming import BackupId
from _restorable.model.recovery import Window
from _restorable.model.wal_watch import with_gaps, with_shipper
from kit.history import at

NOW = datetime(2026, 11, 20, 3, tzinfo=timezone.utc)
GREEN = Health("green", ())
WELL = {"updated": (NOW - timedelta(seconds=4)).isoformat(), "refused": {}, "behind": {}, "warning": ""}


def test_a_shipper_that_is_well_or_not_there_changes_nothing():
    for health in (GREEN, Health("yellow", ("no drill has passed yet",))):
        assert with_shipper(health, {}, NOW) == with_shipper(health, WELL, NOW) == health


@pytest.mark.parametrize(("facts", "colour", "words"), [
    ({"refused": {"A": {"message": "it is full"}, "B": {}}}, "red", "WAL A is not archived, and 1 more: it is full"),
    ({"warning": "the disk is full in about 6m00s"}, "red", "the disk is full in about 6m00s"),
    ({"behind": {"offsite": "it is away"}}, "yellow", "repository offsite is behind with WAL: it is away"),
    ({"updated": (NOW - timedelta(minutes=11)).isoformat()}, "red",
     "the shipper of WAL said nothing for 11m00s: the server keeps its WAL until the disk is full, see that it runs"),
    ({"oldest_age": 700.0, "waiting": 3, "pg_wal_bytes": 2**30}, "red",
     "3 WAL files wait to be archived, the oldest for 11m40s: 1.1 GB in pg_wal"),
    ({"slot_bytes": 10**9}, "yellow",
     "the replication slot holds 1.0 GB of WAL on the server, which grows until its disk is full"),
    ({"slot_bytes": 16 * 10**9}, "red",
     "the replication slot holds 16 GB of WAL on the server, which grows until its disk is full")])
def test_trouble_of_the_shipper_is_told_with_the_clusters_own(facts, colour, words):
    found = with_shipper(GREEN, {**WELL, **facts}, NOW)
    assert found.colour == colour and found.reasons == (words,)
    red = Health("red", ("no repository is set",))
    assert with_shipper(red, {**WELL, **facts}, NOW).colour == "red"
    assert set(with_shipper(red, {**WELL, **facts}, NOW).reasons) == {words, "no repository is set"}


DEAD = {**WELL, "updated": (NOW - timedelta(hours=2)).isoformat()}


@pytest.mark.parametrize(("report", "seen", "colour", "words"), [
    (DEAD, {"waiting": 0, "oldest_age": 0.0, "bytes": 2**20, "free": 2**30}, "yellow",
     ["the shipper of WAL said nothing for 2h00m, and nothing waits"]),
    (DEAD, {"slot_bytes": 16 * 10**9}, "red",
     ["the shipper of WAL said nothing for 2h00m: the server keeps its WAL until the disk is full, see that it runs",
      "the replication slot holds 16 GB of WAL on the server, which grows until its disk is full"]),
    ({}, {"waiting": 7, "oldest_age": 3600.0, "bytes": 2**27, "free": 2**30}, "red",       # it never ran
     ["7 WAL files wait to be archived, the oldest for 1h00m: 134 MB in pg_wal, 1.1 GB left on its disk"]),
    (WELL, {"waiting": 7, "oldest_age": 30.0, "bytes": 2**27, "free": 2**30}, "green", []),
    ({}, {}, "green", [])])
def test_what_waits_is_judged_whether_a_shipper_reports_it_or_not(report, seen, colour, words):
    found = with_shipper(GREEN, report, NOW, seen)
    assert (found.colour, list(found.reasons)) == (colour, words)


def window(hour, *, beyond=False, inside=True):
    """Return the window of a base that ended at that hour."""
    begin = f"2026-07-01T{hour:02}:00"
    base = BaseReport("0/2000028", f"0/{hour}000100", 1, at(begin).isoformat(), 9, 9, self_contained=inside)
    return Window(BackupId(at(begin), "base"), base, Lsn.parse(f"0/{hour}500000"), None, beyond)


BROKEN = ("WAL is missing behind 0/5500000 in repository near, and no later moment can be recovered: take a base "
          "backup")
BETWEEN = ("WAL is missing behind 0/3500000 in repository near: from there to the next base backup no moment can be "
           "recovered")


@pytest.mark.parametrize(("near", "far", "colour", "words"), [
    ([window(3), window(5)], [], "green", []),
    ([window(3, beyond=True), window(5)], [], "yellow", [BETWEEN]),
    ([window(3), window(5, beyond=True)], [], "red", [BROKEN]),
    ([window(3), window(5, beyond=True)], [window(4)], "yellow", [BROKEN]),        # the other repository leads on
    ([], [], "green", [])])
def test_a_gap_in_the_wal_is_told_and_is_red_where_the_end_cannot_be_reached(near, far, colour, words):
    found = with_gaps(GREEN, {"near": near, "far": far})
    assert (found.colour, list(found.reasons)) == (colour, words)
