# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real servers archive by our shipper and recover by our restore_command; what counts is the rows that come back."""
from __future__ import annotations

import os
import shutil
import signal

import pytest

from kit.archiving import archiving, base_backup, fill, recovered, rows, shipping, wait_archived, wait_until
from kit.servers import PHYSICAL_MAJORS

majors = pytest.mark.parametrize("major", PHYSICAL_MAJORS, ids=lambda major: f"pg{major}")


@majors
def test_everything_committed_comes_back_and_again_after_a_promotion(major):
    with archiving(major) as (server, host):
        with host.shipper():
            copies = [base_backup(server, host, name) for name in ("one", "two")]
            before = fill(server, 3000, segments=6)
            wait_archived(server)
        server.stop()
        with recovered(server, host, copies[0], archive=True) as promoted, host.shipper():
            assert rows(promoted) == before
            after = fill(promoted, 2000, segments=4)
            wait_archived(promoted)
        names = host.archived()
        assert "00000002.history" in names
        assert any(name.startswith("00000002") and len(name) == 24 for name in names)
        with recovered(server, host, copies[1]) as again:
            assert rows(again) == after > before


def test_the_old_timeline_goes_on_being_recoverable_after_a_promotion_in_the_middle_of_it():
    with archiving(15) as (server, host):
        with host.shipper():
            copies = [base_backup(server, host, name) for name in ("one", "two", "three")]
            wanted = fill(server, 1000)
            server.sql("SELECT pg_create_restore_point('here')")
            whole = fill(server, 1000)
            wait_archived(server)
        server.stop()
        with recovered(server, host, copies[0], archive=True, recovery_target_name="here") as branch, host.shipper():
            assert rows(branch) == wanted
            branched = fill(branch, 500)
            wait_archived(branch)
        with recovered(server, host, copies[1], recovery_target_timeline="1") as old:
            assert rows(old) == whole
        with recovered(server, host, copies[2]) as newest:
            assert rows(newest) == branched == wanted + 500


def test_a_shipper_that_is_killed_again_and_again_loses_nothing():
    with archiving(15) as (server, host):
        with host.shipper():
            copy = base_backup(server, host)
        for _round in range(4):
            with host.shipper() as shipper:
                fill(server, 500, segments=5)
                wait_until((host.spool / "status.json").exists)
                os.kill(shipper.pid, signal.SIGKILL)
        before = rows(server)
        with host.shipper():
            wait_archived(server)
        server.stop()
        with recovered(server, host, copy) as back:
            assert rows(back) == before == 2000


def test_without_a_shipper_the_command_pushes_by_itself():
    with archiving(15, fallback=True) as (server, host):
        copy = base_backup(server, host)
        before = fill(server, 1000, segments=2)
        wait_archived(server)
        server.stop()
        with recovered(server, host, copy) as back:
            assert rows(back) == before


class TestNeverTheEndByMistake:
    """restore_command with something wrong: the server stops, says so, and recovers all rows once it is healed."""

    @pytest.fixture
    def place(self, major):
        with shipping(major, prefetch=0) as (server, host):
            copy = base_backup(server, host)
            before = fill(server, 4000, segments=8)
            wait_archived(server)
            server.stop()
            middle = host.archived()[len(host.archived()) // 2]
            [path] = (host.folder / "local").rglob(f"{middle}-*")
            yield server, host, copy, before, path

    @pytest.mark.parametrize(("major", "fault"), [
        (15, "missing"), (15, "damaged"), (15, "denied"), (15, "unmounted"), (16, "missing"), (18, "damaged")])
    def test_what_is_wrong_stops_recovery_loudly(self, place, fault):
        server, host, copy, before, path = place
        whole, aside = path.read_bytes(), host.folder / "aside"
        root = host.folder / "local"
        if fault == "missing":
            path.unlink()
        elif fault == "damaged":
            path.write_bytes(whole[:-5] + b"\0" * 5)
        elif fault == "denied":
            path.chmod(0)
        else:
            root.rename(aside)
            root.mkdir(mode=0o755)
        with pytest.raises(RuntimeError, match="did not start"), recovered(server, host, copy):
            pytest.fail("the server came up without its rows")
        log = (copy / "server.log").read_text()
        assert "could not restore file" in log and "archive recovery complete" not in log
        if fault == "unmounted":
            root.rmdir()
            aside.rename(root)
        path.unlink(missing_ok=True)
        path.write_bytes(whole)
        with recovered(server, host, copy) as back:
            assert rows(back) == before


def test_segments_are_fetched_ahead_and_all_rows_come_back():
    with shipping(15, prefetch=4, workers=2) as (server, host):
        copy = base_backup(server, host)
        before = fill(server, 6000, segments=30)
        wait_archived(server)
        server.stop()
        with recovered(server, host, copy) as back:
            assert rows(back) == before
        assert (host.spool / "get" / "want").exists()
        log = (copy / "server.log").read_text()
        assert log.count("restored log file") >= 30


def test_a_second_primary_is_refused_and_says_so_in_its_own_log():
    with shipping(15) as (server, host):
        fill(server, 100)
        wait_archived(server)
        with archiving(16) as (other, other_host):
            other_host.body["repositories"] = host.body["repositories"]
            other_host.write_config()
            with other_host.shipper():
                fill(other, 100)
                wait_until(lambda: "bound to the system identifier" in other.log_text(), other.log_text)
                ready = other.folder / "data" / "pg_wal" / "archive_status"
                assert list(ready.glob("*.ready"))


def test_a_spool_that_is_lost_while_a_server_archives_loses_nothing():
    with archiving(15) as (server, host):
        with host.shipper() as shipper:
            server.sql(f"ALTER SYSTEM SET archive_command = '{host.archive_command.replace(' 20 ', ' 1 ')}'",
                       "SELECT pg_reload_conf()")
            copy = base_backup(server, host)
            fill(server, 300, segments=3)
            os.kill(shipper.pid, signal.SIGKILL)
            fill(server, 300, segments=3)
            shutil.rmtree(host.spool)      # with what was acknowledged, the scripts and the process id
            fill(server, 200, segments=2)
            wait_until(lambda: server.sql("SELECT failed_count > 0 FROM pg_stat_archiver") == [(True,)])
        with host.shipper():
            wait_until((host.spool / "archive.sh").exists, host.log_text)
            fill(server, 100)              # which lets the archiver try again at once and not within a minute
            wait_archived(server)
            shutil.rmtree(host.spool)      # and while it runs
            wait_until((host.spool / "archive.sh").exists, host.log_text)
            before = fill(server, 100)
            wait_archived(server)
        server.stop()
        with recovered(server, host, copy) as back:
            assert rows(back) == before == 1000
