# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules, run by Ansible on real servers."""
from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timedelta, timezone

import pytest

from kit.plays import Ansible

MAJOR = 15
SECRET = "kV7.wrench-orbit"


@pytest.fixture
def ansible(tmp_path):
    """Ansible with a home of its own."""
    return Ansible(tmp_path)


@pytest.fixture
def shop(servers, tmp_path):
    """The common options of a cluster with one small database, which is dropped in the end."""
    server = servers.of(MAJOR)
    server.sql("DROP DATABASE IF EXISTS app", "CREATE DATABASE app")
    server.sql("CREATE TABLE orders (id int PRIMARY KEY, total numeric)", "CREATE TABLE notes (body text)",
               "INSERT INTO orders SELECT n, n * 1.5 FROM generate_series(1, 500) AS n",
               "INSERT INTO notes VALUES ('keep me')", database="app")
    yield {"cluster": "shop", "connection": server.settings, "bin_dir": server.bin_dir,
           "repositories": {"local": {"type": "local", "path": str(tmp_path / "backups")}}}
    server.sql("DROP DATABASE IF EXISTS app WITH (FORCE)")


@pytest.fixture
def small(shop):
    """Options of pg_dump that take the one database."""
    return {**shop, "databases": ["app"], "globals": False}


def sets(tmp_path):
    """Return the ids of all committed sets on disk."""
    return sorted(each.parent.name for each in (tmp_path / "backups" / "shop" / "backup").glob("*/manifest.json"))


def test_a_dump_is_committed_and_listed(ansible, small, shop, tmp_path):
    done = ansible.module("pg_dump", **small)
    assert (done["changed"], [each["name"] for each in done["databases"]]) == (True, ["app"])
    assert sets(tmp_path) == [done["backup"]]
    # health asks for the sets of the configured job, so it is told what the job takes
    job = {"databases": ["app"], "globals": False}
    known = {"clusters": {"shop": {"jobs": {"dump": job}}}}
    told = ansible.module("pg_backup_info", **shop, backup="latest", settings=known)
    [row] = told["repositories"][0]["backups"]
    assert (row["backup"], row["state"], row["held"]) == (done["backup"], "committed", False)
    assert told["colour"] == "yellow"          # backed up, never drilled
    assert any("pg_restore" in line for line in told["backup"]["restore"])


def test_check_mode_returns_the_plan_of_a_dump_and_writes_nothing(ansible, small, tmp_path):
    plan = ansible.module("pg_dump", "--check", **small)
    assert (plan["changed"], plan["repositories"], plan["skipped_because"]) == (True, ["local"], "")
    assert [each["name"] for each in plan["databases"]] == ["app"]
    assert sets(tmp_path) == []


def test_a_young_backup_makes_a_second_run_a_no_op(ansible, small, tmp_path):
    first = ansible.module("pg_dump", **small)
    again = ansible.module("pg_dump", **small, max_age="1h")
    assert again["changed"] is False
    assert "younger than max_age" in again["skipped_because"]
    assert sets(tmp_path) == [first["backup"]]


def test_a_passed_drill_makes_a_backup_proven(ansible, small, shop):
    taken = ansible.module("pg_dump", **small)
    question = {"sql": "SELECT count(*) FROM orders", "database": "app", "expect": 500}
    drilled = ansible.module("pg_drill", **shop, checks=[question])
    assert (drilled["verdict"], drilled["changed"]) == ("passed", True), drilled["said"]
    assert drilled["evidence"]["backup"] == taken["backup"]
    [row] = ansible.module("pg_backup_info", **shop)["repositories"][0]["backups"]
    assert (row["state"], row["proven"]) == ("proven", True)


def test_a_drill_that_fails_fails_the_task_and_returns_its_evidence(ansible, small, shop):
    ansible.module("pg_dump", **small)
    wrong = {"sql": "SELECT count(*) FROM orders", "database": "app", "expect": 501, "name": "all orders"}
    drilled = ansible.module("pg_drill", **shop, checks=[wrong])
    assert "FAILED!" in drilled["said"]
    assert drilled["msg"].startswith("FAILED: ")
    [bad] = [each for each in drilled["evidence"]["checks"] if each["result"] == "failed"]
    assert (bad["level"], "all orders" in bad["name"]) == ("L6", True)
    kept = ansible.module("pg_drill", **shop, checks=[wrong], fail_on_verdict=False)
    assert (kept["verdict"], "SUCCESS" in kept["said"] or "CHANGED" in kept["said"]) == ("failed", True)


