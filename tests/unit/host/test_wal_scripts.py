# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two scripts that PostgreSQL runs, by sh: what they exit with, whatever goes wrong around them."""
from __future__ import annotations

import os
import subprocess

import pytest

from _restorable.host.wal_scripts import write_scripts
from _restorable.model.archiving import archive_command, restore_command
from _restorable.model.wal_settings import WalJob
from kit.wal import NAMES

NAME = NAMES[0]
SHELLS = [shell for shell in ("/bin/sh", "/bin/bash") if os.path.exists(shell)]


@pytest.fixture(params=SHELLS)
def place(request, tmp_path):
    """A spool with its scripts and a segment, and a function that runs one of them."""
    spool = tmp_path / "spool"
    spool.mkdir(mode=0o700)
    assert write_scripts(str(spool)) and not write_scripts(str(spool))
    (tmp_path / NAME).write_bytes(b"segment")
    os.utime(tmp_path / NAME, (1000, 1000))

    def run(script, *words):
        return subprocess.run([request.param, str(spool / script), str(spool), *words], cwd=tmp_path,
                              capture_output=True, text=True, check=False, timeout=60)

    run.spool, run.folder = spool, tmp_path
    return run


def command(folder, status, *, target=""):
    """Return a command that exits with a status, or dies by a signal, having made its target."""
    path = folder / "command"
    make = f"echo whole > {target}\n" if target else ""
    end = f"kill -{-status} $$" if status < 0 else f"exit {status}"
    path.write_text(f"#!/bin/sh\n{make}{end}\n")
    path.chmod(0o755)
    return str(path)


class TestArchive:
    """archive.sh SPOOL WAIT PATH NAME [COMMAND…]"""

    def test_an_acknowledgement_is_enough(self, place):
        (place.spool / f"{NAME}.ok").touch()
        assert place("archive.sh", "0", NAME, NAME).returncode == 0

    def test_one_that_is_older_than_the_file_is_of_another_file(self, place):
        (place.spool / f"{NAME}.ok").touch()
        os.utime(place.spool / f"{NAME}.ok", (999, 999))
        assert place("archive.sh", "0", NAME, NAME).returncode == 3

    def test_without_a_shipper_it_gives_up_and_says_so(self, place):
        done = place("archive.sh", "0", NAME, NAME)
        assert done.returncode == 3 and f"{NAME} is not archived yet" in done.stderr

    @pytest.mark.parametrize(("line", "status"), [("4 other content", 4), ("7 no segment", 7), ("3 away", 3),
                                                  ("255 nonsense", 3), ("", 3)])
    def test_what_the_shipper_said_is_told(self, place, line, status):
        (place.spool / f"{NAME}.error").write_text(f"{line}\n")
        done = place("archive.sh", "0", NAME, NAME)
        assert done.returncode == status and line.partition(" ")[2] in done.stderr

    @pytest.mark.parametrize(("status", "seen"), [(0, 0), (1, 1), (7, 7), (125, 125), (126, 125), (127, 125),
                                                  (255, 125), (-9, 125), (-15, 125)])
    def test_the_fallback_never_exits_with_more_than_125(self, place, status, seen):
        assert place("archive.sh", "0", NAME, NAME, command(place.folder, status)).returncode == seen

    def test_a_fallback_that_is_not_there_is_a_failure_that_postgresql_counts(self, place):
        assert place("archive.sh", "0", NAME, NAME, "/nowhere/restorable").returncode == 125

    def test_a_shipper_that_is_alive_is_waited_for_instead(self, place):
        (place.spool / "shipper.pid").write_text(f"{os.getpid()}\n")
        (place.spool / f"{NAME}.error").write_text("3 it is away\n")
        assert place("archive.sh", "0", NAME, NAME, command(place.folder, 0)).returncode == 3

    @pytest.mark.parametrize("status", [0, 5])
    def test_one_that_says_nothing_in_time_may_be_another_process_by_now(self, place, status):
        (place.spool / "shipper.pid").write_text(f"{os.getpid()}\n")
        assert place("archive.sh", "0", NAME, NAME, command(place.folder, status)).returncode == status

    @pytest.mark.parametrize("pid", ["999999999", "", "nonsense"])
    def test_a_dead_one_is_not(self, place, pid):
        (place.spool / "shipper.pid").write_text(f"{pid}\n")
        assert place("archive.sh", "0", NAME, NAME, command(place.folder, 0)).returncode == 0


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("gone", ["script", "spool"])
@pytest.mark.parametrize(("setting", "status"), [
    pytest.param(archive_command, 3, id="a failure that PostgreSQL counts"),
    pytest.param(restore_command, 255, id="no end of the WAL, which 1 to 125 would be"),
])
def test_what_a_lost_spool_is_to_postgresql(tmp_path, shell, gone, setting, status):
    job = WalJob(spool=str(tmp_path / "spool"))
    if gone == "script":
        (tmp_path / "spool").mkdir()
    line = setting(job, ["/bin/true"]).replace("%p", "X").replace("%f", NAME)
    # as PostgreSQL runs it, by system()
    assert subprocess.run([shell, "-c", line], cwd=tmp_path, capture_output=True, check=False).returncode == status


