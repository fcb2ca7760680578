# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rekey, a listing with keys and a sealed set look like to a person."""
from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from _restorable.app.render import render_list, verify_done
from _restorable.app.render_keys import rekey_done, render_rekey
from _restorable.app.report import list_report, verify_report
from _restorable.app.report_keys import rekey_report
from _restorable.model.catalogue import Backup, Catalogue
from _restorable.model.drill import Check
from _restorable.model.naming import BackupId
from _restorable.ops.rekey import Rekeyed
from _restorable.ops.rekey_wal import RekeyedWal
from _restorable.ops.status import RepositoryStatus
from _restorable.ops.verify import Verified

NOW = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
IDS = [BackupId(NOW - timedelta(days=days), "dump") for days in (2, 1, 0)]


def test_a_rekey_tells_of_each_set_for_whom_it_was_and_is_sealed():
    report = rekey_report([
        Rekeyed(IDS[0], "rekeyed", 5_000_000, ("age1old",), ("age1new",), "shop/backup/x/manifest.1.json"),
        Rekeyed(IDS[1], "rekeyed", 4_000_000, (), ("age1new",), "shop/backup/y/manifest.1.json", warnings=("slow",)),
        Rekeyed(IDS[2], "failed", reason="no key opens it")])
    assert render_rekey(report).splitlines() == [
        "  backup                          stored anew  was sealed for   is sealed for",
        "  20261118T120000Z-dump  rekeyed       5.0 MB  age1old          age1new",
        "  20261119T120000Z-dump  rekeyed       4.0 MB  nobody           age1new",
        "  20261120T120000Z-dump  FAILED                no key opens it"]
    assert rekey_done("shop", report, dry_run=False) == "done: rekey shop 2 backups 9.0 MB, 1 failed"
    assert rekey_done("shop", report, dry_run=True).startswith("dry run: nothing was written; to rekey: 2 backups")
    assert (report["changed"], report["warnings"], len(report["keys"])) == (True, ["slow"], 2)


@pytest.mark.parametrize("kind, action, warned", [
    ("base", "rekeyed", True), ("incr", "rekeyed", True), ("base", "current", False), ("dump", "rekeyed", False)])
def test_a_rekey_of_one_base_backup_warns_that_its_wal_is_sealed_as_before(kind, action, warned):
    done = [Rekeyed(BackupId(NOW, kind), action)]
    assert ["leaves WAL as it was sealed" in each and "keep the old identity" in each
            for each in rekey_report(done)["warnings"]] == [True] * warned
    assert rekey_report(done, [])["warnings"] == []


def test_a_rekey_tells_of_the_wal_of_each_repository_and_names_what_failed():
    report = rekey_report([], [
        RekeyedWal("local", rekeyed=3, current=1, size=3_000_000),
        RekeyedWal("vault", rekeyed=1, size=1_000_000, failed=2, reasons=["…07: no key opens it", "…08: damaged"],
                   stay=1, why="retained: 2030")])
    assert render_rekey(report).splitlines()[1:] == [
        "  WAL of local: 3 files 3.0 MB, 1 sealed for these keys already",
        "  WAL of vault: 1 file 1.0 MB, 0 sealed for these keys already",
        "  FAILED in vault: …07: no key opens it",
        "  FAILED in vault: …08: damaged"]
    assert rekey_done("shop", report, dry_run=False) == (
        "done: rekey shop 0 backups 0 B, 4 files of WAL 4.0 MB, 2 failed")
    assert report["failed"] == ["WAL of vault: 2 files not rekeyed: …07: no key opens it"]
    assert "1 files of WAL in repository vault stay" in report["warnings"][0] and report["changed"]


def test_a_listing_with_keys_names_them_and_one_without_does_not():
    sets = tuple(Backup(each, 1000, True, objects=(name, "manifest.json"))
                 for each, name in zip(IDS, ("a.dump.zst", "a.dump.zst.age", "a.dump.zst.r1.age")))
    catalogue = Catalogue("shop", sets)
    keys = {IDS[1]: ("age1old",), IDS[2]: ("age1new", "age1safe")}
    lines = render_list("shop", list_report([RepositoryStatus("local", catalogue, keys=keys)], NOW)).splitlines()
    assert [line.rsplit("  ", 1)[1] for line in lines[1:]] == ["sealed for", "age1new, age1safe", "age1old", "nobody"]
    plain = list_report([RepositoryStatus("local", catalogue)], NOW)
    assert "sealed for" not in render_list("shop", plain)
    assert [each["sealed"] for each in plain["repositories"][0]["backups"]] == [True, True, False]


def test_a_verification_without_identity_is_intact_and_says_what_was_not_opened():
    closed = Verified("local", Backup(IDS[0], 1000, True), (
        Check("L0", "object a.dump.zst.age", "ok"), Check("L1", "opened", "not_run", "no identity", optional=True)))
    report = verify_report([closed])
    assert (report["verdict"], report["backups"][0]["opened"]) == ("passed", False)
    assert "1 sealed and not opened, as no identity is set here" in verify_done("shop", report, dry_run=False)
