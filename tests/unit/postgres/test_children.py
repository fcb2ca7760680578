# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What PostgreSQL's programs see of our environment, and where the password lies meanwhile."""
from __future__ import annotations

import os
import stat
import subprocess

import pytest

from _restorable.postgres.children import child_environment, passfile_line
from _restorable.postgres.parameters import Connection

STRAY = {"PATH": "/bin", "HOME": "/root", "PGHOST": "evil", "PGOPTIONS": "-c x=y", "PGSERVICE": "evil",
         "PGCLUSTER": "14/main", "PGDATABASE": "evil", "PGSERVICEFILE": "/services", "LC_ALL": "de_DE.UTF-8"}


def of(**settings):
    return Connection.of({"host": "/nowhere", **settings}, {})


def test_no_inherited_variable_redirects_a_child():
    with child_environment(of(), STRAY) as env:
        assert env == {"PATH": "/bin", "HOME": "/root", "LC_ALL": "C"}


def test_a_named_service_is_found_where_the_environment_says():
    with child_environment(of(service="main"), STRAY) as env:
        assert env["PGSERVICEFILE"] == "/services"
        assert "PGSERVICE" not in env


def test_the_password_lies_in_a_private_file_that_is_gone_afterwards():
    with child_environment(of(password="top:secret"), STRAY) as env:
        path = env["PGPASSFILE"]
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        assert "PGPASSWORD" not in env
        with open(path) as file:
            assert file.read() == "*:*:*:*:top\\:secret\n"
    assert not os.path.exists(path)


def test_the_password_lies_in_no_folder(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with child_environment(of(password="secret"), STRAY) as env:
        assert os.listdir(tmp_path) == []
        copied = subprocess.run(["cat", env["PGPASSFILE"]], capture_output=True, check=True, env={"PATH": "/bin"})
        assert copied.stdout == b"*:*:*:*:secret\n"


def test_where_no_file_can_be_in_memory_it_is_a_private_one_that_is_removed(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delattr("os.memfd_create")
    with child_environment(of(password="secret"), STRAY) as env:
        assert os.listdir(tmp_path) == [os.path.basename(env["PGPASSFILE"])]
        assert stat.S_IMODE(os.stat(env["PGPASSFILE"]).st_mode) == 0o600
    assert os.listdir(tmp_path) == []


def test_the_passfile_is_gone_after_a_failure_too():
    path = ""
    with pytest.raises(KeyError):
        with child_environment(of(password="secret"), STRAY) as env:
            path = env["PGPASSFILE"]
            raise KeyError
    assert path
    assert not os.path.exists(path)


@pytest.mark.parametrize("password", ["two\nlines", "carriage\r"])
def test_a_password_that_fits_no_passfile_goes_by_the_environment(password):
    with child_environment(of(password=password), STRAY) as env:
        assert env["PGPASSWORD"] == password
        assert "PGPASSFILE" not in env


@pytest.mark.parametrize("password, line", [
    ("plain", "*:*:*:*:plain\n"), ("a:b", "*:*:*:*:a\\:b\n"), ("a\\b", "*:*:*:*:a\\\\b\n"),
    ("#no comment", "*:*:*:*:#no comment\n"), (" spaces ", "*:*:*:*: spaces \n"),
])
def test_colons_and_backslashes_are_escaped_as_libpq_reads_them(password, line):
    assert passfile_line(password) == line
