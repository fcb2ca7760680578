# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which backup a drill or a restore takes, with chance as an argument."""
from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from _restorable.errors import ConfigError, NotFound
from _restorable.model.catalogue import Backup, Catalogue
from _restorable.model.naming import BackupId
from _restorable.model.pick import pick, read_moment

NOON = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)


def nights(count: int) -> Catalogue:
    """A set a night at noon, the last one on 20 November 2026, a Friday."""
    ids = [BackupId(NOON - timedelta(days=day), "dump") for day in reversed(range(count))]
    return Catalogue("shop", tuple(Backup(each, 1, True) for each in ids))


def last(among):
    return among[-1]


def first(among):
    return among[0]


def taken(catalogue: Catalogue, wish: str, choose=first) -> str:
    return str(pick(catalogue, wish, choose=choose)[0].id)


@pytest.mark.parametrize(("wish", "day"), [
    ("", "20261120"), ("latest", "20261120"), ("oldest", "20261101"), ("20261105", "20261105"),
    ("2026-11-05", "20261105"), ("2026-11-05T11:59:59Z", "20261104"), ("2026-11-05T12:00:00Z", "20261105"),
    ("2026-11-05T12:30:00+01:00", "20261104"), ("2026-11-05 12:00", "20261105"), ("2030-01-01", "20261120")])
def test_a_wish_finds_its_backup(wish, day):
    assert taken(nights(20), wish) == f"{day}T120000Z-dump"


def test_random_draws_from_all():
    seen = []
    pick(nights(20), "random", choose=lambda among: seen.append(len(among)) or among[0])
    assert seen == [20]


def test_random_weekly_draws_a_week_first_so_that_dense_weeks_do_not_crowd_out_old_ones():
    dense = tuple(Backup(BackupId(NOON - timedelta(hours=hour), "dump"), 1, True) for hour in range(48))
    old = Backup(BackupId(NOON - timedelta(days=300), "dump"), 1, True)
    seen = []
    pick(Catalogue("shop", (old, *dense)), "random_weekly",
         choose=lambda among: seen.append(list(among)) or among[0])
    assert len(seen[0]) == 2       # two weeks, one chance each
    assert taken(Catalogue("shop", (old, *dense)), "random_weekly", first) == str(old.id)


def test_every_backup_can_be_drawn_weekly():
    catalogue = nights(20)

    def drawing(a, b):
        return lambda among: among[(a if isinstance(among[0], str) else b) % len(among)]

    drawn = {taken(catalogue, "random_weekly", drawing(a, b)) for a in range(4) for b in range(7)}
    assert drawn == {str(each.id) for each in catalogue.backups}


def test_an_orphan_is_never_picked():
    ghost = Backup(BackupId(NOON + timedelta(days=1), "dump"), 1, False)
    catalogue = Catalogue("shop", (*nights(3).backups, ghost))
    assert taken(catalogue, "latest") == "20261120T120000Z-dump"
    assert taken(catalogue, "random", last) == "20261120T120000Z-dump"


def test_nothing_to_pick_from_says_what_to_do():
    with pytest.raises(NotFound, match="holds no backup of cluster shop"):
        pick(Catalogue("shop", ()), "latest", choose=first)


def test_a_moment_before_the_first_backup_names_the_oldest():
    with pytest.raises(NotFound, match="no backup from 2025") as caught:
        pick(nights(3), "2025-01-01", choose=first)
    assert caught.value.hint == "The oldest is 20261118T120000Z-dump."


@pytest.mark.parametrize("text", ["2026-13-01", "2026-11-31", "2026-11-05T25:00", "2026-11-05T", "2026-1-1"])
def test_a_moment_that_cannot_be_is_not_taken_for_an_id(text):
    with pytest.raises(ConfigError, match="moment"):
        read_moment(text)


@pytest.mark.parametrize("text", ["20261120", "20261120T120000Z-dump", "latest", "x"])
def test_an_id_is_no_moment(text):
    assert read_moment(text) is None


def test_a_date_means_its_last_second_and_a_time_without_zone_is_utc():
    assert read_moment("2026-11-05") == datetime(2026, 11, 5, 23, 59, 59, tzinfo=timezone.utc)
    assert read_moment("2026-11-05T12:00") == datetime(2026, 11, 5, 12, tzinfo=timezone.utc)


def test_only_sets_of_the_asked_selection_are_picked():
    hourly = Backup(BackupId(NOON + timedelta(hours=1), "dump", "hourly"), 1, True)
    catalogue = Catalogue("shop", (*nights(3).backups, hourly))
    assert str(pick(catalogue, "latest", choose=first, label="")[0].id) == "20261120T120000Z-dump"


def test_the_newest_is_one_of_ours_even_if_an_adopted_file_looks_newer():
    listing = [(f"shop/backup/{name}/manifest.json", 1)
               for name in ("20261119T030000Z-dump", "20261120T030000Z-adopted-backup_latest")]
    catalogue = Catalogue.of("shop", listing)
    assert str(pick(catalogue, "latest", choose=min)[0].id) == "20261119T030000Z-dump"
    assert str(catalogue.get("latest").id) == "20261119T030000Z-dump"


def test_the_newest_adopted_file_is_the_newest_where_there_is_no_other():
    catalogue = Catalogue.of("shop", [("shop/backup/20261120T030000Z-adopted-db/manifest.json", 1)])
    assert str(pick(catalogue, "latest", choose=min)[0].id) == "20261120T030000Z-adopted-db"
