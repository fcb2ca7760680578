# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The restore_command of a recovery of ours, by sh: only a proof of absence is 1, whatever goes wrong around it."""
from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from _restorable.postgres.wal_spool import WalSpool
from kit.wal import NAMES

NAME = NAMES[0]


@pytest.fixture
def asked(tmp_path):
    """A spool, and a function that asks it for a segment as PostgreSQL does and returns the exit status."""
    spool = WalSpool(str(tmp_path), None)
    command = spool.command.replace("%f", NAME).replace("%p", "target")

    def ask() -> int:
        return subprocess.run(["/bin/sh", "-c", command], cwd=tmp_path, check=False, stderr=subprocess.DEVNULL,
                              timeout=60).returncode

    ask.spool, ask.target = spool, tmp_path / "target"
    return ask


def test_what_lies_ready_is_put_into_its_place(asked):
    asked.spool.give(NAME, [b"segment"], 7)
    assert (asked(), asked.target.read_bytes(), asked.spool.waiting(), asked.spool.wanted()) == (0, b"segment", [], [])


def test_what_is_proven_to_be_absent_is_1(asked):
    asked.spool.tell_absent(NAME)
    assert (asked(), asked.spool.wanted()) == (1, [])


@pytest.mark.parametrize("lost", ["want", "wal"])
def test_a_wish_that_cannot_be_told_is_no_end_of_the_wal(asked, lost):
    shutil.rmtree(asked.spool.folder if lost == "wal" else os.path.join(asked.spool.folder, lost))
    assert asked() > 125


def test_what_cannot_be_put_into_its_place_is_no_end_of_the_wal(asked):
    asked.spool.give(NAME, [b"segment"], 7)
    asked.target.joinpath(NAME).mkdir(parents=True)
    asked.target.chmod(0o700)
    (asked.target / NAME / "in the way").touch()
    assert asked() == 255


def test_a_failure_is_no_end_of_the_wal(asked):
    asked.spool.fail()
    assert asked() == 255
