# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster's status tells of the shipper of its WAL."""
from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from _restorable.model.health import Health
from _restorable.model.wal_watch import with_shipper

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
    ({"updated": (NOW - timedelta(hours=2)).isoformat()}, "yellow", "the shipper of WAL said nothing for 2h00m")])
def test_trouble_of_the_shipper_is_told_with_the_clusters_own(facts, colour, words):
    found = with_shipper(GREEN, {**WELL, **facts}, NOW)
    assert found.colour == colour and found.reasons == (words,)
    red = Health("red", ("no repository is set",))
    assert with_shipper(red, {**WELL, **facts}, NOW).colour == "red"
    assert set(with_shipper(red, {**WELL, **facts}, NOW).reasons) == {words, "no repository is set"}
