# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The EXAMPLES of the modules, run by Ansible: word for word but for hosts, folders and one date."""
from __future__ import annotations

import pathlib
from contextlib import ExitStack
from datetime import datetime, timezone

import pytest
import yaml
from ansible.utils.plugin_docs import read_docstring

from _restorable.store.local import LocalStore
from kit.plays import Ansible
from kit.servers import start_server
from kit.shop import SHOP, roles

MAJOR = 15
SECRET = "kV7.wrench-orbit"
PLUGINS = pathlib.Path(__file__).parents[2] / "plugins" / "modules"
HBA = "local all postgres trust\nlocal all all scram-sha-256\n"

# in an order in which one leaves what the next needs
BEFORE = ("pg_repository_check", "pg_dump", "pg_repository_sync", "pg_backup_info", "pg_verify", "pg_drill",
          "pg_audit_info", "pg_prune", "print_table")
AFTER = ("pg_restore",)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Two servers, of which the second is empty, folders, and Ansible with the examples' names replaced by theirs."""
    folder = tmp_path_factory.mktemp("examples")
    with ExitStack() as stack:
        server, empty = (stack.enter_context(start_server(MAJOR, hba=HBA)) for _number in range(2))
        roles(server)
        server.sql("CREATE DATABASE app", "CREATE DATABASE billing",
                   f"CREATE ROLE backup SUPERUSER LOGIN PASSWORD '{SECRET}'")
        server.sql(SHOP, "CREATE SCHEMA audit", "CREATE TABLE audit.log AS SELECT 1 AS a", database="app")
        password = folder / "password"
        password.write_text(SECRET)
        password.chmod(0o600)
        disk = folder / "disk"
        disk.mkdir()
        LocalStore("disk", str(disk), require_marker=True).create()      # what `restorable init` does
        yield Place(server, empty, folder)


class Place:
    """Where the examples run."""

    def __init__(self, server, empty, folder):
        self.server, self.empty, self.ansible = server, empty, Ansible(folder)
        self.names = {"/var/backups/restorable": folder / "backups", "/mnt/backup": folder / "disk",
                      "/mnt/new/restorable": folder / "new", "/etc/restorable/password": folder / "password",
                      "/run/postgresql": server.folder, "db1.example.com": server.folder,
                      "db2.example.com": empty.folder, "2026-11-13": f"{datetime.now(timezone.utc):%Y-%m-%d}"}

    def run(self, *modules):
        """Run every example of some modules in one play; what names no connection finds the server as libpq does."""
        tasks = [task for module in modules for task in self.examples(module)]
        around = {"environment": {"PGHOST": str(self.server.folder), "PGUSER": "postgres"}}
        done = self.ansible.tasks(*({**task, **around} for task in tasks))
        for task in tasks:
            assert f"TASK [{task['name']}]" in done.text, done.text
        assert (done.status, "failed=0" in done.text, f"ok={len(tasks)} " in done.text) == (0, True, True), done.text
        return done.text

    def examples(self, module):
        text = read_docstring(str(PLUGINS / f"{module}.py"))["plainexamples"]
        for name, mine in self.names.items():
            text = text.replace(name, str(mine))
        return yaml.safe_load(text)


def test_every_example_does_what_its_name_says(place):
    place.run(*BEFORE)
    place.server.sql("DROP TABLE public.orders CASCADE", "DELETE FROM sales.lines", database="app")
    place.run(*AFTER)
    assert place.server.sql("SELECT count(*) FROM orders", database="app") == [(500,)]
    assert place.server.sql("SELECT count(*) FROM sales.lines", database="app") == [(0,)]   # nothing else was touched
    assert place.server.sql("SELECT count(*) FROM sales.lines", database="app_last_week") == [(500,)]
    assert {"app", "billing"} <= {name for name, in place.empty.sql("SELECT datname FROM pg_database")}
