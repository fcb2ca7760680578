# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts for people, word for word: tests/golden/*.txt. RESTORABLE_UPDATE_GOLDEN=1 writes them anew."""
from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

from _restorable.app import report
from _restorable.app.render import (
    backup_done,
    prune_done,
    render_backup,
    render_list,
    render_prune,
    render_restore,
    render_status,
    render_verify,
    restore_done,
    verify_done,
)
from _restorable.app.render_drill import drill_done, render_drill
from _restorable.app.render_set import adopt_done, render_adopt, render_show
from _restorable.model.catalogue import Backup, Catalogue
from _restorable.model.drill import Check, Evidence, Objective
from _restorable.model.health import Health
from _restorable.model.manifest import DatabaseReport, Item, Manifest
from _restorable.model.naming import BackupId
from _restorable.model.policy import Policy
from _restorable.model.retention import Candidate, plan_prune
from _restorable.model.server import Database, Server
from _restorable.model.stock import create_roles, restore_commands
from _restorable.ops.adopt import AdoptReport, FileReport
from _restorable.ops.backup import BackupReport
from _restorable.ops.drill import DrillPlan
from _restorable.ops.preflight import DumpPlan
from _restorable.ops.prune import PruneReport
from _restorable.ops.restore_plan import RestorePlan, Step
from _restorable.ops.status import ClusterStatus, RepositoryStatus
from _restorable.ops.verify import Verified

GOLDEN = Path(__file__).parents[2] / "golden"
NOW = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
THREE = NOW.replace(hour=3)
DIGEST = "0" * 64
SERVER = Server(150018, "15.18", "7", "postgres", "postgres", True,
                databases=(Database("shop", 1_300_000_000), Database("Möbel 50%", 8_000_000)))


