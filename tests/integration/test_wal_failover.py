# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A standby is promoted and the old primary joins again: the archive stays one history that can be recovered."""
from __future__ import annotations

import os
import subprocess

import pytest
from integration.test_wal_streaming import has_received_all, streaming

from kit.archiving import archiving, base_backup, fill, give, recovered, rows, wait_archived, wait_until
from kit.servers import run_folder, start_standby, unprivileged

PRIMARY = {"wal_log_hints": "on", "full_page_writes": "on", "max_wal_senders": "5", "hot_standby": "on"}


def has_caught_up(primary, standby):
    [[place]] = primary.sql("SELECT pg_current_wal_flush_lsn()::text")
    return standby.sql(f"SELECT pg_last_wal_replay_lsn() >= '{place}'") == [(True,)]


def promote(standby):
    standby.sql("SELECT pg_promote()")
    wait_until(lambda: standby.sql("SELECT pg_is_in_recovery()") == [(False,)], standby.log_text)


def rejoin(old, new, host):
    """Wind the old primary back to where the new one left it, with WAL from the archive, and make it a standby."""
    with open(old.folder / "data" / "postgresql.conf", "a", encoding="utf-8") as file:
        file.write(f"restore_command = '{host.restore_command}'\n")
    source = f"host={new.folder} user={new.superuser} dbname=postgres"
    done = subprocess.run([f"{old.bin_dir}/pg_rewind", "--target-pgdata", str(old.folder / "data"), "--no-sync",
                           "--restore-target-wal", "--source-server", source], cwd=old.folder, capture_output=True,
                          text=True, check=False, env={**os.environ, "LC_ALL": "C"}, **unprivileged())
    assert done.returncode == 0, done.stderr
    # the settings are the new primary's now, and its own of when it was a standby overrule all
    with open(old.folder / "data" / "postgresql.auto.conf", "a", encoding="utf-8") as file:
        file.write(f"unix_socket_directories = '{old.folder}'\n"
                   f"primary_conninfo = 'host={new.folder} user={new.superuser}'\n")
    (old.folder / "data" / "standby.signal").touch()
    give(old.folder)
    return run_folder(old.major, old.bin_dir, old.folder, old.superuser)


def test_an_old_primary_that_went_on_writing_rejoins_and_the_archive_is_one_history():
    with archiving(15, config=PRIMARY) as (old, host):
        with host.shipper():
            copies = [base_backup(old, host, name) for name in ("one", "two")]
            fill(old, 1000, segments=2)
            wait_archived(old)
        with start_standby(old) as new:
            wait_until(lambda: has_caught_up(old, new), new.log_text)
            promote(new)
            with host.shipper():           # still of the old primary, which does not know that it is none any more
                lost = fill(old, 300, segments=3)
                wait_archived(old)
            old.stop()
            host.write_config(data_directory=str(new.folder / "data"))
            with host.shipper():
                kept = fill(new, 600, segments=3)
                wait_archived(new)
                with rejoin(old, new, host) as back:
                    kept = fill(new, 200)
                    wait_archived(new)
                    wait_until(lambda: rows(back) == kept, back.log_text)
                    assert back.sql("SELECT pg_is_in_recovery()") == [(True,)]
        names = host.archived()
        assert "00000002.history" in names and not list((host.folder / "local").rglob("quarantine"))
        both = {name[8:] for name in names if name.startswith("00000001") and len(name) == 24} & \
            {name[8:] for name in names if name.startswith("00000002") and len(name) == 24}
        assert both                        # the two went on beside each other
        with recovered(old, host, copies[0]) as newest:
            assert rows(newest) == kept == 1800
        with recovered(old, host, copies[1], recovery_target_timeline="1") as other:
            assert rows(other) == lost == 1300


def test_a_stream_follows_a_promotion_onto_the_new_timeline():
    with streaming(18) as (old, host):
        copy = base_backup(old, host)
        with start_standby(old) as new:
            new.sql("SELECT pg_create_physical_replication_slot('shop', true)")
            with host.shipper("wal-stream"):
                fill(old, 1000, segments=2)
                old.sql("INSERT INTO t SELECT g, 'not complete' FROM generate_series(1, 100) g")
                wait_until(lambda: has_received_all(old) and has_caught_up(old, new), host.log_text)
            promote(new)
            old.stop()
            host.body["clusters"]["shop"]["connection"] = new.settings
            host.write_config()
            with host.shipper("wal-stream"):
                kept = fill(new, 500, segments=2)
                last = new.sql("SELECT pg_walfile_name(pg_current_wal_lsn() - 1)")[0][0]
                new.sql("SELECT pg_switch_wal()")      # a server writes of itself, too
                wait_until(lambda: last in host.archived(), host.log_text)
        names = host.archived()
        assert last.startswith("00000002") and "00000002.history" in names
        assert [name for name in names if name.startswith("00000001") and name.endswith(".partial")]
        with recovered(old, host, copy) as back:
            assert rows(back) == kept == 1600


def test_a_recovery_to_the_newest_timeline_stops_at_what_is_missing_before_it():
    with archiving(15, prefetch=0) as (server, host):
        with host.shipper():
            copies = [base_backup(server, host, name) for name in ("one", "two")]
            fill(server, 600, segments=2)
            wait_archived(server)
        server.stop()
        last = [name for name in host.archived() if len(name) == 24][-1]
        with recovered(server, host, copies[0], archive=True) as promoted, host.shipper():
            kept = fill(promoted, 400)
            wait_archived(promoted)
        for part in (host.folder / "local").rglob("*.partial-*"):
            part.unlink()                  # so that nothing is left of timeline 1 behind its last segment
        for name in (last, "00000002.history"):
            [path] = (host.folder / "local").rglob(f"{name}-*")
            aside = path.rename(host.folder / path.name)
            with pytest.raises(RuntimeError, match="did not start"), recovered(server, host, copies[1]):
                pytest.fail("the server came up on the old timeline")
            log = (copies[1] / "server.log").read_text()
            assert f"{name} is missing from the archive" in log and "archive recovery complete" not in log
            aside.rename(path)
        with recovered(server, host, copies[1]) as back:
            assert rows(back) == kept == 1000