def test_a_damaged_backup_fails_verification(ansible, small, shop, tmp_path):
    taken = ansible.module("pg_dump", **small)
    assert ansible.module("pg_verify", **shop)["verdict"] == "passed"
    [archive] = (tmp_path / "backups" / "shop" / "backup" / taken["backup"]).glob("app.dump*")
    damaged = bytearray(archive.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    archive.chmod(0o600)
    archive.write_bytes(damaged)
    found = ansible.module("pg_verify", **shop)
    assert (found["verdict"], "FAILED!" in found["said"]) == ("failed", True)
    assert "1 of 1 backups of shop are damaged" in found["msg"]


def test_one_table_comes_back_and_the_others_are_not_touched(ansible, small, shop, servers):
    ansible.module("pg_dump", **small)
    server = servers.of(MAJOR)
    server.sql("DROP TABLE orders", "INSERT INTO notes VALUES ('written since')", database="app")
    wish = {**shop, "databases": ["app"], "tables": ["public.orders"]}
    plan = ansible.module("pg_restore", "--check", **wish)
    assert [(each["action"], each["database"]) for each in plan["steps"]] == [("add", "app")]
    assert server.sql("SELECT to_regclass('orders') IS NULL", database="app") == [(True,)]
    assert ansible.module("pg_restore", **wish)["changed"] is True
    assert server.sql("SELECT count(*) FROM orders", database="app") == [(500,)]
    assert server.sql("SELECT count(*) FROM notes", database="app") == [(2,)]
    again = ansible.module("pg_restore", **wish)
    assert (again["code"], "FAILED!" in again["said"]) == ("restore.table_exists", True)


def lay_out(tmp_path, days):
    """Put empty committed sets of that many days into the repository; retention reads only the listing."""
    for day in range(days):
        when = datetime.now(timezone.utc) - timedelta(days=day)
        folder = tmp_path / "backups" / "shop" / "backup" / f"{when:%Y%m%dT%H%M%SZ}-dump"
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text("{}")


def test_a_prune_shows_every_fate_and_does_what_it_showed(ansible, shop, tmp_path):
    lay_out(tmp_path, 8)
    policy = {"retention": {"daily": 5, "min_keep": 1}}
    plan = ansible.module("pg_prune", "--check", "--diff", **shop, **policy)
    [repository] = plan["repositories"]
    assert (len(repository["kept"]), len(repository["dropped"]), repository["deleted"]) == (5, 3, False)
    for row in repository["kept"] + repository["dropped"]:
        fate = "keep" if row in repository["kept"] else "drop"
        assert f"{row['backup']}  {fate}  {', '.join(row['reasons'])}" in plan["said"]
    assert len(sets(tmp_path)) == 8
    done = ansible.module("pg_prune", **shop, **policy)
    assert done["repositories"][0]["dropped"] == repository["dropped"]
    assert sets(tmp_path) == sorted(row["backup"] for row in repository["kept"])
    assert ansible.module("pg_prune", **shop, **policy)["changed"] is False


def test_a_refused_prune_fails_with_the_plan_and_deletes_nothing(ansible, shop, tmp_path):
    lay_out(tmp_path, 8)
    refused = ansible.module("pg_prune", **shop, retention={"daily": 1, "min_keep": 1})
    assert "FAILED!" in refused["said"]
    assert (len(refused["repositories"][0]["dropped"]), bool(refused["hint"])) == (7, True)
    assert len(sets(tmp_path)) == 8


def test_a_password_is_in_no_output_and_no_file(ansible, empty_server, tmp_path):
    server = empty_server(MAJOR, hba="local all postgres trust\nlocal all all scram-sha-256\n")
    server.sql(f"CREATE ROLE keeper SUPERUSER LOGIN PASSWORD '{SECRET}'")
    reach = {**server.settings, "user": "keeper"}
    options = {"cluster": "shop", "bin_dir": server.bin_dir,
               "repositories": {"local": {"type": "local", "path": str(tmp_path / "backups")}}}
    done = ansible.tasks({"name": "Dump", "restorable.postgres.pg_dump": {
        **options, "connection": {**reach, "password": SECRET}}})
    assert done.status == 0, done.text
    (tmp_path / "play.yml").unlink()
    wrong = ansible.module("pg_dump", "-vvv", **options, connection={**reach, "password": "not-" + SECRET})
    assert "FAILED!" in wrong["said"]
    assert "password" in wrong["msg"]
    for text in (done.text, wrong["said"].replace("not-" + SECRET, SECRET)):
        assert SECRET not in text
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path


def test_a_password_that_is_a_common_word_leaves_the_result_readable(ansible, empty_server, tmp_path):
    server = empty_server(MAJOR, hba="local all postgres trust\nlocal all all scram-sha-256\n")
    server.sql("CREATE ROLE keeper SUPERUSER LOGIN PASSWORD 'dump'")
    done = ansible.module(
        "pg_dump", "-vvv", cluster="shop", bin_dir=server.bin_dir,
        connection={**server.settings, "user": "keeper", "password": "dump"},
        repositories={"local": {"type": "local", "path": str(tmp_path / "backups")}})
    assert done["backup"].endswith("-dump")
    assert done["invocation"]["module_args"]["connection"]["password"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


@pytest.mark.parametrize(("change", "value", "code"), [
    ("repositories", {"local": {"type": "local", "path": "backups"}}, "config.value"),
    ("repositories", {"local": {"type": "local", "path": "/x", "compres": 1}}, "config.unknown_key"),
    ("max_age", "soon", "config.duration"),
    ("jobs", -1, "config.value"),
    ("settings", {"encryption": {"recipients": ["age1x"]}}, "encryption.bad_recipient"),
    ("settings", {"clusters": {"shop": {"jobs": {"dump": {"databses": ["app"]}}}}}, "config.unknown_key"),
    ("settings", {"clusters": {"other": {}}}, "cluster.unknown"),
])
def test_a_wrong_setting_gets_one_clear_error_and_changes_nothing(ansible, small, tmp_path, change, value, code):
    found = ansible.module("pg_dump", **{**small, change: value})
    assert ("FAILED!" in found["said"], found["code"], bool(found["hint"])) == (True, code, True), found["said"]
    assert not (tmp_path / "backups").exists()


def test_encryption_without_a_recipient_stores_no_backup(ansible, small, tmp_path):
    found = ansible.module("pg_dump", **{**small, "encryption": {"identity_file": ["/etc/key"]}})
    assert ("FAILED!" in found["said"], found["code"]) == (True, "encryption.no_recipient"), found["said"]
    assert list(tmp_path.rglob("backup")) == []      # the journal may tell of it, and nothing else is written


def test_a_target_without_psycopg_says_what_to_install_for_which_interpreter(ansible, small, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    python = str(tmp_path / "bare" / "bin" / "python")
    found = ansible.module("pg_dump", "-e", f"ansible_python_interpreter={python}", **small)
    assert "FAILED!" in found["said"]
    assert "psycopg" in found["msg"]
    assert python in found["msg"] + found["hint"]


def test_the_progress_of_a_long_dump_is_shown(ansible, small, tmp_path):
    done = ansible.tasks({"name": "Dump", "restorable.postgres.pg_dump": {**small, "pre_command": ["sleep", "4"]}})
    assert done.status == 0, done.text
    assert "localhost | pre command" in done.text
    assert list((tmp_path / ".ansible_async").iterdir()) == []      # neither a job nor a progress file is left


def test_the_progress_of_a_long_drill_and_of_a_long_restore_is_shown(ansible, small, shop, servers, tmp_path):
    nap = ["sleep", "4"]
    done = ansible.tasks(
        {"name": "Dump", "restorable.postgres.pg_dump": small},
        {"name": "Drill", "restorable.postgres.pg_drill": {**shop, "command": nap}},
        {"name": "Restore", "restorable.postgres.pg_restore": {
            **shop, "databases": ["app"], "into": "app_watched", "post_command": nap}})
    servers.of(MAJOR).sql("DROP DATABASE IF EXISTS app_watched")
    assert done.status == 0, done.text
    assert "localhost | own checks" in done.text
    assert "localhost | post command" in done.text
    assert list((tmp_path / ".ansible_async").iterdir()) == []


def test_a_task_that_is_asked_to_be_asynchronous_is_left_alone(ansible, small, tmp_path):
    done = ansible.tasks({"name": "Dump", "restorable.postgres.pg_dump": small, "async": 60, "poll": 1,
                          "register": "dump"},
                         {"name": "Tell", "ansible.builtin.debug": {"msg": "took {{ dump.backup }}"}})
    assert done.status == 0, done.text
    assert f"took {sets(tmp_path)[0]}" in done.text
