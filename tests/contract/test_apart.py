# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence kept apart is one store with the backups, and proving needs no right to change them."""
from __future__ import annotations

import pytest
from contract.suite import StoreContract

from _restorable.errors import ConfigError, Unavailable
from _restorable.store.apart import EvidenceApart
from _restorable.store.local import LocalStore
from kit.memory_store import MemoryStore

BACKUP = "shop/backup/20261120T030000Z-dump/manifest.json"
DRILL = "shop/drill/20261206T040000Z.20261120T030000Z-dump.passed.json"


class TestApart(StoreContract):
    @pytest.fixture
    def store(self, tmp_path):
        return EvidenceApart(LocalStore("backups", str(tmp_path / "backups")),
                             LocalStore("backups", str(tmp_path / "evidence")))


class ReadOnly(MemoryStore):
    """Backups mounted read-only."""

    def check(self, *, write=True):
        if write:
            raise Unavailable("repository backups is on a read-only file system", code="store.read_only")


@pytest.fixture
def backups():
    return MemoryStore("backups")


@pytest.fixture
def evidence():
    return MemoryStore("evidence")


@pytest.fixture
def both(backups, evidence):
    return EvidenceApart(backups, evidence)


def test_evidence_goes_to_its_own_place_and_backups_to_theirs(both, backups, evidence):
    both.put(BACKUP, [b"{}"])
    both.put(DRILL, [b"passed"])
    assert [entry.key for entry in backups.list("")] == [BACKUP]
    assert [entry.key for entry in evidence.list("")] == [DRILL]
    assert [entry.key for entry in both.list("shop/")] == [BACKUP, DRILL]
    assert b"".join(both.get(DRILL)) == b"passed"


def test_evidence_from_before_is_still_seen_and_can_be_deleted(both, backups):
    backups.put(DRILL, [b"old"])
    assert b"".join(both.get(DRILL)) == b"old"
    both.delete(DRILL)
    assert list(backups.list("")) == []


def test_a_drill_can_store_its_evidence_where_backups_are_read_only(evidence):
    both = EvidenceApart(ReadOnly("backups"), evidence)
    both.check()
    both.put(DRILL, [b"passed"])
    assert [entry.key for entry in evidence.list("")] == [DRILL]


def test_a_place_for_evidence_that_cannot_be_written_to_fails_the_check(backups):
    with pytest.raises(Unavailable):
        EvidenceApart(backups, ReadOnly("evidence")).check()


def test_a_missing_folder_of_backups_is_no_read_only_one(tmp_path, evidence):
    with pytest.raises(ConfigError):
        EvidenceApart(LocalStore("backups", str(tmp_path / "a" / "b")), evidence).check()
