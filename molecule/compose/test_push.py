# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stack whose own server hands its WAL to the service beside it, as docs/wal.md says, and comes back at a moment."""
from __future__ import annotations

import pathlib
import sys

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))

from stack_kit import ROWS, started  # noqa: E402 - the path comes first

COMMAND = ("[ -r /var/spool/restorable/archive.sh ] || exit 3; "
           "exec /bin/sh /var/spool/restorable/archive.sh /var/spool/restorable 60 %p %f")


def test_shipped_wal_brings_the_server_back_to_a_moment():
    push = started("push")
    push.compose("exec", "-T", "db", "sh", "-c",
                 'echo "host replication all all scram-sha-256" >> "$PGDATA/pg_hba.conf"')
    push.sql("ALTER SYSTEM SET archive_mode = on")
    push.sql(f"ALTER SYSTEM SET archive_command = '{COMMAND}'")
    push.compose("restart", "--timeout", "10", "db")
    push.wait_for_server()
    push.compose("--profile", "wal", "up", "-d", "wal")
    push.run("backup", "backup", "--kind", "base")
    push.sql("INSERT INTO orders VALUES (0, 'after the backup')")
    push.sql("SELECT pg_create_restore_point('before')")
    push.sql("DROP TABLE orders")
    segment = push.sql("SELECT pg_walfile_name(pg_switch_wal())")
    push.wait(lambda: push.sql("SELECT last_archived_wal FROM pg_stat_archiver") >= segment, "an acknowledged segment")
    assert list(push.backups.glob(f"push/wal/*/*/{segment}-*"))
    push.wait(lambda: push.container("wal")["State"]["Health"]["Status"] == "healthy", "good health")
    found = push.container("wal")
    mounts = {each["Destination"]: each["RW"] for each in found["Mounts"]}
    assert (mounts["/server"], mounts["/spool"], found["Config"]["User"]) == (False, True, "100:100")
    push.run("wal", "wal-get", segment, f"/tmp/{segment}")     # noqa: S108 - in its container

    assert "recovery" in push.run("recover").stdout
    push.compose("stop", "db")                                  # which hands over its last WAL
    push.compose("--profile", "wal", "stop", "wal")
    refused = push.run("recover", "recover", "/recovery/data", "--name", "before", check=False)
    assert refused.returncode == 4
    assert "/recovery/data is not empty" in refused.stdout
    push.compose("run", "--rm", "-T", "--entrypoint", "find", "recover", "/recovery/data", "-mindepth", "1", "-delete")
    push.run("recover", "recover", "/recovery/data", "--name", "before")
    push.compose("up", "-d", "db")
    push.wait_for_server()
    assert push.sql("SELECT count(*) FROM orders") == str(int(ROWS) + 1)
    assert push.sql("SHOW archive_mode") == "off"
