# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The EXAMPLES of the modules, run by Ansible: each keeps what its name promises."""
from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import zipfile
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from _restorable.app import wire
from _restorable.host.progress import Silent
from _restorable.model.settings import Settings
from _restorable.ops.backup import back_up
from _restorable.store.local import LocalStore
from _restorable.version import VERSION
from kit.examples import ALONE, DUMPED, LOST, PHYSICAL, Examples, modules
from kit.frozen_clock import FrozenClock
from kit.plays import Ansible
from kit.s3_servers import KEY_ID, SECRET
from kit.servers import start_server
from kit.shop import SHOP, roles

MAJOR = 15
PASSWORD = "kV7.wrench-orbit"
HBA = "local all postgres trust\nlocal all all scram-sha-256\n"


def test_the_examples_of_every_module_are_run():
    rows = (*DUMPED, *LOST, *PHYSICAL, *ALONE)
    assert (len(rows), set(rows)) == (len(modules()), modules())


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Two servers, of which the second is empty, folders, and the examples with their names replaced by these."""
    folder = tmp_path_factory.mktemp("examples")
    with ExitStack() as stack:
        server, empty = (stack.enter_context(start_server(MAJOR, hba=HBA)) for _number in range(2))
        roles(server)
        server.sql("CREATE DATABASE app", "CREATE DATABASE billing",
                   f"CREATE ROLE backup SUPERUSER LOGIN PASSWORD '{PASSWORD}'")
        server.sql(SHOP, "CREATE SCHEMA audit", "CREATE TABLE audit.log AS SELECT 1 AS a", database="app")
        password = folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o600)
        disk = folder / "disk"
        disk.mkdir()
        LocalStore("disk", str(disk), require_marker=True).create()      # what `restorable init` does
        yield Place(server, empty, folder)


class Place:
    """Where the examples run, and what lies there."""

    def __init__(self, server, empty, folder):
        self.server, self.empty, self.folder = server, empty, folder
        names = {"/var/backups/restorable": folder / "backups", "/mnt/backup": folder / "disk",
                 "/mnt/new/restorable": folder / "new", "/etc/restorable/password": folder / "password",
                 "/run/postgresql": server.folder, "db1.example.com": server.folder,
                 "db2.example.com": empty.folder, "2026-11-13": f"{datetime.now(timezone.utc):%Y-%m-%d}"}
        # what names no connection finds the server as libpq does
        self.examples = Examples(Ansible(folder), names, {"PGHOST": str(server.folder), "PGUSER": "postgres"})

    def run(self, *modules):
        return self.examples.run(*self.examples.of(*modules))

    def sets(self, repository="backups"):
        """Return the ids of the committed sets in a repository's folder, oldest first."""
        return sorted(path.parent.name for path in (self.folder / repository).glob("shop/backup/*/manifest.json"))

    def manifest(self, backup, repository="backups"):
        return json.loads((self.folder / repository / "shop" / "backup" / backup / "manifest.json").read_text())

    def add_old_sets(self, first, count):
        """Take sets of one small database as a day long ago would have seen them, an hour after each other."""
        settings = Settings.of({
            "repositories": {"local": {"path": str(self.folder / "backups")}},
            "clusters": {"shop": {"connection": self.server.settings,
                                  "jobs": {"dump": {"databases": ["billing"], "globals": False}}}}})
        cluster = settings.cluster("shop")
        for number in range(count):
            clock = FrozenClock(first + timedelta(hours=number))
            world = replace(wire.open_world(settings, cluster, Silent()), clock=clock)
            yield str(back_up(world, wire.open_cluster(cluster), cluster.dump).manifest.id)


