# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two stacks from one role, on a real engine: what an operator does, and what goes wrong."""
from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))

from stack_kit import FOLDER, PATIENCE, ROWS, started  # noqa: E402 - the path comes first


@pytest.fixture(scope="module")
def staging():
    return started("staging")


@pytest.fixture(scope="module")
def production():
    return started("production")


def test_the_stacks_own_file_and_its_database_are_as_they_were(staging):
    assert (staging.folder / "compose.yaml").read_text() == (HERE / "stack" / "compose.yaml").read_text()
    both = staging.told("config", "--services").split()
    assert both == ["db"]
    ours = staging.told("--profile", "backup", "--profile", "drill", "config", "--services").split()
    assert sorted(ours) == ["backup", "db", "drill"]


def test_a_major_that_cannot_be_had_is_told_with_the_cure(staging):
    # a base without the major, and a place for it that is none
    arguments = ("ACCOUNT=10001", "BASE_IMAGE=restorable-test/debian:bookworm", "POSTGRES_MAJOR=17",
                 "APT_SOURCE=deb file:/nowhere ./")
    done = subprocess.run(["docker", "build", "--target", "backup", *(f"--build-arg={each}" for each in arguments),
                           str(staging.folder / "restorable")], check=False, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    assert done.returncode != 0
    assert "error: the packages of PostgreSQL 17 cannot be had from: deb file:/nowhere ./" in done.stdout
    assert "hint: Set compose_base_image to a Debian that has PostgreSQL 17" in done.stdout


def test_the_major_of_the_stacks_variables_is_that_of_image_build_and_error(staging, monkeypatch):
    monkeypatch.setenv("BACKUP_POSTGRES_MAJOR", "17")
    config = json.loads(staging.told("--profile", "backup", "--profile", "drill", "config", "--format", "json"))
    for name in ("backup", "drill"):
        service = config["services"][name]
        assert service["image"].startswith(f"restorable-{name}:17-")
        assert service["build"]["args"]["POSTGRES_MAJOR"] == "17"
        assert service["environment"]["RESTORABLE_IMAGE"] == service["image"]


def test_a_scheduled_backup_fires_and_the_container_is_healthy(staging):
    staging.compose("--profile", "backup", "up", "-d")
    staging.wait(staging.sets, "a scheduled backup")
    staging.wait(lambda: "prune: done" in staging.compose("logs", "backup").stdout, "a prune")
    staging.wait(lambda: staging.health()[0] == "healthy", "a healthy container")
    said = (staging.backups / "cron.log").read_text()
    assert "backup: done: dump staging" in said
    assert "staging-secret" not in said + staging.compose("logs", "backup").stdout


def test_backups_are_sealed_and_only_the_drill_service_opens_them(staging):
    backup = staging.sets()[-1]
    assert all(path.suffix == ".age" for path in staging.backups.glob(f"*/backup/{backup}/*") if path.suffix != ".json")
    done = staging.run("drill", "drill", backup)
    assert "passed" in done.stdout
    refused = staging.run("backup", "restore", backup, "shop", "--into", "copy", check=False)
    assert refused.returncode != 0
    assert "no identity is set here" in refused.stdout
    assert "copy" not in staging.sql("SELECT string_agg(datname, ' ') FROM pg_database")
    staging.compose("run", "--rm", "-T", "-v", f"{FOLDER}/staging.identity:/identity:ro", "-e",
                    "BACKUP_IDENTITY_FILE=/identity", "backup", "restore", backup, "shop", "--into", "copy")
    assert "copy" in staging.sql("SELECT string_agg(datname, ' ') FROM pg_database")


def test_the_services_have_no_rights_that_they_do_not_need(staging):
    found = staging.container("backup")
    host = found["HostConfig"]
    assert (host["ReadonlyRootfs"], host["CapDrop"], host["Init"]) == (True, ["ALL"], True)
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["Memory"] > 0
    assert host["PidsLimit"] > 0
    assert found["Config"]["User"] == "10001:10001"
    assert not any(found["NetworkSettings"]["Ports"].values())
    assert "staging-secret" not in str(found["Config"]["Env"])


def test_a_service_that_was_started_for_one_backup_takes_one_and_rests(staging, monkeypatch):
    staging.compose("--profile", "backup", "stop", "--timeout", "60", "backup")
    before = staging.sets()
    monkeypatch.setenv("BACKUP_MODE", "once")
    staging.compose("--profile", "backup", "up", "-d", "--force-recreate", "backup")
    staging.wait(lambda: "has done the one run" in staging.compose("logs", "backup").stdout, "a container at rest")
    staging.wait(lambda: staging.health()[0] == "healthy", "a healthy container")
    found = staging.container("backup")
    assert (found["HostConfig"]["RestartPolicy"]["Name"], found["RestartCount"]) == ("unless-stopped", 1)
    assert found["State"]["Status"] == "running"
    assert len(staging.sets()) == len(before) + 1


def test_a_dry_run_shows_the_plan_and_dumps_nothing(production):
    done = production.compose("run", "--rm", "-T", "-e", "BACKUP_DRY_RUN=1", "backup")
    assert "dry run: backup would next run at" in done.stdout
    assert "(Europe/Berlin)" in done.stdout
    assert "shop" in done.stdout
    assert production.sets() == []


def test_the_commands_of_a_runbook_work(production):
    assert "done: dump production" in production.run("backup", "backup").stdout
    [backup] = production.sets()
    assert backup in production.run("backup", "list").stdout
    assert "done: verify production" in production.run("backup", "verify").stdout
    assert "done: prune production" in production.run("backup", "prune").stdout
    assert production.sets() == [backup]


def test_a_drill_proves_the_backup_without_a_network_and_without_writing_to_it(production):
    before = sorted(str(path) for path in production.backups.rglob("*"))
    done = production.run("drill", "drill")
    assert "passed" in done.stdout
    assert sorted(str(path) for path in production.backups.rglob("*")) == before
    assert list(production.evidence.glob("production/drill/*.passed.json"))
    assert "proven" in production.run("backup", "list").stdout


def test_the_drill_service_reaches_nothing_of_the_stack_but_the_backups_and_cannot_write_to_them(production):
    production.compose("--profile", "drill", "up", "-d", "drill")
    try:
        found = production.container("drill")
        assert list(found["NetworkSettings"]["Networks"]) == ["none"]
        mounts = {each["Destination"]: (each["Type"], each["RW"]) for each in found["Mounts"]}
        assert mounts == {"/backups": ("bind", False), "/evidence": ("bind", True), "/scratch": ("volume", True)}
        host = found["HostConfig"]
        assert (host["ReadonlyRootfs"], host["CapDrop"], found["Config"]["User"]) == (True, ["ALL"], "100:100")
        assert "production-secret" not in str(found["Config"]["Env"])
        assert "DB_HOST" not in str(found["Config"]["Env"])
        tried = production.compose("exec", "-T", "drill", "sh", "-c",
                                   "exec 2>&1; touch /backups/x; ls /run/secrets; ls /sys/class/net", check=False)
        assert "Read-only file system" in tried.stdout
        assert "db_password" not in tried.stdout
        assert tried.stdout.split()[-1] == "lo"
    finally:
        production.compose("--profile", "drill", "rm", "--stop", "--force", "drill")


def test_wal_of_an_untouched_image_brings_its_server_back_to_a_moment(production):
    production.compose("exec", "-T", "db", "sh", "-c",
                       'echo "host replication all all scram-sha-256" >> "$PGDATA/pg_hba.conf"')
    production.sql("SELECT pg_reload_conf()")
    production.sql("SELECT pg_create_physical_replication_slot('restorable', true)")
    production.compose("--profile", "wal", "up", "-d", "wal")
    production.run("backup", "backup", "--kind", "base")
    production.sql("CREATE TABLE witness AS SELECT 1 AS a")
    production.sql("SELECT pg_create_restore_point('before')")
    production.sql("DROP TABLE orders")
    segment = production.sql("SELECT pg_walfile_name(pg_switch_wal())")
    production.wait(lambda: list(production.backups.glob(f"production/wal/*/*/{segment}-*")), "an archived segment")
    production.wait(lambda: production.container("wal")["State"]["Health"]["Status"] == "healthy", "good health")

    assert "recovery" in production.run("recover").stdout
    production.compose("stop", "db")
    production.compose("--profile", "wal", "rm", "--stop", "--force", "wal")
    emptied = ("--entrypoint", "find", "recover", "/recovery/data", "-mindepth", "1", "-delete")
    production.compose("run", "--rm", "-T", *emptied)
    production.run("recover", "recover", "/recovery/data", "--name", "before")
    production.compose("up", "-d", "db")
    production.wait_for_server()
    assert production.sql("SELECT count(*) FROM orders, witness") == ROWS
    assert production.sql("SELECT count(*) FROM pg_replication_slots") == "0"       # which would keep WAL for nobody
    production.sql("DROP TABLE witness")


def test_a_restore_in_the_drill_service_names_a_backup_and_a_database(production):
    [backup] = production.sets()
    done = production.run("drill", "restore", backup, "shop")
    assert "shop: 1 tables" in done.stdout
    assert "the scratch server is gone again" in done.stdout


def test_the_database_comes_back_after_its_volume_is_gone(production):
    production.compose("--profile", "backup", "--profile", "drill", "down", "-v", "--timeout", "5")
    assert production.sets()
    production.compose("up", "-d", "db")
    production.wait_for_server()
    assert production.sql("SELECT count(*) FROM pg_tables WHERE tablename = 'orders'") == "0"
    assert "done: restore production" in production.run("backup", "restore", "latest", "shop").stdout
    assert production.sql("SELECT count(*) FROM orders") == ROWS
    # a new server under an old name is a mistake until a person says that it is none
    refused = production.run("backup", "backup", check=False)
    assert refused.returncode == 4
    assert "--accept-new-server" in refused.stdout
    production.run("backup", "backup", "--accept-new-server")
    assert len(production.sets()) == 2


def test_a_stop_in_mid_dump_leaves_nothing_half_made(production):
    # what hardly shrinks, by the slowest method: half a minute of work, of which the first bytes are enough
    production.sql("CREATE TABLE wide AS SELECT n / 40 AS line, string_agg(gen_random_uuid()::text, '') AS body "
                   "FROM generate_series(1, 1000000) n GROUP BY 1")
    before = production.sets()
    production.compose("run", "-d", "--name", "production-long", "-e", "BACKUP_ON_START=1", "-e",
                       "BACKUP_COMPRESSION_LEVEL=19", "backup")
    production.wait(production.begun, "a part", every=0.1)
    subprocess.run(["docker", "stop", "--time", "60", "production-long"], check=True, stdout=subprocess.DEVNULL)
    said = subprocess.run(["docker", "logs", "production-long"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=True).stdout
    status = subprocess.run(["docker", "wait", "production-long"], stdout=subprocess.PIPE, text=True, check=True).stdout
    subprocess.run(["docker", "rm", "production-long"], check=True, stdout=subprocess.DEVNULL)
    assert status.strip() == "0", said
    assert "stopped by SIGTERM; nothing unfinished was left behind" in said
    assert (production.sets(), production.unfinished()) == (before, [])
    ours = "SELECT count(*) FROM pg_stat_activity WHERE application_name IN ('pg_dump', 'restorable')"
    production.wait(lambda: production.sql(ours) == "0", "the end of the dump's sessions")   # a server notices it late


def test_a_server_that_restarts_in_mid_dump_fails_the_run_and_nothing_else(production):
    before = production.sets()
    dump = subprocess.Popen(["docker", "compose", "run", "--rm", "-T", "-e", "BACKUP_COMPRESSION_LEVEL=19", "backup",
                             "backup"], cwd=production.folder, text=True, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    production.wait(production.begun, "a part", every=0.1)
    production.compose("restart", "--timeout", "1", "db")
    said = dump.communicate(timeout=PATIENCE)[0]
    assert dump.returncode != 0, said
    assert "error: " in said
    assert "hint: " in said
    assert (production.sets(), production.unfinished()) == (before, [])
    production.wait_for_server()
    production.sql("DROP TABLE wide")
    production.run("backup", "backup")
    assert len(production.sets()) == len(before) + 1


def test_a_wrong_password_is_a_clear_error_and_an_unhealthy_container(staging):
    secret = staging.folder / "restorable" / "secrets" / "db_password"
    right = secret.read_text()
    secret.write_text("wrong-secret")
    staging.compose("--profile", "backup", "up", "-d", "--force-recreate", "backup")
    staging.wait(lambda: staging.health()[0] == "unhealthy", "an unhealthy container")
    assert "does not accept the password of 'owner'" in staging.health()[1]
    said = staging.compose("logs", "backup").stdout
    assert "error: server db:5432 does not accept the password of 'owner'" in said
    assert "hint: " in said
    assert "wrong-secret" not in said
    secret.write_text(right)
    staging.compose("--profile", "backup", "stop", "--timeout", "60", "backup")


@pytest.fixture
def small(staging):
    """Let the stack keep its backups on a disk of 2 MiB: small("size=…") gives it another size."""
    kept = staging.folder / "kept"
    staging.compose("--profile", "backup", "rm", "--stop", "--force", "backup")
    staging.backups.rename(kept)
    staging.backups.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700,uid=10001,gid=10001", "tmpfs",
                    str(staging.backups)], check=True)
    try:
        yield lambda size: subprocess.run(["mount", "-o", f"remount,{size}", str(staging.backups)], check=True)
    finally:
        staging.sql("DROP TABLE IF EXISTS noise")
        staging.compose("--profile", "backup", "rm", "--stop", "--force", "backup")
        subprocess.run(["umount", str(staging.backups)], check=True)
        staging.backups.rmdir()
        kept.rename(staging.backups)


def test_a_full_disk_makes_the_container_unhealthy_until_there_is_room(staging, small, monkeypatch):
    staging.run("backup", "backup")
    [older] = staging.sets()
    staging.sql("CREATE TABLE noise AS SELECT gen_random_uuid() AS a, gen_random_uuid() AS b "
                "FROM generate_series(1, 100000)")
    monkeypatch.setenv("BACKUP_ON_START", "1")
    monkeypatch.setenv("BACKUP_SCHEDULE", "0 0 1 1 *")
    staging.compose("--profile", "backup", "up", "-d", "backup")
    staging.wait(lambda: "backup: failed" in staging.compose("logs", "backup").stdout, "a run that fails")
    said = staging.compose("logs", "--no-color", "backup").stdout
    assert re.search(r"repository backups: /backups\S* is full, [0-9.]+ \S?B free", said), said
    staging.wait(lambda: staging.health()[0] == "unhealthy", "an unhealthy container")
    assert "is full, " in staging.health()[1]
    assert (staging.sets(), staging.unfinished()) == ([older], [])
    assert "done: verify staging" in staging.run("backup", "verify").stdout
    small("size=64m")
    staging.compose("restart", "backup")
    staging.wait(lambda: len(staging.sets()) == 2, "a backup")
    staging.wait(lambda: staging.health()[0] == "healthy", "good health")
    assert (older in staging.sets(), staging.unfinished()) == (True, [])


def test_a_folder_of_another_user_is_told_with_the_cure(staging):
    os.chown(staging.backups, 0, 0)
    try:
        done = staging.run("backup", "backup", check=False)
    finally:
        os.chown(staging.backups, 10001, 10001)
    assert done.returncode == 2, done.stdout
    assert "chown -R" in done.stdout
