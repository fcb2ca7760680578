# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pg_backup_info makes of a repository whose job it does not know."""
from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from _restorable.model.manifest import Manifest
from _restorable.model.naming import BackupId, manifest_key, object_key
from _restorable.model.server import Selection
from _restorable.store.local import LocalStore


@pytest.fixture
def repository(tmp_path):
    """The option repositories, of one that holds a young set of one database."""
    store = LocalStore("local", str(tmp_path / "repo"))
    taken = BackupId(datetime.now(timezone.utc) - timedelta(hours=1), "dump", Selection(databases=("app",)).label())
    store.put(object_key("shop", taken, "app.dump.zst"), [b"x"])
    store.put(manifest_key("shop", taken),
              [Manifest(taken, "shop", taken.time, taken.time, "restorable 0.1.0", ()).as_json()])
    return {"local": {"path": str(tmp_path / "repo")}}


def test_without_settings_a_set_of_chosen_databases_is_as_good_as_one_of_all(call, repository):
    found = call("pg_backup_info", cluster="shop", repositories=repository)
    assert (found["colour"], found["reasons"]) == ("yellow", ["no backup was ever drilled"])


def test_with_settings_the_job_in_them_counts(call, repository):
    found = call("pg_backup_info", cluster="shop", repositories=repository, settings={"clusters": {"shop": {}}})
    assert (found["colour"], found["reasons"][0]) == (
        "red", "no backup of the configured databases was taken yet")