def assert_golden(name: str, text: str) -> None:
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("RESTORABLE_UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def lines(*parts: str) -> str:
    return "".join(part if part.endswith("\n") else f"{part}\n" for part in parts if part)


def dump(days: float, **changes) -> Backup:
    return Backup(BackupId(THREE - timedelta(days=days), changes.pop("kind", "dump"), changes.pop("label", "")),
                  changes.pop("size", 1_200_000_000), changes.pop("committed", True), **changes)


def item(name: str, database: str = "", role: str = "dump", **changes) -> Item:
    return Item(name, role, 400_000_000, DIGEST, 1_200_000_000, DIGEST, database, **{
        "format": "custom", "compression": "zstd", **changes})


MANIFEST = Manifest(
    BackupId(THREE, "dump"), "shop", THREE, THREE + timedelta(seconds=192), "restorable 0.1.0",
    (item("globals.sql.zst", role="globals", format="plain"), item("shop.dump.zst", "shop"),
     item("%4D%C3%B6bel%2050%25.dump.zst", "Möbel 50%")),
    (DatabaseReport("shop", THREE.isoformat(), "0/1", 42, 1_234_567, 190.0),
     DatabaseReport("Möbel 50%", THREE.isoformat(), "0/1", 1, None, 2.0)),
    server={"version": "15.18"}, not_covered=("database template1: is a template",),
    restore=restore_commands((item("globals.sql.zst", role="globals"), item("shop.dump.zst", "shop"),
                              item("%4D%C3%B6bel%2050%25.dump.zst", "Möbel 50%"))))
PLAN = DumpPlan(MANIFEST.id, SERVER, "pg_dump (PostgreSQL) 15.18", SERVER.databases, ("local", "offsite"),
                ("database template1: is a template",), last_size=1_100_000_000)


def test_a_backup_that_was_taken():
    told = report.backup_report(BackupReport(PLAN, True, MANIFEST))
    assert_golden("backup", lines(render_backup("shop", told, dry_run=False), backup_done("shop", told, dry_run=False)))


def test_a_backup_that_is_planned():
    told = report.backup_report(BackupReport(PLAN, True))
    assert_golden("backup-plan",
                  render_backup("shop", told, dry_run=True) + backup_done("shop", told, dry_run=True) + "\n")


def test_a_backup_that_is_not_needed():
    from dataclasses import replace
    told = report.backup_report(BackupReport(replace(PLAN, skipped_because="the newest is 2h00m old"), False))
    assert render_backup("shop", told, dry_run=False) == ""
    assert backup_done("shop", told, dry_run=False) == "done: dump shop not needed: the newest is 2h00m old"
    assert told["backup"] == ""


def test_a_list():
    local = Catalogue("shop", (
        dump(400, kind="adopted", label="staging_db", size=999), dump(8, held=True),
        dump(2, drilled=THREE - timedelta(days=1), verdict="passed"),
        dump(1, drilled=THREE, verdict="failed"), dump(0, committed=False, size=12_345)), ("my-files",))
    rows = [RepositoryStatus("local", local, free=52_000_000_000), RepositoryStatus("offsite", Catalogue("shop", ()))]
    assert_golden("list", render_list("shop", report.list_report(rows, NOW)))


def test_a_status():
    catalogue = Catalogue("shop", (dump(2, drilled=THREE, verdict="passed"), dump(0)))
    rows = (RepositoryStatus("local", catalogue, free=52_000_000_000),
            RepositoryStatus("offsite", Catalogue("shop", ()), "not mounted"))
    health = Health("red", ("repository offsite: not mounted",))
    told = report.status_report(ClusterStatus(
        "shop", rows, health, THREE, NOW, "local:shop/drill/20261120T030000Z.20261118T030000Z-dump.passed.json"))
    assert_golden("status", render_status("shop", told))


def test_a_prune_with_every_reason():
    candidates = [Candidate(BackupId(THREE - timedelta(days=day), "dump"), 1_000_000, held=day == 12,
                            proven=day == 9, bad=day == 3) for day in range(15)]
    policy = Policy.of({"daily": 3, "weekly": 1, "max_delete_percent": 100})
    plan = plan_prune(candidates, policy, NOW)
    sizes = {each.id: each.size for each in candidates}
    told = report.prune_report([PruneReport("local", plan, plan.bytes_freed(candidates), False, sizes)])
    text = render_prune("shop", told, policy=str(policy))
    assert_golden("prune", lines(text, prune_done("shop", told, dry_run=True)))


def test_a_refused_prune_names_its_guard():
    candidates = [Candidate(BackupId(THREE - timedelta(days=day), "dump"), 1_000_000) for day in range(9)]
    plan = plan_prune(candidates, Policy.of({"last": 1}), NOW)
    told = report.prune_report([PruneReport("local", plan, 0, False)])
    assert "  guard: 6 of 9 backups of dump would be dropped" in render_prune("shop", told, policy="last 1")


def drilled(*checks: Check, **changes) -> tuple[str, dict]:
    evidence = Evidence(NOW, NOW + timedelta(seconds=200), "shop", MANIFEST.id, "the newest", "local", checks,
                        {"read objects": 4.2, "restore shop": 150.0, "compare": 40.4}, **{
                            "server": "PostgreSQL 15.18 from /usr/lib/postgresql/15/bin",
                            "rto": 156.1, "rpo": 32400.0, "objectives": (
                                Objective("rto", 1800.0, 156.1), Objective("rpo", 3600.0, 32400.0)), **changes})
    plan = DrillPlan(dump(0), "the newest", "local", "PostgreSQL 15.18 from /usr/lib/postgresql/15/bin",
                     1_200_000_000, 185.0, MANIFEST)
    told = report.drill_report(plan, evidence)
    return render_drill("shop", told) + drill_done("shop", told) + "\n", told


PASSING = (Check("L0", "manifest", "ok"), Check("L0", "object shop.dump.zst", "ok", "400 MB"),
           Check("L1", "contents shop", "ok"), Check("L2", "globals", "ok"),
           Check("L2", "restore shop", "ok", "1.2 GB"), Check("L3", "structure shop", "ok", "312 objects"),
           Check("L4", "data shop", "ok", "1234567 rows in 42 tables"),
           Check("L5", "indexes shop", "ok"), Check("L5", "amcheck shop", "not_run", "is not installed", optional=True))


def test_a_drill_that_passed():
    text, told = drilled(*PASSING, Check("L6", "own checks", "not_run", "none are set", optional=True),
                         key="shop/drill/20261120T120000Z.20261120T030000Z-dump.passed.json")
    assert told["verdict"] == "passed"
    assert_golden("drill-passed", text)


def test_a_drill_that_failed_names_every_finding():
    text, told = drilled(
        *PASSING[:6], Check("L4", "data shop", "failed", "table public.orders: rows", "1200", "1199"),
        Check("L4", "data shop", "failed", "sequence public.orders_id_seq: value", "1200", "1"),
        Check("L5", "indexes shop", "failed", "public.orders_pkey is not valid"), Check("L6", "revenue", "ok", "shop"),
        notes=("the server was kept in /var/tmp/drill-1",))
    assert told["verdict"] == "failed"
    assert_golden("drill-failed", text)


def test_a_drill_that_could_not_ask_everything():
    text, told = drilled(*PASSING[:5], Check("L3", "structure shop", "not_run", "the dump was taken without one"),
                         rto=None, objectives=())
    assert told["verdict"] == "incomplete"
    assert_golden("drill-incomplete", text)


def test_a_drill_that_is_planned():
    plan = DrillPlan(dump(0), "drawn from 12 backups", "local", "PostgreSQL 15.18", 1_200_000_000, None, MANIFEST)
    told = report.drill_report(plan, None)
    assert_golden("drill-plan", render_drill("shop", told) + drill_done("shop", told) + "\n")


def test_a_set_that_is_shown():
    drill = {"begun": THREE.isoformat(), "verdict": "failed", "rto": 156.1,
             "checks": [{"result": "failed", "name": "data shop", "detail": "table public.orders: rows"}]}
    older = {"begun": (THREE - timedelta(days=3)).isoformat(), "verdict": "passed", "rto": 12.0, "checks": []}
    backup = dump(0, drilled=THREE, verdict="failed")
    assert_golden("show", render_show(report.show_report("local", backup, MANIFEST, [drill, older], NOW)))


def test_an_adopted_set_that_is_shown():
    file = item("staging-db-20261120.sql.gz", "shop", format="plain", compression="gzip")
    backup = BackupId(THREE, "adopted", "staging_db")
    manifest = Manifest(backup, "shop", THREE, THREE, "restorable 0.1.0", (file,), server={"version": ""}, adopted={
        "path": "/backups/staging-db-20261120.sql.gz", "roles": ["app", "it's"],
        "notes": ["database named like the file"],
        "meta": {"rows": "5", "password": "***"}},
        restore=(*create_roles(["app", "it's"]), *restore_commands([file], adopted=True)))
    shown = Backup(backup, 1000, True)
    assert_golden("show-adopted", render_show(report.show_report("local", shown, manifest, [], NOW)))


def test_a_verification():
    checks = (Check("L0", "manifest", "ok"), Check("L0", "object shop.dump.zst", "failed", "has 9 bytes"))
    found = [Verified("local", dump(1), (Check("L0", "manifest", "ok"),)), Verified("local", dump(0), checks)]
    told = report.verify_report(found)
    assert_golden("verify", render_verify("shop", told) + verify_done("shop", told, dry_run=False) + "\n")


def test_what_a_wrong_key_cannot_open_is_told_once_for_each_repository():
    def closed(name):
        detail = f"{name} cannot be opened: none of the identities opens it"
        return Check("L0", f"object {name}", "not_run", detail)
    read = Check("L0", "manifest", "ok")
    found = [Verified("local", dump(1), (read, closed("a.dump.age"), closed("b.dump.age"))),
             Verified("local", dump(0), (read, closed("a.dump.age"))),
             Verified("offsite", dump(0), (read, closed("a.dump.age"))),
             Verified("nas", None, (Check("L0", "repository", "not_run", "repository nas is away"),))]
    told = render_verify("shop", report.verify_report(found)).splitlines()
    assert told[-3:] == [
        "  NOT RUN  3 objects of 2 backups in local: cannot be opened: none of the identities opens it",
        f"  NOT RUN  {dump(0).id}  object a.dump.age in offsite: cannot be opened: none of the identities opens it",
        "  NOT RUN    repository in nas: repository nas is away"]


def test_a_restore():
    steps = (Step("create", "shop_old", item("shop.dump.zst", "shop"), "a new database"),
             Step("fill", "Möbel 50%", item("m.dump.zst", "Möbel 50%"), "an empty database, in one transaction"),
             Step("add", "shop", item("shop.dump.zst", "shop"), "public.orders, in one transaction",
                  ("cascade drops VIEW public big, which the backup brings back",)))
    plan = RestorePlan("20261120T030000Z-dump", "local", "the newest", True, steps, MANIFEST, "passed", NOW)
    told = report.restore_report(plan, ["role app exists"])
    assert_golden("restore", render_restore("shop", told) + restore_done("shop", told, 93.0) + "\n")


def test_an_adoption():
    backup = BackupId(THREE, "adopted", "staging_db")
    files = (FileReport("staging-db-20261120.sql.gz", 436_000, "adopted", backup, "staging_db", "shop", "plain",
                        notes=("database named like the file",), moved=True),
             FileReport("staging-db-20261119.sql.gz", 436_000, "known", backup, "staging_db", "shop", "plain"),
             FileReport("staging-db-20261118.sql.gz", 20, "skipped", reason="it is empty once unpacked"),
             FileReport("staging-db-20261117.sql.gz", 436_000, "failed", reason="repository local is full"))
    told = report.adopt_report(AdoptReport("/backups", "staging-db-*", ("local",), files))
    planned = render_adopt(told, dry_run=True)
    assert "to adopt" in planned
    assert "  adopted" not in planned
    assert_golden("adopt", render_adopt(told) + adopt_done("shop", told, dry_run=False) + "\n")
