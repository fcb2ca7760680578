# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is locked, until when, and that a hold can always be released."""
from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from _restorable.errors import ConfigError
from _restorable.model.object_lock import ObjectLock
from _restorable.model.retained import retained, retained_until

NOW = datetime(2026, 11, 26, 3, tzinfo=timezone.utc)
LOCK = ObjectLock.of({"mode": "compliance", "days": 7, "weekly": 35, "monthly": 100}, "here")


@pytest.mark.parametrize("key", ["shop/backup/20261120T030000Z-dump/app.dump.zst", "shop/wal/00000001/x",
                                 "shop/journal/x.json", "shop/drill/x.json"])
def test_what_nobody_is_to_change_is_locked(key):
    assert LOCK.until(key, NOW) == NOW + timedelta(days=7)


@pytest.mark.parametrize("key", ["shop/hold/20261120T030000Z-dump.json", "shop/prune/x.json", "shop/cluster.json"])
def test_what_must_go_one_day_is_not(key):
    assert LOCK.until(key, NOW) is None


def test_the_longest_tier_that_keeps_a_backup_counts_from_its_beginning():
    assert LOCK.extended(NOW, ("daily#2", "weekly#1")) == NOW + timedelta(days=35)
    assert LOCK.extended(NOW, ("weekly#1", "monthly#3")) == NOW + timedelta(days=100)
    assert LOCK.extended(NOW, ("daily#2", "floor:newest")) is None


def test_no_lock_is_no_lock():
    assert ObjectLock.of(None, "here") is None and ObjectLock.of({}, "here") is None
    assert ObjectLock.of({"weekly": 35}, "here").until("shop/backup/x/y", NOW) is None


@pytest.mark.parametrize("body", [{"mode": "strict"}, {"days": -1}, {"day": 7}])
def test_wrong_settings_are_named(body):
    with pytest.raises(ConfigError, match=r"^here\."):
        ObjectLock.of(body, "here")


def test_a_refusal_tells_until_when_and_no_other_error_does():
    assert retained_until(retained("a:b", NOW)) == "2026-11-26T03:00:00+00:00"
    assert retained_until(retained("a:b", None)) == "a legal hold"
    assert retained_until(ConfigError("x")) is None
