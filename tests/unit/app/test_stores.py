# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the locks of a cluster are, by the types of its repositories."""
from __future__ import annotations

import os

import pytest

from _restorable.app.stores import FOREIGN_ORPHAN, state_dir, sweep_age
from _restorable.model.settings import Settings


@pytest.fixture
def settings():
    """A function that returns settings of one cluster: settings(local="/backups", state_dir="/state")."""
    def settings(*, state_dir="", **paths):
        repositories = {name: {"path": path} for name, path in paths.items()}
        return Settings.of({"repositories": repositories, "clusters": {"shop": {}}, "state_dir": state_dir})
    return settings


def test_locks_lie_in_the_first_local_repository_where_every_writer_meets_them(settings):
    found = settings(disk="/mnt/disk", local="/backups")
    assert state_dir(found, found.cluster("shop"), {}) == "/mnt/disk/.state"
    assert sweep_age(found, found.cluster("shop")) == 0


def test_a_state_dir_is_taken_and_guards_against_this_hosts_writers_only(settings):
    found = settings(local="/backups", state_dir="/state")
    assert state_dir(found, found.cluster("shop"), {}) == "/state"
    assert sweep_age(found, found.cluster("shop")) == FOREIGN_ORPHAN


@pytest.mark.parametrize(("user", "may_write", "environment", "folder"), [
    (0, False, {"HOME": "/root"}, "/var/lib/restorable"),
    (998, True, {"HOME": "/srv/restorable"}, "/var/lib/restorable"),       # the agent's account meets root there
    (1000, False, {"HOME": "/home/me"}, "/home/me/.local/state/restorable"),
    (1000, False, {"HOME": "/home/me", "XDG_STATE_HOME": "/state"}, "/state/restorable"),
])
def test_without_a_local_one_they_lie_in_the_hosts_state_folder(settings, monkeypatch, user, may_write, environment,
                                                                folder):
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(os, "access", lambda path, _mode: may_write and path == "/var/lib/restorable")
    found = settings()
    assert state_dir(found, found.cluster("shop"), environment) == folder
