# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host command does not go while a server keeps its WAL for it."""
from __future__ import annotations

import json
import sys

from kit.archiving import archiving
from kit.command import Command
from kit.plays import Ansible


def asked(server, host, folder, **wal):
    """Ask with settings that reach the server."""
    command = Command(folder, {"shop": {"connection": server.settings, "wal": {"spool": str(host.spool), **wal}}})
    return command("config", "--for-removal")


def uninstalled(server, host, folder):
    """Run the playbook uninstall on settings and a command that are in the folder, and return what it said."""
    place, ansible = folder / "place", Ansible(folder)
    variables = {
        "restorable_repositories": {"local": {"path": f"{place}/backups"}}, "ansible_become": False,
        "agent_user": "root",
        "restorable_clusters": {"shop": {"connection": server.settings, "wal": {"spool": str(host.spool)}}},
        "agent_command": f"{place}/restorable", "agent_config": f"{place}/config.json", "agent_python": sys.executable,
        "agent_venv": f"{place}/venv/bin", "agent_client_source_file": f"{place}/list",
        "schedule_unit_dir": f"{place}/units", "schedule_cron_file": f"{place}/cron"}
    return ansible.play("uninstall", ansible.inventory(db1=variables))


def test_a_server_that_archives_keeps_the_command_where_it_is(tmp_path):
    with archiving(15) as (server, host):
        ran = asked(server, host, tmp_path)
        assert ran.status == 4
        assert f"the server of cluster shop archives its WAL through {host.spool}, and would keep all of it" in ran.err
        assert "ALTER SYSTEM SET archive_command = '/bin/true'" in ran.err

        place = tmp_path / "place"
        place.mkdir()
        (place / "restorable").write_text(
            f"#!/bin/sh\nPYTHONPATH={host.folder}/lib exec {sys.executable} -m _restorable \"$@\"\n")
        (place / "restorable").chmod(0o755)
        (place / "config.json").write_text(json.dumps({"clusters": {
            "shop": {"connection": server.settings, "wal": {"spool": str(host.spool)}}}}))
        (place / "cron").write_text("# a line\n")
        refused = uninstalled(server, host, tmp_path)
        assert "failed=1" in refused.line("db1 ", "ok=")
        assert "archives its WAL through" in refused.text
        assert sorted(each.name for each in place.iterdir()) == ["config.json", "cron", "restorable"]

        server.sql("ALTER SYSTEM SET archive_command = '/bin/true'")
        server.sql("SELECT pg_reload_conf()")
        done = uninstalled(server, host, tmp_path)
        assert done.status == 0, done.text
        assert list(place.iterdir()) == []


def test_a_slot_that_nobody_would_receive_by_keeps_it_too_and_so_does_a_server_that_does_not_answer(tmp_path):
    with archiving(15, config={"archive_command": "/bin/true"}) as (server, host):
        assert asked(server, host, tmp_path).status == 0
        server.sql("SELECT pg_create_physical_replication_slot('ours', true)")
        ran = asked(server, host, tmp_path, method="stream", slot="ours")
        assert (ran.status, "SELECT pg_drop_replication_slot('ours')" in ran.err) == (4, True)
        server.stop()
        ran = asked(server, host, tmp_path)
        assert (ran.status, "cannot be asked whether it archives" in ran.err) == (4, True)
        assert f"remove the folder {host.spool}" in ran.err


def test_without_a_spool_no_server_is_asked(tmp_path):
    command = Command(tmp_path, {"shop": {"connection": {"host": "/none"}, "wal": {"spool": f"{tmp_path}/none"}}})
    ran = command("config", "--for-removal")
    assert (ran.status, "no server archives its WAL through this host's command" in ran.out) == (0, True)
