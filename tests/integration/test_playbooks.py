# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks, called by their names, on the variables of the inventory."""
from __future__ import annotations

import json
import pathlib
import sys

import pytest

from kit.agekeys import make_pair
from kit.plays import UNREACHABLE, Ansible

MAJOR = 15
CORE = pathlib.Path(__file__).parents[2] / "plugins" / "module_utils"


@pytest.fixture
def ansible(tmp_path):
    """Ansible with a home of its own."""
    return Ansible(tmp_path)


@pytest.fixture
def host(servers, tmp_path):
    """A function that returns the variables of a host with one cluster; what is given is put over its settings."""
    server = servers.of(MAJOR)
    server.sql("DROP DATABASE IF EXISTS app", "CREATE DATABASE app")
    server.sql("CREATE TABLE orders (id int PRIMARY KEY)", "CREATE TABLE notes (body text)",
               "INSERT INTO orders SELECT generate_series(1, 500)", database="app")

    def host(name, **clusters):
        body = {"connection": server.settings, "bin_dir": server.bin_dir,
                "jobs": {"dump": {"databases": ["app"], "globals": False}}}
        return {"restorable_repositories": {"local": {"type": "local", "path": str(tmp_path / name)}},
                "restorable_clusters": {cluster: {**body, **change} for cluster, change in clusters.items()},
                "restorable_notify": {"command": ["/bin/true"]}}     # only the role schedule reads it
    yield host
    server.sql("DROP DATABASE IF EXISTS app WITH (FORCE)")


@pytest.fixture
def nowhere(tmp_path):
    """The settings of a server that does not run."""
    return {"connection": {"host": str(tmp_path), "user": "postgres"}}


def sets(tmp_path, host, cluster="shop"):
    """Return the ids of all committed sets of a cluster."""
    return sorted(each.parent.name for each in (tmp_path / host / cluster / "backup").glob("*/manifest.json"))


def test_the_whole_chain_runs_on_the_inventory(ansible, host, servers, tmp_path):
    inventory = ansible.inventory(db1=host("db1", shop={}))
    for name in ("check", "backup", "verify", "drill", "prune", "status"):
        done = ansible.play(name, inventory)
        assert done.status == 0, done.text
        if name == "drill":
            [evidence] = (tmp_path / "db1" / "shop" / "drill").glob("*.json")
            assert f"shop/drill/{evidence.name}" in done.line("db1 ", "shop ", "PASSED")
    line = done.line("db1 ", "shop ", "green")
    assert sets(tmp_path, "db1")[0] in line

    servers.of(MAJOR).sql("DROP TABLE orders", database="app")
    wish = {"restorable_cluster": "shop", "restorable_database": "app", "restorable_tables": "public.orders"}
    plan = ansible.play("restore", inventory, "--check", **wish)
    assert (plan.status, plan.line("add", "app", "public.orders") != "") == (0, True), plan.text
    assert servers.of(MAJOR).sql("SELECT to_regclass('orders') IS NULL", database="app") == [(True,)]
    done = ansible.play("restore", inventory, **wish)
    assert done.status == 0, done.text
    assert servers.of(MAJOR).sql("SELECT count(*) FROM orders", database="app") == [(500,)]


def test_a_restore_takes_the_backup_of_its_plan_whatever_is_committed_meanwhile(ansible, host, servers, tmp_path):
    server, variables = servers.of(MAJOR), host("db1", shop={})
    assert ansible.play("backup", ansible.inventory(db1=variables)).status == 0
    [first] = sets(tmp_path, "db1")
    server.sql("DELETE FROM orders", "DROP DATABASE IF EXISTS seen", database="app")
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"repositories": variables["restorable_repositories"],
                                  "clusters": variables["restorable_clusters"]}))
    config.chmod(0o600)
    # a variable of both tasks, which backs up as soon as there is a plan
    command = f"PYTHONPATH={CORE} {sys.executable} -m _restorable --config {config} backup >&2 && echo false"
    variables["restorable_no_owner"] = \
        f"{{{{ lookup('pipe', '{command}') if restorable_plan is defined else 'false' }}}}"
    done = ansible.play("restore", ansible.inventory(db1=variables), restorable_cluster="shop",
                        restorable_database="app", restorable_into="seen")
    assert (done.status, len(sets(tmp_path, "db1")) > 1) == (0, True), done.text
    assert first in done.line("Plan of db1 shop")
    assert server.sql("SELECT count(*) FROM orders", database="seen") == [(500,)]
    server.sql("DROP DATABASE seen")


