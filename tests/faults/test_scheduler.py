# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scheduler as a container runs it: a process in the foreground, real dumps, real signals."""
from __future__ import annotations

import json
import stat
import subprocess
import sys
import time

from _restorable.host.clock import SystemClock
from _restorable.host.lock import FileLock
from kit.container import PATIENCE
from kit.leftovers import is_gone


def test_a_backup_at_the_start_is_committed_logged_and_the_container_is_healthy(container):
    one = container(BACKUP_ON_START="1")
    one.start()
    one.wait(lambda: "prune: done" in one.log, "a backup and a prune")
    health = one.run("health")
    assert (health.returncode, health.stdout[:22]) == (0, "healthy: next: backup ")
    status, said = one.stop()
    assert status == 0
    assert "stopped by SIGTERM" in said
    assert [line for line in said.splitlines() if "warning" not in line] == one.log.splitlines()
    assert stat.S_IMODE((one.backups / "cron.log").stat().st_mode) == 0o600
    assert "manifest.json" in " ".join(one.files())


def test_a_schedule_fires(container):
    one = container(BACKUP_SCHEDULE="* * * * *")
    one.start()
    one.wait(lambda: "backup: done" in one.log, "a scheduled backup")
    assert one.stop()[0] == 0
    listed = json.loads(one.run("list", "--json").stdout)
    assert len(listed["clusters"][0]["repositories"][0]["backups"]) >= 1


def test_sigterm_in_mid_dump_leaves_nothing_half_made_and_the_run_is_made_up_for(container, pg16, shop):
    pg16.sql("CREATE TABLE wide AS SELECT g, repeat(md5(g::text), 20) AS body FROM generate_series(1, 80000) g",
             database=shop)
    one = container(BACKUP_ON_START="1", BACKUP_COMPRESSION_LEVEL="19")
    one.start()

    def dumping():
        return pg16.sql(f"SELECT pid FROM pg_stat_activity WHERE application_name = 'pg_dump' AND datname = '{shop}'")
    one.wait(dumping, "a dump")
    one.wait(lambda: any(".part" in name for name in one.files()), "a part of a dump")
    [child] = subprocess.run(["pgrep", "-P", str(one.process.pid)], stdout=subprocess.PIPE, text=True,
                             check=True).stdout.split()
    status, said = one.stop()
    assert status == 0, said
    assert "backup: error: stopped by SIGTERM" in said
    assert is_gone(int(child))
    assert [name for name in one.files() if "/journal/" not in name] == ["staging-db/cluster.json"]
    until = time.monotonic() + PATIENCE
    while dumping() and time.monotonic() < until:
        time.sleep(0.1)
    assert dumping() == []
    pg16.sql("DROP TABLE wide", database=shop)
    again = container(BACKUP_SCHEDULE="0 0 1 1 *")
    again.start()
    again.wait(lambda: "backup: done" in again.log, "the run that was cut short")
    again.stop()


