# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Client programs are found, asked, and chosen by the server's major."""
from __future__ import annotations

import pytest

from _restorable.errors import ConfigError
from _restorable.postgres import tools
from _restorable.postgres.tools import find_newest, find_tool, parse_version

# Recorded from the programs of these packages.
ANSWERS = [
    ("pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", 15, "15.18"),
    ("pg_dump (PostgreSQL) 16.14", 16, "16.14"),
    ("pg_dump (PostgreSQL) 17.2 (Ubuntu 17.2-1.pgdg24.04+1)", 17, "17.2"),
    ("pg_dump (PostgreSQL) 13.16", 13, "13.16"),
    ("pg_dump (PostgreSQL) 17beta1", 17, "17beta1"),
    ("pg_dump (PostgreSQL) 18rc1", 18, "18rc1"),
    ("pg_dump (PostgreSQL) 19devel", 19, "19devel"),
    ("postgres (PostgreSQL) 18.4", 18, "18.4"),
    ("psql (EnterpriseDB) 15.2.0", 15, "15.2"),
]


def install(folder, name, line, status=0):
    """Write a program that says line and exits with status."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{line}'\nexit {status}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def path_only(monkeypatch):
    """No packages' folders: only PATH and bin_dir count."""
    monkeypatch.setattr(tools, "FOLDERS", ())


def path_of(*folders):
    return {"PATH": ":".join(map(str, folders))}


@pytest.mark.parametrize("line, major, version", ANSWERS)
def test_recorded_versions_are_read(line, major, version):
    tool = parse_version("pg_dump", "/x/pg_dump", line)
    assert (tool.major, tool.version, tool.line) == (major, version, line)


@pytest.mark.parametrize("line", ["", "pg_dump 9", "GNU tar 1.34", "pg_dump (PostgreSQL) x"])
def test_another_answer_is_no_version(line):
    with pytest.raises(ConfigError, match="no version"):
        parse_version("pg_dump", "/x/pg_dump", line)


def test_the_same_major_is_preferred(tmp_path, path_only):
    for major in (18, 16, 17, 15):
        install(tmp_path / str(major), "pg_dump", f"pg_dump (PostgreSQL) {major}.1")
    found = find_tool("pg_dump", 16, environ=path_of(*(tmp_path / str(major) for major in (18, 15, 16, 17))))
    assert found.path == f"{tmp_path}/16/pg_dump"


def test_else_the_lowest_newer_one_is_taken(tmp_path, path_only):
    for major in (18, 17, 15):
        install(tmp_path / str(major), "pg_dump", f"pg_dump (PostgreSQL) {major}.1")
    assert find_tool("pg_dump", 16, environ=path_of(*(tmp_path / str(m) for m in (18, 15, 17)))).major == 17


def test_archives_are_read_by_the_newest_program(tmp_path, path_only, monkeypatch):
    folders = []
    for major in (15, 18, 16):
        install(tmp_path / str(major), "pg_restore", f"pg_restore (PostgreSQL) {major}.1")
        folders.append(tmp_path / str(major))
    install(tmp_path / "broken", "pg_restore", "none of your business", 1)
    monkeypatch.setenv("PATH", path_of(*folders, tmp_path / "broken")["PATH"])
    assert find_newest("pg_restore").major == 18
    assert find_newest("pg_restore", str(tmp_path / "16")).major == 16


def test_the_packages_folders_are_searched_after_path(tmp_path, monkeypatch):
    install(tmp_path / "lib" / "17" / "bin", "pg_dump", "pg_dump (PostgreSQL) 17.1")
    monkeypatch.setattr(tools, "FOLDERS", (f"{tmp_path}/lib/*/bin",))
    assert find_tool("pg_dump", 17, environ=path_of(tmp_path)).path == f"{tmp_path}/lib/17/bin/pg_dump"


def test_bin_dir_alone_counts_when_it_is_given(tmp_path):
    install(tmp_path, "pg_dump", "pg_dump (PostgreSQL) 15.1")
    with pytest.raises(ConfigError) as caught:
        find_tool("pg_dump", 17, str(tmp_path), environ={"PATH": "/usr/bin"})
    error = caught.value
    assert error.code == "tools.too_old"
    assert f"15.1 is in {tmp_path}" in error.message
    assert "server version 17" in error.message
    assert "postgresql-client-17" in error.hint
    assert "postgres:17" in error.hint


def test_a_missing_program_is_told_from_an_old_one(tmp_path):
    with pytest.raises(ConfigError) as caught:
        find_tool("pg_dump", 17, str(tmp_path), environ={})
    assert caught.value.code == "tools.missing"
    assert f"{tmp_path} has none" in caught.value.message


def test_a_server_program_comes_from_the_servers_package(tmp_path):
    with pytest.raises(ConfigError) as caught:
        find_tool("postgres", 17, str(tmp_path), environ={})
    assert "package postgresql-17 " in caught.value.hint


def test_a_broken_program_is_left_out_and_named(tmp_path, path_only):
    broken = install(tmp_path / "a", "pg_dump", "cannot open shared object", 127)
    good = install(tmp_path / "b", "pg_dump", "pg_dump (PostgreSQL) 17.1")
    assert find_tool("pg_dump", 17, environ=path_of(tmp_path / "a", tmp_path / "b")).path == good
    with pytest.raises(ConfigError, match=f"{broken} --version exits 127"):
        find_tool("pg_dump", 17, environ=path_of(tmp_path / "a"))


def test_debians_wrapper_is_not_taken(tmp_path, path_only):
    install(tmp_path, "pg_wrapper", "pg_dump (PostgreSQL) 17.1")
    (tmp_path / "pg_dump").symlink_to("pg_wrapper")
    with pytest.raises(ConfigError):
        find_tool("pg_dump", 17, environ=path_of(tmp_path))
