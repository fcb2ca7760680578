# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Green, yellow or red, and why."""
from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from _restorable.model.catalogue import Backup, Catalogue
from _restorable.model.health import judge
from _restorable.model.naming import BackupId
from _restorable.model.server import Selection
from _restorable.model.settings import ClusterSettings, DumpJob
from _restorable.model.wal_settings import WalJob

NOW = datetime(2026, 11, 20, 3, tzinfo=timezone.utc)
SHOP = ClusterSettings("shop")


def holding(*backups: Backup) -> Catalogue:
    return Catalogue("shop", tuple(sorted(backups, key=lambda each: each.id)))


def taken(hours: float, *, kind: str = "dump", verdict: str = "", drilled_days: float = 1, committed: bool = True):
    drilled = NOW - timedelta(days=drilled_days) if verdict else None
    return Backup(BackupId(NOW - timedelta(hours=hours), kind), 10, committed, drilled=drilled, verdict=verdict)


def colour(*backups: Backup, settings: ClusterSettings = SHOP) -> str:
    return judge([holding(*backups)], [], settings, NOW).colour


def test_a_young_backup_and_a_young_proof_are_green():
    assert judge([holding(taken(2), taken(50, verdict="passed"))], [], SHOP, NOW).reasons == ()
    assert colour(taken(2), taken(50, verdict="passed")) == "green"


@pytest.mark.parametrize(("hours", "expected"), [(26, "yellow"), (26.1, "red")])
def test_a_nightly_backup_may_be_two_hours_late(hours, expected):
    assert colour(taken(hours)) == expected


def test_the_objective_replaces_the_default_age():
    assert colour(taken(2, verdict="passed"), settings=ClusterSettings("shop", rpo=3600)) == "red"
    assert colour(taken(40, verdict="passed"), settings=ClusterSettings("shop", rpo=7 * 86400)) == "green"


def test_nothing_was_ever_drilled_is_yellow():
    assert judge([holding(taken(2))], [], SHOP, NOW).reasons == ("no backup was ever drilled",)


def test_a_drill_that_could_not_run_since_the_last_proof_is_told_until_one_can():
    proven = taken(50, verdict="passed", drilled_days=3)
    hindered = replace(taken(26), hindered=NOW - timedelta(days=1))
    found = judge([holding(taken(2), hindered, proven)], [], SHOP, NOW)
    assert (found.colour, found.reasons) == ("yellow", (
        f"the last drill, of {hindered.id}, could not run to its end; its evidence tells why",))
    assert colour(taken(2, verdict="passed", drilled_days=0.5), hindered, proven) == "green"
    assert colour(taken(2), replace(proven, hindered=NOW - timedelta(days=4))) == "green"
    assert colour(taken(2), replace(proven, hindered=NOW - timedelta(days=2))) == "yellow"


def test_a_proof_older_than_a_month_is_yellow():
    assert colour(taken(2), taken(999, verdict="passed", drilled_days=36)) == "yellow"


def test_a_failed_last_drill_is_red_even_beside_a_proven_backup():
    assert colour(taken(2, verdict="failed", drilled_days=1), taken(26, verdict="passed", drilled_days=2)) == "red"


def test_a_failed_drill_is_forgiven_by_a_later_pass():
    assert colour(taken(2, verdict="passed", drilled_days=1), taken(26, verdict="failed", drilled_days=2)) == "green"


def test_an_incomplete_drill_proves_nothing():
    assert judge([holding(taken(2, verdict="incomplete"))], [], SHOP, NOW).reasons == ("no drill has passed yet",)


def test_an_orphan_and_an_adopted_file_are_no_fresh_backup():
    assert colour(taken(1, committed=False)) == "red"
    assert colour(taken(1, kind="adopted", verdict="passed")) == "red"


def test_every_repository_must_have_a_young_backup():
    health = judge([holding(taken(2, verdict="passed")), holding(taken(99))], [], SHOP, NOW)
    assert (health.colour, health.reasons) == ("red", ("the newest backup is 4d03h old, 1d02h is allowed",))


def test_an_unreadable_repository_is_red_and_named():
    health = judge([holding(taken(2, verdict="passed"))], ["offsite: not mounted"], SHOP, NOW)
    assert (health.colour, health.reasons) == ("red", ("repository offsite: not mounted",))


def test_a_damaged_newest_backup_is_red_and_an_older_one_yellow():
    sound, proven = taken(2), taken(50, verdict="passed")
    assert colour(replace(sound, damaged=NOW), proven) == "red"
    assert colour(sound, replace(taken(26), damaged=NOW), proven) == "yellow"
    assert colour(sound, proven, replace(taken(3, kind="base"), damaged=NOW)) == "red"


