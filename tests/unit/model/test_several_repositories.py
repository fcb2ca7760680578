# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of several repositories, the health where any is enough, and the binding of a folder to a server."""
from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from _restorable.errors import ConfigError, Damaged
from _restorable.model.binding import read_binding
from _restorable.model.catalogue import Backup, Catalogue, united
from _restorable.model.health import judge
from _restorable.model.naming import BackupId
from _restorable.model.settings import Settings

NOW = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)


def settings(policy="any", **repository):
    return Settings.of({"repositories": {"disk": {"path": "/a"}, "vault": {"path": "/b", **repository}},
                        "clusters": {"shop": {"repositories_policy": policy}}})


def catalogue(*hours, committed=True):
    return Catalogue("shop", tuple(sorted((Backup(BackupId(NOW - timedelta(hours=each), "dump"), 1, committed)
                                           for each in hours), key=lambda backup: backup.id)))


def test_a_repositorys_own_retention_is_read_by_family():
    found = settings(retention={"dump": {"daily": 30}})
    assert found.repositories["vault"].retention["dump"].daily == 30
    assert found.repositories["vault"].retention.keys() == {"dump"}
    assert found.repositories["disk"].retention == {}


@pytest.mark.parametrize(("retention", "path"), [
    ({"dump": {"daily": -2}}, "repositories.vault.retention.dump.daily"),
    ({"dumps": {"daily": 2}}, "repositories.vault.retention.dumps"),
])
def test_a_wrong_retention_of_a_repository_is_named(retention, path):
    with pytest.raises(ConfigError) as caught:
        settings(retention=retention)
    assert path in caught.value.message


def test_a_wrong_policy_is_named():
    with pytest.raises(ConfigError, match=r"clusters\.shop\.repositories_policy is 'some'"):
        settings("some")


def test_what_two_repositories_hold_together_is_shown_once_and_committed_wins():
    half = catalogue(5, committed=False)
    both = united("shop", [half, catalogue(3, 5), catalogue(3)])
    assert [(each.id.time.hour, each.committed) for each in both.backups] == [(7, True), (9, True)]


@pytest.mark.parametrize(("policy", "hours", "unreadable", "colour"), [
    ("any", [[2], [50]], [], "yellow"), ("all", [[2], [50]], [], "red"),
    ("any", [[50], [50]], [], "red"), ("any", [[2]], ["vault: gone"], "yellow"),
    ("all", [[2]], ["vault: gone"], "red"), ("any", [], ["disk: gone", "vault: gone"], "red"),
])
def test_trouble_with_one_is_red_only_where_all_are_wanted_or_no_other_is_young(policy, hours, unreadable, colour):
    found = judge([catalogue(*each) for each in hours], unreadable, settings(policy).cluster("shop"), NOW)
    assert found.colour == colour
    assert all(any(each in reason for reason in found.reasons) for each in unreadable)


def test_missing_sets_are_told_with_the_command_that_brings_them():
    found = judge([catalogue(2)], [], settings().cluster("shop"), NOW, missing={"vault": 3})
    assert any("vault lacks 3" in each and "restorable sync --to vault" in each for each in found.reasons)


@pytest.mark.parametrize(("data", "code"), [
    (b'{"format": 2, "system_identifier": "7"}', "repository.unknown_format"),
    (b'{"system_identifier": "7"}', "repository.binding_damaged"), (b"half", "repository.binding_damaged"),
])
def test_a_binding_of_another_format_is_refused(data, code):
    assert read_binding(b'{"format": 1, "system_identifier": "7431"}', "x") == "7431"
    with pytest.raises(Damaged) as caught:
        read_binding(data, "disk:shop/cluster.json")
    assert (caught.value.code, "disk:shop/cluster.json" in caught.value.message) == (code, True)
