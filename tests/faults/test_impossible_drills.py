# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drills that cannot be made: never passed, never the backup's fault, always told with what is missing."""
from __future__ import annotations

import json
import pathlib
import shutil

import pytest
from installation import copy_installation

from kit.chain import Chain, new_folder


@pytest.fixture(scope="module")
def installation(pg16):
    """A copy of the server's programs from which some may be taken away."""
    folder = new_folder()
    yield pathlib.Path(copy_installation(pg16.bin_dir, folder))
    shutil.rmtree(folder)


@pytest.fixture
def without(good, installation):
    """A function that leaves programs out of the machine."""
    away = []

    def leave_out(*names):
        for name in names:
            (installation / name).rename(installation / f"{name}.away")
            away.append(name)
        good.own["bin_dir"] = str(installation)
        return good
    yield leave_out
    for name in away:
        (installation / f"{name}.away").rename(installation / name)


@pytest.mark.parametrize("name", ["postgres", "initdb", "pg_restore", "psql"])
def test_a_machine_without_a_program_proves_nothing_and_says_so(without, name):
    chain = without(name)
    evidence = chain.drill()
    assert evidence.verdict == "incomplete", evidence.checks
    [missing] = [each for each in evidence.checks if each.result == "not_run" and name in each.detail][:1]
    assert not missing.optional
    assert [each for each in evidence.checks if each.result == "failed"] == []
    [backup] = chain.list()[0].catalogue.backups
    assert (backup.state(), backup.verdict) == ("committed", "incomplete")
    status, out, _err = chain.run("drill")
    assert status == 8
    assert "INCOMPLETE" in out


def test_an_incomplete_drill_is_evidence_too(without):
    chain = without("postgres")
    chain.drill()
    path, _page = sorted(path for path in chain.files() if "/drill/" in path)[::-1]
    body = json.loads((chain.folder / path).read_text())
    assert body["verdict"] == "incomplete"
    assert "no postgres of major 16" in body["server"]


def test_an_older_server_cannot_prove_a_newer_backup(good, servers):
    good.own["bin_dir"] = servers.of(15).bin_dir
    evidence = good.drill()
    assert evidence.verdict == "incomplete"
    assert any("15." in each.detail and "postgresql-16" in each.detail for each in evidence.checks)


def test_a_newer_server_proves_an_older_backup(folder, servers):
    old = servers.of(15)
    old.sql("CREATE DATABASE older TEMPLATE template0")
    try:
        chain = Chain(old, folder, databases=["older"])
        old.sql("CREATE TABLE t AS SELECT generate_series(1, 10) AS a", database="older")
        chain.taken()
        chain.own["bin_dir"] = servers.of(16).bin_dir
        evidence = chain.drill()
        assert (evidence.verdict, "newer than the dumped 15" in evidence.server) == ("passed", True)
    finally:
        old.sql("DROP DATABASE older")


def test_a_scratch_folder_that_is_not_there_proves_nothing(good):
    evidence = good.drill(scratch={"dir": "/no/such/folder"})
    assert evidence.verdict == "incomplete"
    assert any("/no/such/folder" in each.detail for each in evidence.checks)


def test_a_command_of_ones_own_that_is_not_there_is_no_fault_of_the_backup(good):
    evidence = good.drill(command=["/no/such/program"])
    assert (evidence.verdict, evidence.checks[-1].level) == ("incomplete", "L6")


def test_without_a_fingerprint_nothing_was_compared_and_the_drill_is_incomplete(good):
    good.taken(fingerprint="none")
    evidence = good.drill()
    assert evidence.verdict == "incomplete"
    assert {each.level for each in evidence.checks if each.result == "ok"} >= {"L0", "L1", "L2", "L5"}


def test_a_backup_that_was_proven_once_is_not_unproven_by_a_machine_that_cannot(without):
    chain = without("postgres")
    bin_dir, chain.own["bin_dir"] = chain.own["bin_dir"], chain.server.bin_dir
    assert chain.drill().verdict == "passed"
    chain.own["bin_dir"] = bin_dir
    assert chain.drill().verdict == "incomplete"
    assert chain.list()[0].catalogue.backups[0].state() == "proven"