def test_no_repository_is_red():
    assert judge([], [], SHOP, NOW).colour == "red"


def test_a_reason_is_told_once_for_all_repositories():
    same = holding(taken(99, verdict="passed"))
    assert len(judge([same, same], [], SHOP, NOW).reasons) == 1


def test_a_dump_of_another_selection_is_no_run_of_the_configured_job():
    other = Selection(databases=("other",))
    aside = Backup(BackupId(NOW - timedelta(hours=1), "dump", other.label()), 10, True, drilled=NOW, verdict="passed")
    of_other = ClusterSettings("shop", dump=DumpJob(selection=other))
    assert judge([holding(taken(99), aside)], [], SHOP, NOW).reasons[0].startswith("the newest backup is 4d03h old")
    assert judge([holding(aside)], [], SHOP, NOW).reasons[0] == "no backup of the configured databases was taken yet"
    assert colour(taken(99, verdict="passed"), aside, settings=of_other) == "green"


def test_a_partial_newest_backup_is_yellow_and_names_the_missing_database():
    lacking = Backup(BackupId(NOW - timedelta(hours=2), "dump"), 10, True, missing=("shop", "Möbel"))
    health = judge([holding(taken(50, verdict="passed"), lacking)], [], SHOP, NOW)
    assert (health.colour, health.reasons) == ("yellow", (
        f"the newest backup {lacking.id} is partial: database shop is missing",
        f"the newest backup {lacking.id} is partial: database Möbel is missing"))
    assert colour(lacking, taken(1, verdict="passed")) == "green"


def test_whoever_does_not_know_the_job_is_told_of_the_newest_set_of_any_selection():
    other = Selection(databases=("other",))
    aside = Backup(BackupId(NOW - timedelta(hours=1), "dump", other.label()), 10, True, drilled=NOW, verdict="passed")
    assert judge([holding(aside)], [], SHOP, NOW, any_selection=True).colour == "green"
    assert judge([holding(taken(99), aside)], [], SHOP, NOW, any_selection=True).colour == "green"
    assert judge([holding()], [], SHOP, NOW, any_selection=True).reasons[0] == "no backup was taken yet"


def test_a_cluster_that_is_only_copied_as_a_whole_is_judged_by_its_bases():
    archiving = ClusterSettings("shop", wal=WalJob(method="push"))
    assert colour(taken(20, kind="base", verdict="passed")) == "green"
    assert colour(taken(30, kind="base", verdict="passed")) == "red"
    assert colour(taken(160, kind="base", verdict="passed"), settings=archiving) == "green"
    assert colour(taken(200, kind="base", verdict="passed"), settings=archiving) == "red"
    assert colour(taken(1, kind="base", verdict="passed"), taken(30)) == "red"


def test_a_backup_of_the_future_hides_no_old_one():
    assert colour(taken(-300 * 24), taken(40 * 24, verdict="passed")) == "red"
    assert colour(taken(-0.5, verdict="passed")) == "green"        # another host's clock


def test_a_failed_verdict_outlives_its_backup_until_another_one_is_proven():
    bad = taken(99, verdict="failed", drilled_days=2, committed=False)

    def health(*backups):
        return judge([replace(holding(*backups), gone=(bad,))], [], SHOP, NOW)
    red = ("red", (f"the last drill failed, of {bad.id}, which is gone; no other backup was proven since",))
    assert (health(taken(2)).colour, health(taken(2)).reasons) == red
    assert health(taken(2), taken(120, verdict="passed", drilled_days=5)).colour == "red"
    assert health(taken(2, verdict="incomplete", drilled_days=1)).colour == "red"
    assert health(taken(2, verdict="passed", drilled_days=1)).colour == "green"
    assert judge([holding(taken(2), replace(bad, committed=False))], [], SHOP, NOW).colour == "red"    # half pruned


def test_a_proof_of_a_backup_that_is_gone_ends_an_alarm_and_is_none_any_more():
    bad = taken(99, verdict="failed", drilled_days=5, committed=False)
    proven = taken(98, verdict="passed", drilled_days=2, committed=False)
    health = judge([replace(holding(taken(2)), gone=(bad, proven))], [], SHOP, NOW)
    assert (health.colour, health.reasons) == ("yellow", ("no drill has passed yet",))


def test_a_drill_that_could_not_run_ends_no_alarm():
    older, failed = taken(99, verdict="passed", drilled_days=3), taken(50, verdict="failed", drilled_days=2)
    assert colour(older, failed, taken(2, verdict="incomplete", drilled_days=1)) == "red"
    assert judge([holding(taken(2, verdict="incomplete"))], [], SHOP, NOW).reasons == (
        "no drill has passed yet",)