def test_a_restore_prints_what_could_not_be_brought_back(ansible, host, servers):
    server, inventory = servers.of(MAJOR), ansible.inventory(db1=host("db1", shop={}))
    server.sql("CREATE TABLE lines (o int CONSTRAINT linked REFERENCES orders)", database="app")
    assert ansible.play("backup", inventory).status == 0
    server.sql("DROP TABLE orders CASCADE", "INSERT INTO lines VALUES (4711)", database="app")
    done = ansible.play("restore", inventory, restorable_cluster="shop", restorable_database="app",
                        restorable_tables="public.orders")
    assert done.status == 0, done.text
    printed = done.text[done.text.index("Notes on db1 shop"):]
    assert "linked" in printed and "was not restored" in printed
    [warned] = [words for words in done.text.split("[WARNING]: ")[1:] if "was not restored" in " ".join(words.split())]
    assert "linked" in warned
    assert "4711" not in done.text


def test_every_playbook_works_in_check_mode_and_changes_nothing(ansible, host, servers, tmp_path):
    inventory = ansible.inventory(db1=host("db1", shop={}))
    assert ansible.play("backup", inventory).status == 0
    before = {path: path.read_bytes() for path in (tmp_path / "db1").rglob("*.json")}
    told = {"backup": ["would dump 1 database (app) into local, about ", "+ app  "],
            "prune": ["Plan of db1 shop", "keep  daily#1, floor:newest"],
            "restore": ["\n  create  app as app_checked  a new database\n", "not proven"]}
    into = {"restorable_cluster": "shop", "restorable_databases": "app", "restorable_into": "app_checked"}
    for name in ("backup", "prune", "verify", "drill", "restore", "status", "check"):
        done = ansible.play(name, inventory, "--check", "--diff", **(into if name == "restore" else {}))
        assert done.status == 0, done.text
        assert done.line("db1 ", "shop ")
        assert [words for words in told.get(name, ()) if words not in done.text] == [], done.text
        assert {path: path.read_bytes() for path in (tmp_path / "db1").rglob("*.json")} == before, name
    assert servers.of(MAJOR).sql("SELECT FROM pg_database WHERE datname = 'app_checked'") == []


def test_a_backup_that_max_age_skips_says_so_in_its_plan(ansible, host, tmp_path):
    inventory = ansible.inventory(db1=host("db1", shop={}))
    assert ansible.play("backup", inventory).status == 0
    done = ansible.play("backup", inventory, "--check", "--diff", restorable_max_age="20h")
    assert (done.status, "younger than max_age 20h00m" in done.line("db1 ", "shop ", "skipped")) == (0, True), done.text


def test_a_plan_that_a_guard_refuses_is_shown_with_the_variable_that_confirms_it(ansible, host, tmp_path):
    variables = host("db1", shop={"retention": {"dump": {"last": 1, "min_keep": 0, "min_age": "0"}}})
    inventory = ansible.inventory(db1=variables)
    assert [ansible.play("backup", inventory).status for _each in range(5)] == [0] * 5
    done = ansible.play("prune", inventory, "--check")
    assert done.status == 2
    assert "-e restorable_confirm=true" in done.line("  db1 ", " shop ", "FAILED")
    first = sets(tmp_path, "db1")[0]
    assert "no tier wants it" in done.line("- ", first, "drop")
    assert len(sets(tmp_path, "db1")) == 5


def test_a_cluster_that_fails_fails_only_itself_and_is_named(ansible, host, nowhere, tmp_path):
    inventory = ansible.inventory(db1=host("db1", alpha=nowhere, shop={}))
    done = ansible.play("backup", inventory)
    assert done.status == 2
    assert "FAILED" in done.line("  db1 ", " alpha ")
    assert " ok " in done.line("  db1 ", " shop ")
    assert "alpha failed" in done.text
    assert len(sets(tmp_path, "db1")) == 1


def test_a_host_that_fails_or_cannot_be_reached_fails_only_itself(ansible, host, nowhere, tmp_path):
    inventory = ansible.inventory(db1=host("db1", shop=nowhere), db2={**host("db2", shop={}), **UNREACHABLE},
                                  db3=host("db3", shop={}))
    done = ansible.play("backup", inventory)
    assert done.status == 2
    assert "FAILED" in done.line("  db1 ", " shop ")
    assert "FAILED" in done.line("  db2 ", " shop ")
    assert " ok " in done.line("  db3 ", " shop ")
    assert len(sets(tmp_path, "db3")) == 1


def test_the_status_is_one_table_of_all_hosts(ansible, host, tmp_path):
    inventory = ansible.inventory(db1=host("db1", shop={}), db2={**host("db2", shop={}), **UNREACHABLE},
                                  db3=host("db3", shop={}))
    ansible.play("backup", inventory, "--limit", "db1")
    done = ansible.play("status", inventory)
    assert done.status == 2
    lines = done.text.splitlines()
    top = next(number for number, line in enumerate(lines) if line.split()[:3] == ["host", "cluster", "state"])
    assert [line.split()[:3] for line in lines[top + 1:top + 4]] == [
        ["db1", "shop", "yellow"], ["db2", "shop", "FAILED"], ["db3", "shop", "red"]]
    assert "no backup was taken yet" in lines[top + 3]
    column = lines[top].index("newest")
    assert lines[top + 1][column:].startswith(sets(tmp_path, "db1")[0])
    assert ansible.play("status", inventory, "--limit", "db3").status == 2
    told = ansible.play("status", inventory, "--limit", "db3", restorable_fail_on_red=False)
    assert told.status == 0, told.text


