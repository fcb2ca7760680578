# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The EXAMPLES of the modules for base backups and WAL, run by Ansible on a server that does not archive yet."""
from __future__ import annotations

import json
import pathlib

import pytest

from kit.archiving import archiving, give, wait_archived
from kit.examples import Examples
from kit.physical import home
from kit.plays import Ansible
from kit.restart import restart_script, stop_restarted
from kit.servers import run_folder

MAJOR = 15
OFF = {"archive_mode": "off", "archive_command": ""}


@pytest.fixture
def place(tmp_path):
    """A server, the host that its shipper runs on, and the examples with their names replaced by these."""
    with archiving(MAJOR, config=OFF) as (server, host):
        (host.folder / "local").mkdir(exist_ok=True)
        early, late, fast, new = (home(host.folder, name) for name in ("early", "late", "fast", "new"))
        names = {
            "/var/backups/restorable": host.folder / "local", "/run/postgresql": server.folder,
            "archive_timeout: 60s}": f"archive_timeout: 60s, spool: {host.spool}}}",
            "[systemctl, restart, postgresql@15-main]": json.dumps(restart_script(server, host)),
            "/var/lib/postgresql/15/recovered": early, "/var/lib/postgresql/15/main": late,
            "/mnt/fast/space": fast.parent, "/mnt/new/space": new}
        give(host.folder)
        examples = Examples(Ansible(tmp_path), names, {"PGHOST": str(server.folder), "PGUSER": server.superuser})
        [first, *_more] = examples.of("pg_wal_archive")
        examples.variables["restorable_settings"] = first["restorable.postgres.pg_wal_archive"]["settings"]
        with host.shipper():
            yield server, host, examples


def test_every_example_of_physical_backups_does_what_its_name_says(place):
    server, host, examples = place
    try:
        set_up, nightly, whole, gently = examples.run(*examples.of("pg_wal_archive", "pg_basebackup"))
        assert set_up["restarted"] and not set_up["pending_restart"]
        assert server.sql("SHOW archive_mode") == [("on",)]
        assert not nightly["changed"] and nightly["proven"] > set_up["proven"]
        assert {set_up["proven"], nightly["proven"]} <= set(host.archived())
        assert (host.folder / "local" / "shop" / "backup" / whole["backup"] / "manifest.json").exists()
        assert not gently["changed"] and "younger than max_age 20h" in gently["skipped_because"]

        server.sql("CREATE TABLE kept AS SELECT generate_series(1, 7) AS id")
        [(moment,)] = server.sql("SELECT to_char(clock_timestamp() AT TIME ZONE 'Asia/Tokyo', "
                                 "'YYYY-MM-DD HH24:MI:SS.US')")      # where no clock is ever changed
        server.sql("DELETE FROM kept", f"CREATE TABLESPACE fast LOCATION '{examples.names['/mnt/fast/space']}'",
                   "SELECT pg_switch_wal()")
        wait_archived(server)
        examples.names.update({"2026-11-20 14:29:59": moment, "Europe/Berlin": "Asia/Tokyo"})
        early, late = examples.of("pg_recover")
        wal, _no_gap, recovered, again = examples.run(*examples.of("pg_wal_archive_info"), early,
                                                      examples.of("pg_basebackup")[0])
        [row] = wal["repositories"]
        assert (row["behind"], row["gaps"], row["windows"][0]["base"]) == (0, [], whole["backup"])
        assert recovered["plan"]["backup"] == whole["backup"]
        assert ids(server, early) == list(range(1, 8))

        server.sql("CREATE TABLE moved (id) TABLESPACE fast AS VALUES (1), (2)", "INSERT INTO kept VALUES (8)",
                   "SELECT pg_switch_wal()")
        wait_archived(server)
        [newest] = examples.run(late)
        assert newest["plan"]["backup"] == again["backup"] != whole["backup"]
        assert ids(server, late) == [8] and ids(server, late, "moved") == [1, 2]
        assert any(examples.names["/mnt/new/space"].iterdir())
    finally:
        stop_restarted(server)


def ids(server, example, table="kept"):
    """Return the ids in a table of the data directory that an example made."""
    [(_module, options)] = [pair for pair in example.items() if pair[0].startswith("restorable.")]
    above = pathlib.Path(options["data_directory"]).parent
    with open(above / "data" / "postgresql.conf", "a", encoding="utf-8") as file:
        file.write(f"\nunix_socket_directories = '{above}'\n")
    with run_folder(server.major, server.bin_dir, above) as back:
        return [number for number, in back.sql(f"SELECT id FROM {table} ORDER BY id")]