def test_every_example_does_what_its_name_says(place):
    sure, whole, two, level, info, newest, everything, last, proof, week, audit, keyed = place.run(*DUMPED)
    assert (sure["fit"], sure["repositories"][0]["place"]) == (True, str(place.folder / "backups"))

    every, chosen = place.sets()
    assert (whole["backup"], two["backup"]) == (every, chosen)
    assert [each["name"] for each in place.manifest(every)["databases"]] == ["app", "billing", "postgres"]
    there = place.manifest(chosen, "disk")
    assert place.sets("disk") == [chosen] and there == place.manifest(chosen)
    assert [each["name"] for each in there["databases"]] == ["app", "billing"]
    assert (there["options"]["format"], there["options"]["jobs"], there["options"]["level"]) == ("directory", 4, 6)
    assert there["selection"]["exclude_table_data"] == ["audit.*"]

    assert place.sets("new") == [every, chosen] == level["made"]
    assert [each["backup"] for each in info["repositories"][0]["backups"]] == [chosen, every]
    assert newest["backup"]["backup"] == chosen and any("pg_restore" in each for each in newest["backup"]["restore"])
    assert [each["backup"] for each in everything["backups"]] == [every, chosen]
    assert [(each["backup"], each["verdict"]) for each in last["backups"]] == [(chosen, "passed")]

    assert (proof["verdict"], proof["evidence"]["backup"]) == ("passed", chosen)
    asked = [each for each in week["evidence"]["checks"] if "every order has a customer" in each["name"]]
    assert week["verdict"] == "passed" and [each["result"] for each in asked] == ["ok"]
    kept = {path.name.split(".")[-2] for path in (place.folder / "backups" / "shop" / "drill").glob("*.json")}
    assert kept == {"passed"}
    assert (audit["verdict"], audit["findings"]) == ("intact", [])
    assert {each["kind"] for each in keyed["findings"]} == {"unsigned"}      # found, and the play went on

    long_ago = (datetime.now(timezone.utc) - timedelta(days=30)).replace(hour=10)
    oldest, idle, *newest = place.add_old_sets(long_ago, 5)
    assert place.sets() == [oldest, idle, *newest, every, chosen]
    place.server.sql("DROP TABLE public.orders CASCADE", "DELETE FROM sales.lines", database="app")
    before = place.server.sql("SELECT count(*) FROM pg_database")[0][0]
    pruned, berlin, table, beside, server = place.run(*LOST)

    assert place.sets() == [oldest, *newest, every, chosen]    # of their kind the oldest and the newest three stay
    assert not (place.folder / "backups" / "shop" / "backup" / idle).exists()
    [row], [again] = pruned["repositories"], berlin["repositories"]
    assert [each["backup"] for each in row["dropped"]] == [idle]
    assert row["policy"].startswith("daily 7, weekly 4, monthly 3 ")
    assert again["dropped"] == [] and "Europe/Berlin" in again["policy"]

    assert table["steps"][0]["action"] == "add"
    assert place.server.sql("SELECT count(*) FROM orders", database="app") == [(500,)]
    assert place.server.sql("SELECT count(*) FROM sales.lines", database="app") == [(0,)]   # nothing else was touched
    assert beside["backup"] == chosen
    assert place.server.sql("SELECT count(*) FROM sales.lines", database="app_last_week") == [(500,)]
    assert place.server.sql("SELECT count(*) FROM pg_database") == [(before + 1,)]
    assert server["globals"]
    assert {"app", "billing"} <= {name for name, in place.empty.sql("SELECT datname FROM pg_database")}
    assert place.empty.sql("SELECT count(*) FROM orders", database="app") == [(500,)]
    assert place.empty.sql("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'backup'") == [(True,)]


def test_the_examples_without_a_server_do_what_their_names_say(moto_s3, tmp_path):
    (tmp_path / "stack").mkdir()
    plain, locked = f"acme-{tmp_path.name}"[:50].replace("_", "-"), f"locked-{tmp_path.name}"[:50].replace("_", "-")
    examples = Examples(
        Ansible(tmp_path),
        {"acme-backups": plain, "acme-locked-backups": locked, "https://s3.example.org": moto_s3.url,
         "/usr/local/bin/restorable": tmp_path / "restorable", "/opt/restorable/venv/bin/python": sys.executable,
         "/srv/shop/backup": tmp_path / "stack"},
        {"AWS_ENDPOINT_URL": moto_s3.url, "AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET},
        {"vault_s3_key_id": KEY_ID, "vault_s3_secret": SECRET})
    bucket, lock, command, beside, _table = examples.run(*examples.of(*ALONE))

    client = moto_s3.client()
    for name in (plain, locked):
        assert client.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
        assert client.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]["BlockPublicAcls"]
        assert client.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    assert client.get_object_lock_configuration(Bucket=locked)["ObjectLockConfiguration"]["ObjectLockEnabled"]
    assert (bucket["words"], lock["words"]) == (f"{plain}: made", f"{locked}: made")

    said = subprocess.run([command["dest"], "--version"], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["restorable", VERSION]
    packed = pathlib.Path(beside["dest"])
    assert packed == tmp_path / "stack" / "restorable"
    assert packed.read_bytes().startswith(b"#!/usr/bin/python3 -I\n")
    one, other = zipfile.ZipFile(packed), zipfile.ZipFile(command["dest"])
    assert [each.CRC for each in one.infolist()] == [each.CRC for each in other.infolist()]

    [head] = [line for line in examples.said.splitlines() if "host" in line and "state" in line]
    assert all(any(line.split()[-2:] == row for line in examples.said.splitlines()) for row in (
        ["db1", "green"], ["db2", "red"])), head