def test_one_cluster_can_be_chosen(ansible, host, tmp_path):
    inventory = ansible.inventory(db1=host("db1", alpha={}, shop={}), db2=host("db2", alpha={}))
    done = ansible.play("backup", inventory, restorable_cluster="shop")
    assert done.status == 0, done.text
    assert (len(sets(tmp_path, "db1", "shop")), len(sets(tmp_path, "db1", "alpha"))) == (1, 0)
    assert sets(tmp_path, "db2", "alpha") == []
    nobody = ansible.play("backup", inventory, restorable_cluster="shpo")
    assert nobody.status == 2
    assert "no host has a cluster shpo" in nobody.text


def test_a_wrong_setting_in_the_inventory_is_told_by_its_path(ansible, host, tmp_path):
    wrong = {"jobs": {"dump": {"databses": ["app"]}}}
    inventory = ansible.inventory(db1=host("db1", shop=wrong))
    done = ansible.play("backup", inventory)
    assert "clusters.shop.jobs.dump.databses" in done.line("  db1 ", " shop ", "FAILED")
    assert "Did you mean databases?" in done.line("  db1 ", " shop ", "FAILED")


def test_backups_that_were_meant_to_be_sealed_are_refused_if_they_cannot_be(ansible, host, tmp_path):
    meant = {**host("db1", shop={}), "restorable_encryption": {"recipients": ["age1qqq"]}}
    done = ansible.play("backup", ansible.inventory(db1=meant))
    assert "encryption.recipients[0] is 'age1qqq', which is no public key" in done.line("  db1 ", " shop ", "FAILED")
    assert not (tmp_path / "db1").exists()


def test_a_sealed_backup_goes_through_every_playbook_by_the_inventorys_keys(ansible, host, tmp_path):
    pair = make_pair(tmp_path / "key.txt")
    variables = {**host("db1", shop={}), "restorable_encryption": {"recipients": [pair.public]}}
    inventory = ansible.inventory(db1=variables)
    assert ansible.play("backup", inventory).status == 0
    [backup] = (tmp_path / "db1").rglob("manifest.json")
    assert [path.name for path in backup.parent.iterdir() if not path.name.endswith(".age")] == ["manifest.json"]
    verified = ansible.play("verify", inventory)
    assert verified.status == 0, verified.text
    assert "1 of them sealed and not opened here" in verified.line("  db1 ", " shop ")
    unproven = ansible.play("drill", inventory)
    assert unproven.status == 2
    assert "no identity is set here" in unproven.line("  db1 ", " shop ", "FAILED")
    variables["restorable_encryption"]["identity_file"] = str(pair.path)
    proven = ansible.play("drill", ansible.inventory(db1=variables))
    assert proven.status == 0, proven.text
    assert pair.secret not in verified.text + unproven.text + proven.text


def test_a_drill_that_fails_names_what_did_not_hold(ansible, host, tmp_path):
    wrong = {"sql": "SELECT count(*) FROM orders", "database": "app", "expect": 501, "name": "all orders"}
    variables = host("db1", shop={})
    variables["restorable_clusters"]["shop"]["jobs"]["drill"] = {"checks": [wrong]}
    inventory = ansible.inventory(db1=variables)
    ansible.play("backup", inventory)
    done = ansible.play("drill", inventory)
    assert done.status == 2
    assert "all orders" in done.line("  L6 ", "failed")
    [evidence] = (tmp_path / "db1" / "shop" / "drill").glob("*.failed.json")
    assert evidence.name in done.line("  db1 ", " shop ", "FAILED")


def test_a_restore_asks_for_the_cluster(ansible, host):
    done = ansible.play("restore", ansible.inventory(db1=host("db1", shop={})))
    assert done.status == 2
    assert "Name the cluster to restore" in done.text


@pytest.mark.parametrize(("play", "wish", "words"), [
    ("restore", {"restorable_cluster": "shop", "restorable_databases": ["app"], "restorable_tabels": ["public.orders"],
                 "restorable_replace": True},
     "restorable_tabels is no variable of this collection. Did you mean restorable_tables?"),
    ("drill", {"restorable_bakup": "20260101T000000Z"},
     "restorable_bakup is no variable of this collection. Did you mean restorable_backup?"),
])
def test_a_misspelt_variable_is_refused_before_anything_is_planned(ansible, host, tmp_path, play, wish, words):
    done = ansible.play(play, ansible.inventory(db1=host("db1", shop={})), **wish)
    assert (done.status, words in done.text) == (2, True), done.text
    assert "Plan of" not in done.text and not (tmp_path / "db1").exists()
