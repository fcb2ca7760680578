# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A large plan is made without the collector of cycles, which is on again afterwards."""
from __future__ import annotations

import gc
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone

import pytest

from _restorable.model.catalogue import Catalogue
from _restorable.model.naming import BackupId, manifest_key
from _restorable.model.policy import Policy
from _restorable.model.retention import plan_prune
from _restorable.model.uncollected import uncollected
from _restorable.ops.prune import candidates

NOW = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)


@contextmanager
def collections():
    """Yield the list of collections that begin meanwhile."""
    begun = []

    def note(phase, _info):
        if phase == "start":
            begun.append(phase)
    gc.callbacks.append(note)
    try:
        yield begun
    finally:
        gc.callbacks.remove(note)


def test_a_plan_over_thousands_of_backups_collects_nothing_while_it_is_made():
    listing = [(manifest_key("shop", BackupId(NOW - timedelta(hours=hour), "dump")), 9) for hour in range(5000)]
    policy = Policy.of({"hourly": 48, "daily": 30, "yearly": -1})
    with collections() as begun:
        catalogue = Catalogue.of("shop", listing)
        before = len(begun)
        rows = plan_prune(candidates(catalogue), policy, NOW).rows
    assert len(rows) == 5000
    # at most one as each of the three ends: without the pause there are dozens
    assert before <= 1
    assert len(begun) <= 3


@pytest.mark.parametrize("error", [None, KeyError])
def test_the_collector_is_on_again_whatever_happens(error):
    assert gc.isenabled()
    try:
        with uncollected():
            with uncollected():
                assert not gc.isenabled()
            assert not gc.isenabled()
            if error:
                raise error
    except KeyError:
        pass
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off():
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
