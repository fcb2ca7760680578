# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose trouble an error tells of, where names of repositories and clusters are parts of one another."""
from __future__ import annotations

from types import SimpleNamespace

import pytest

from _restorable.errors import Damaged
from _restorable.model.naming import BackupId
from _restorable.ops.copies import names_repository, reading_failed

BACKUP = "20261120T030000Z-dump"


@pytest.mark.parametrize(("message", "repository"), [
    (f"object disk:app/backup/{BACKUP}/app.dump as stored has 9 bytes, the manifest says 10", "disk"),
    (f"manifest old-disk:app/backup/{BACKUP}/manifest.json cannot be read", "old-disk"),
    ("repository disk: bucket backups does not exist", "disk"),
    ("repository disk.old: bucket backups does not exist", "disk.old"),
    ("WAL 000000010000000000000001 in repository old-disk is not what was archived", "old-disk"),
    ("file x is gone from repository disk.", "disk"),
    (f"object disk:app-archive/backup/{BACKUP}/app.dump is missing", ""),
    ("the disk: app/backup is full", "")])
def test_an_error_is_of_the_repository_that_it_names_and_of_no_other(message, repository):
    found = [name for name in ("disk", "old-disk", "disk.old", "old", "disk-2")
             if names_repository(Damaged(message), SimpleNamespace(name=name), "app")]
    assert found == ([repository] if repository else [])


def test_a_copy_is_not_given_up_for_the_trouble_of_one_whose_name_ends_alike():
    error = Damaged(f"object old-disk:app/backup/{BACKUP}/app.dump is missing")
    found = [name for name in ("disk", "old-disk", "k")
             if reading_failed(error, SimpleNamespace(name=name), "app", BackupId.parse(BACKUP))]
    assert found == ["old-disk"]
