# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stock commands: what a shell makes of them is what was meant."""
from __future__ import annotations

import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from _restorable.model.manifest import Item
from _restorable.model.stock import conninfo, create_roles, restore_commands

DIGEST = "0" * 64
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)


def item(name: str, database: str = "shop", **changes) -> Item:
    values = {"role": "dump", "format": "custom", "compression": "zstd"}
    return Item(name, size=1, sha256=DIGEST, plain_size=1, plain_sha256=DIGEST, database=database,
                **{**values, **changes})


def test_roles_come_before_the_databases_that_need_them():
    lines = restore_commands([item("shop.dump.zst"), item("globals.sql.zst", "", role="globals", format="plain")])
    assert lines[0].startswith("zstd -dc globals.sql.zst | psql -X -d postgres")
    assert lines[1:] == ("zstd -dc shop.dump.zst | pg_restore --exit-on-error --create --dbname=postgres",)


def test_an_adopted_archive_is_restored_under_the_name_it_is_listed_by():
    assert restore_commands([item("shop.dump")], adopted=True) == (
        "createdb --template=template0 -- shop", "zstd -dc shop.dump | pg_restore --exit-on-error --dbname=shop")


@pytest.mark.parametrize(("changes", "load"), [
    ({}, "zstd -dc f | pg_restore --exit-on-error --dbname=postgres"),
    ({"format": "plain"}, "zstd -dc f | psql -X --set=ON_ERROR_STOP=1 --dbname=postgres")])
@pytest.mark.parametrize("adopted", [False, True])
def test_a_database_that_every_server_has_is_not_created(changes, load, adopted):
    assert restore_commands([item("f", "postgres", **changes)], adopted=adopted) == (load,)


@pytest.mark.parametrize(("changes", "last"), [
    ({"format": "plain", "compression": "gzip"}, "gzip -dc f | psql -X --set=ON_ERROR_STOP=1 --dbname=shop"),
    ({"format": "tar", "compression": "none"}, "cat f | pg_restore --exit-on-error --create --dbname=postgres"),
    ({"format": "directory"},
     "pg_restore --exit-on-error --jobs=2 --create --dbname=postgres restored && rm -r restored")])
def test_each_format_has_its_command(changes, last):
    assert restore_commands([item("f", **changes)])[-1] == last


def test_fingerprints_and_sidecars_need_no_command():
    assert restore_commands([item("x", role="fingerprint"), item("y", role="sidecar")]) == ()


@given(NAMES.filter(lambda name: name not in ("postgres", "template1")))      # these two are there already
def test_no_name_of_a_database_is_read_as_anything_else(name):
    create, load = restore_commands([item("f", name)], adopted=True)
    assert shlex.split(create) == ["createdb", "--template=template0", "--", name]
    word = shlex.split(load)[-1]
    assert word in (f"--dbname={name}", f"--dbname={conninfo(name)}")
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        assert word == f"--dbname={conninfo(name)}"


@given(NAMES)
def test_no_name_of_a_role_is_read_as_anything_else(name):
    assert shlex.split(create_roles([name])[0], comments=True) == ["createuser", "--no-login", "--", name]


@pytest.mark.parametrize(("name", "expected"), [
    ("app", "dbname='app'"), ("it's", "dbname='it\\'s'"), ("a\\b", "dbname='a\\\\b'"),
    ("x host=evil", "dbname='x host=evil'")])
def test_a_connection_string_quotes_as_libpq_does(name, expected):
    assert conninfo(name) == expected