class TestRestore:
    """restore.sh SPOOL PATH NAME COMMAND…"""

    @pytest.mark.parametrize(("status", "seen"), [(99, 1), (143, 143), (1, 255), (2, 255), (98, 255), (125, 255),
                                                  (126, 255), (127, 255), (255, 255), (-9, 255), (0, 255)])
    def test_only_the_proof_of_absence_is_1(self, place, status, seen):
        # a 0 that brought no file is no success either; an interpreter that cannot start exits with 1
        assert place("restore.sh", "X", NAME, command(place.folder, status)).returncode == seen

    def test_a_command_that_is_not_there_is_no_end_of_the_wal(self, place):
        assert place("restore.sh", "X", NAME, "/nowhere/restorable", "wal-get").returncode == 255

    def test_what_the_command_fetched_is_there(self, place):
        assert place("restore.sh", "X", NAME, command(place.folder, 0, target="X")).returncode == 0

    def test_what_was_fetched_ahead_is_taken_while_somebody_fetches(self, place):
        ahead = place.spool / "get"
        ahead.mkdir()
        (ahead / NAME).write_text("ahead")
        (ahead / "pid").write_text(f"{os.getpid()}\n")
        assert place("restore.sh", "X", NAME, command(place.folder, 5)).returncode == 0
        assert (place.folder / "X").read_text() == "ahead" and not (ahead / NAME).exists()
        assert not (place.folder / "X.new").exists()

    def test_what_a_dead_one_left_is_never_taken(self, place):
        ahead = place.spool / "get"
        ahead.mkdir()
        (ahead / NAME).write_text("stale")
        (ahead / "pid").write_text("999999999\n")
        assert place("restore.sh", "X", NAME, command(place.folder, 99)).returncode == 1
        assert not (place.folder / "X").exists()

    def test_what_cannot_be_put_in_its_place_is_an_error(self, place):
        ahead = place.spool / "get"
        ahead.mkdir()
        (ahead / NAME).write_text("ahead")
        (ahead / "pid").write_text(f"{os.getpid()}\n")
        assert place("restore.sh", "nowhere/X", NAME, command(place.folder, 99)).returncode == 255

    def test_what_a_dead_one_left_as_coming_is_not_waited_for_for_ever(self, place):
        ahead, script = place.spool / "get", place.spool / "restore.sh"
        ahead.mkdir()
        (ahead / f"{NAME}.coming").touch()
        (ahead / "pid").write_text(f"{os.getpid()}\n")        # used again by a process that lives
        assert "-lt 3000 " in script.read_text()
        script.write_text(script.read_text().replace("-lt 3000 ", "-lt 20 "))
        assert place("restore.sh", "X", NAME, command(place.folder, 0, target="X")).returncode == 0
        assert (place.folder / "X").read_text() == "whole\n"
