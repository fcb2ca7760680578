# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WAL received by a slot on real servers: what is complete is archived, and the slot holds what no repository has."""
from __future__ import annotations

import os
import shutil
import signal
import time
from contextlib import contextmanager

import pytest

from kit.archiving import archiving, base_backup, fill, give, recovered, rows, wait_until
from kit.servers import PHYSICAL_MAJORS

majors = pytest.mark.parametrize("major", PHYSICAL_MAJORS, ids=lambda major: f"pg{major}")


@contextmanager
def streaming(major):
    """Run a server that archives nothing itself and has a slot for us."""
    config = {"archive_mode": "off", "archive_command": "", "max_wal_senders": "5"}
    with archiving(major, method="stream", slot="shop", config=config) as (server, host):
        host.body["clusters"]["shop"].update(connection=server.settings, bin_dir=server.bin_dir)
        host.write_config()
        server.sql("SELECT pg_create_physical_replication_slot('shop', true)")
        yield server, host


def ended(server):
    """End the segment that is being written, for the server writes of itself, too, and return the last one's name."""
    last = server.sql("SELECT pg_walfile_name(pg_current_wal_lsn() - 1)")[0][0]
    server.sql("SELECT pg_switch_wal()")
    return last


def has_received_all(server):
    """Say whether a stream has told the server that it has written everything."""
    return server.sql("SELECT coalesce(bool_and(write_lsn >= pg_current_wal_flush_lsn()), false) "
                      "FROM pg_stat_replication WHERE application_name = 'restorable'") == [(True,)]


def whole(host):
    return sorted(each.name for each in (host.spool / "stream").iterdir() if len(each.name) == 24)


@majors
def test_what_is_complete_is_archived_and_the_rest_comes_from_the_folder_of_the_stream(major):
    with streaming(major) as (server, host):
        copy = base_backup(server, host)
        with host.shipper("wal-stream"):
            wait_until(lambda: server.sql("SELECT active FROM pg_replication_slots") == [(True,)], host.log_text)
            fill(server, 2000, segments=4)
            last = ended(server)
            wait_until(lambda: last in host.archived(), host.log_text)
            wait_until(lambda: len(whole(host)) <= 1)
        once = host.run("wal-stream", "--once", timeout=120)
        assert once.returncode == 0, once.stderr
        with host.shipper("wal-stream"):
            server.sql("INSERT INTO t SELECT g, 'not complete' FROM generate_series(1, 100) g")
            before = rows(server)
            wait_until(lambda: has_received_all(server), host.log_text)
            os.kill(server.process.pid, signal.SIGKILL)
            server.process.wait()
        [part] = (host.spool / "stream").glob("*.partial")
        assert part.stat().st_size == 2**20 and part.name.partition(".")[0] not in host.archived()
        with recovered(server, host, copy) as back:
            assert rows(back) == before == 2100


def test_a_stream_that_is_killed_again_and_again_loses_nothing():
    with streaming(15) as (server, host):
        copy = base_backup(server, host)
        for rounds in range(1, 4):
            with host.shipper("wal-stream") as stream:
                before = len(host.archived())
                fill(server, 500, segments=5)
                # in the midst of it: some of it is archived, and more is on its way
                wait_until(lambda before=before: len(host.archived()) > before, host.log_text)
                os.kill(stream.pid, signal.SIGKILL)
                if rounds == 2:
                    shutil.rmtree(host.spool / "stream")       # and what it had received is lost with it
            fill(server, 100)
        with host.shipper("wal-stream"):
            before = rows(server)
            last = ended(server)
            wait_until(lambda: last in host.archived(), host.log_text)
        server.stop()
        shutil.rmtree(host.spool / "stream")
        with recovered(server, host, copy) as back:
            assert rows(back) == before == 1800


def test_the_slot_follows_the_repositories_so_that_a_lost_spool_loses_nothing():
    with streaming(15) as (server, host):
        copy = base_backup(server, host)
        root, aside = host.folder / "local", host.folder / "aside"
        with host.shipper("wal-stream"):
            fill(server, 500)
            first = ended(server)
            wait_until(lambda: first in host.archived(), host.log_text)
            root.rename(aside)
            root.write_text("no folder")
            begin = server.sql("SELECT pg_current_wal_lsn()")[0][0]
            before = fill(server, 2000, segments=4)
            wait_until(lambda: has_received_all(server) and len(whole(host)) >= 4, host.log_text)
            time.sleep(2.5)                # two words to the server and more
            assert server.sql(f"SELECT restart_lsn <= '{begin}' FROM pg_replication_slots") == [(True,)]
        shutil.rmtree(host.spool / "stream")
        root.unlink()
        aside.rename(root)
        with host.shipper("wal-stream"):
            last = ended(server)
            wait_until(lambda: last in host.archived(), host.log_text)
            wait_until(lambda: server.sql("SELECT restart_lsn >= pg_current_wal_lsn() - 100 "
                                          "FROM pg_replication_slots") == [(True,)], host.log_text)
        server.stop()
        with recovered(server, host, copy) as back:
            assert rows(back) == before


@pytest.mark.parametrize("verb", ["wal-stream", "wal-ship"])
def test_a_service_that_is_asked_to_stop_ends_well(verb):
    with streaming(15) as (server, host):
        with host.shipper(verb) as process:
            if verb == "wal-stream":
                fill(server, 100)
                last = ended(server)
                wait_until(lambda: last in host.archived(), host.log_text)
            wait_until((host.spool / "status.json").exists, host.log_text)
            process.terminate()
            assert process.wait(60) == 0, host.log_text()
        assert "stopped by SIGTERM" in host.log_text() and "error" not in host.log_text()


def test_a_slot_that_is_not_there_is_named_with_the_command_that_makes_it():
    with streaming(15) as (server, host):
        server.sql("SELECT pg_drop_replication_slot('shop')")
        done = host.run("wal-stream", "--once")
        assert done.returncode == 2 and "no physical replication slot 'shop'" in done.stderr
        assert "pg_create_physical_replication_slot('shop', true)" in done.stderr


def test_what_would_leave_a_gap_is_refused_with_what_to_do():
    with streaming(15) as (server, host):
        stream = host.spool / "stream"
        stream.mkdir(mode=0o700)
        (stream / "000000010000000000000001").write_bytes(bytes(2**20))        # long before the slot
        give(host.folder)
        done = host.run("wal-stream", "--once")
        assert done.returncode == 3 and "is the newest in" in done.stderr and "Take a base backup" in done.stderr
        shutil.rmtree(stream)
        name = server.sql("SELECT pg_walfile_name(pg_current_wal_lsn())")[0][0]
        stream.mkdir(mode=0o700)
        (stream / f"{name[:16]}000000FF").write_bytes(bytes(2**20))            # of a server that was further
        give(host.folder)
        done = host.run("wal-stream", "--once")
        assert done.returncode == 3 and "is beyond the end of the server's WAL" in done.stderr, done.stderr
        shutil.rmtree(stream)
        server.sql("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'", "SELECT pg_reload_conf()")
        fill(server, 40, segments=20)
        server.sql("CHECKPOINT")
        wait_until(lambda: server.sql("SELECT wal_status FROM pg_replication_slots") == [("lost",)])
        done = host.run("wal-stream", "--once")
        assert done.returncode == 4 and "so there is a gap" in done.stderr, done.stderr
        assert "take a base backup at once" in done.stderr