def test_a_run_that_another_one_holds_up_says_who_holds_the_lock_and_waits_for_it(container, pg16, shop):
    one = container(BACKUP_ON_START="1")
    with pg16.connect(shop) as blocker:
        blocker.autocommit = False
        blocker.execute("LOCK TABLE item IN ACCESS EXCLUSIVE MODE")
        by_hand = subprocess.Popen([sys.executable, "-m", "_restorable", "backup"], env=one.environment,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        lock = one.backups / ".state" / "staging-db.lock"
        until = time.monotonic() + PATIENCE
        while not (lock.exists() and lock.read_text()) and time.monotonic() < until:
            time.sleep(0.1)
        one.start()
        one.wait(lambda: f"locked by backup (pid {by_hand.pid}" in one.log, "the second run's wait")
        assert "; waiting at most 6h" in one.log
        assert one.run("health").stdout.startswith("healthy: ")
        blocker.rollback()
    assert by_hand.wait(PATIENCE) == 0
    one.wait(lambda: "prune: done" in one.log, "the run that waited")
    assert "backup: failed" not in one.log
    one.stop()


def test_a_drill_that_begins_during_a_prune_waits_for_it(container):
    one = container(BACKUP_ON_START="1")
    assert one.run("backup").returncode == 0
    pruning = FileLock(str(one.backups / ".state" / "staging-db.reading.lock"), SystemClock(), "cluster staging-db")
    with pruning.hold("prune"):
        one.start("--job", "drill")
        one.wait(lambda: "drill: warning: cluster staging-db is locked by prune (pid " in one.log, "the drill's wait")
    one.wait(lambda: "drill: done: drill staging-db" in one.log, "the drill that waited")
    assert one.stop()[0] == 0


def test_a_restart_forgets_no_failed_run_and_tries_it_again(container):
    one = container(BACKUP_ON_START="1", BACKUP_DATABASES="nowhere")
    one.start()
    one.wait(lambda: "backup: failed" in one.log, "a run that fails")
    one.wait(lambda: one.run("health").returncode == 1, "an unhealthy container")
    assert "the last backup failed: " in one.run("health").stdout
    one.stop()
    again = container(BACKUP_SCHEDULE="0 0 1 1 *")
    again.start()
    again.wait(lambda: "prune: done" in again.log, "the run that failed")
    assert "schedule: the last backup failed: " in again.log
    again.wait(lambda: again.run("health").returncode == 0, "a healthy container")
    again.stop()


def test_a_wrong_password_is_a_clear_error_and_an_unhealthy_container(container, empty_server):
    server = empty_server(16, hba="local all postgres trust\nlocal all app scram-sha-256\n")
    server.sql("CREATE ROLE app LOGIN SUPERUSER PASSWORD 'right'")
    one = container(server, DB_USER="app", DB_PASSWORD="geheim-und-falsch", BACKUP_DATABASES="all")
    one.start()
    one.wait(lambda: "error: " in one.log, "an error")
    one.wait(lambda: one.run("health").returncode == 1, "an unhealthy container")
    health = one.run("health").stdout
    assert "does not accept the password of 'app'" in health
    assert "hint: " in one.log
    _status, said = one.stop()
    assert "geheim" not in said + health + one.log + json.dumps(one.files())


def test_a_client_that_is_too_old_names_the_image_to_build(container, servers):
    newer, older = servers.of(18), servers.of(16)
    one = container(newer, PATH=f"{older.bin_dir}:/usr/bin:/bin", BACKUP_DATABASES="postgres")
    done = one.run("backup")
    assert done.returncode == 2
    assert "no pg_dump of major 18 or newer" in done.stdout
    assert "POSTGRES_MAJOR=18" in done.stdout


def test_a_scheduler_whose_client_is_too_old_names_the_image_at_its_start(container, servers):
    newer, older = servers.of(18), servers.of(16)
    one = container(newer, PATH=f"{older.bin_dir}:/usr/bin:/bin", BACKUP_DATABASES="postgres",
                    BACKUP_SCHEDULE="0 0 1 1 *", RESTORABLE_IMAGE="restorable-backup:16-0123456789ab")
    one.start()
    one.wait(lambda: "hint: " in one.log, "a refusal")
    assert "error: no pg_dump of major 18 or newer" in one.log
    assert "hint: Use the image restorable-backup:18-0123456789ab: set BACKUP_POSTGRES_MAJOR=18" in one.log
    one.wait(lambda: one.run("health").returncode == 1, "an unhealthy container")
    assert "no pg_dump of major 18 or newer" in one.run("health").stdout
    assert one.stop()[0] == 0
    assert one.files() == []


def test_a_dry_run_shows_the_plan_of_the_schedule_and_dumps_nothing(container, shop):
    one = container(BACKUP_DRY_RUN="1", BACKUP_SCHEDULE="30 2 * * *")
    done = one.run("schedule")
    assert done.returncode == 0, done.stdout
    assert "dry run: backup would next run at" in done.stdout
    assert shop in done.stdout
    assert one.files() == []
    assert one.log == ""


def test_once_takes_one_backup_and_ends_with_its_status(container):
    one = container(BACKUP_MODE="manual")
    done = one.run("schedule")
    assert done.returncode == 0, done.stdout
    assert "backup: done" in done.stdout
    bad = container(BACKUP_MODE="manual", BACKUP_DATABASES="nowhere")
    assert bad.run("schedule").returncode == 5


def test_once_takes_no_second_backup_when_the_engine_starts_its_container_again(container):
    one = container(BACKUP_MODE="once", RESTORABLE_CONTAINER="1" * 64)
    assert one.run("schedule").returncode == 0
    before = one.files()
    one.start()
    rest = "healthy: next: nothing, the one run is done\n"
    one.wait(lambda: one.run("health").stdout == rest, "a container at rest")
    status, said = one.stop()
    assert status == 0, said
    assert "this container has done the one run that BACKUP_MODE=once asks for" in said
    assert one.files() == before
    another = container(BACKUP_MODE="once", RESTORABLE_CONTAINER="2" * 64, BACKUP_DATABASES="nowhere")
    assert another.run("schedule").returncode == 5
    another.start()
    another.wait(lambda: "the last backup failed: " in another.run("health").stdout, "an unhealthy container")
    assert another.stop()[0] == 0


def test_an_impossible_schedule_ends_at_once_with_its_name(container):
    done = container(BACKUP_SCHEDULE="61 * * * *").run("schedule")
    assert done.returncode == 2
    assert "environment variable BACKUP_SCHEDULE is '61 * * * *'" in done.stdout


def test_a_schedule_in_a_settings_file_is_not_the_foreground_schedulers(container, tmp_path):
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"repositories": {"local": {"path": str(tmp_path / "r")}}, "clusters": {"shop": {}}}))
    done = container(RESTORABLE_CONFIG=str(config)).run("schedule")
    assert done.returncode == 2
    assert "RESTORABLE_CONFIG=environment" in done.stdout


def test_health_without_a_scheduler_says_so(container):
    done = container().run("health")
    assert done.returncode == 3
    assert "no scheduler shows its state" in done.stdout
