# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of contents, recorded from pg_restore 15, 16 and 18 of the same database."""
from __future__ import annotations

import pathlib

import pytest

from _restorable.model.toc import list_file, parse_toc, shown

RECORDED = pathlib.Path(__file__).parent / "recorded"
MAJORS = (15, 16, 18)


def recorded(major: int):
    return parse_toc((RECORDED / f"toc-{major}.txt").read_text())


def line(text: str, owners=(), before: str = ""):
    return parse_toc(f"{before}{text}\n", owners).entries[-1]


@pytest.mark.parametrize(("major", "version"), [(15, "15.18"), (16, "16.14"), (18, "18.4")])
def test_the_header_names_database_and_versions(major, version):
    toc = recorded(major)
    assert (toc.database, toc.dumped_from, toc.dumped_by) == ("shop", version, version)
    assert toc.header["Format"] == "CUSTOM"


@pytest.mark.parametrize("major", MAJORS)
def test_every_entry_is_read(major):
    toc = recorded(major)
    assert len(toc.entries) == int(toc.header["TOC Entries"])
    assert len({entry.id for entry in toc.entries}) == len(toc.entries)


@pytest.mark.parametrize("major", MAJORS)
def test_an_entry_knows_its_kind_schema_name_owner_and_what_it_depends_on(major):
    toc = recorded(major)
    key = next(entry for entry in toc.of_kind("FK CONSTRAINT") if entry.schema == "sales")
    assert (key.name, key.owner) == ("lines lines_order_id_fkey", "chef")
    tables = {entry.id: entry.name for entry in toc.of_kind("TABLE")}
    assert {tables[each] for each in key.depends if each in tables} == {"orders", "lines"}
    assert [entry.name for entry in toc.of_kind("DATABASE PROPERTIES")] == ["shop"]
    assert {entry.owner for entry in toc.of_kind("TABLE")} == {"app", "chef"}


@pytest.mark.parametrize("major", MAJORS)
def test_names_with_spaces_dots_and_newlines_are_read(major):
    names = [entry.name for entry in recorded(major).of_kind("TABLE")]
    assert {"odd name.x", "orders x", shown("new\nline")} <= set(names)


def test_a_schema_with_a_space_is_known_from_its_own_entry():
    entry = line("7; 1259 16400 TABLE my shop orders app", before="6; 2615 16396 SCHEMA - my shop app\n")
    assert (entry.schema, entry.name, entry.owner) == ("my shop", "orders", "app")


def test_an_owner_with_a_space_is_known_if_the_roles_are():
    entry = line("7; 1259 16400 TABLE public orders the chef", owners=["the chef"])
    assert (entry.name, entry.owner) == ("orders", "the chef")


def test_a_table_in_a_schema_called_data_is_no_table_data():
    assert line("7; 1259 16400 TABLE DATA orders app").kind == "TABLE"
    assert line("8; 0 16400 TABLE DATA public orders app").kind == "TABLE DATA"


def test_an_entry_without_owner_is_read():
    entry = line("2683; 0 0 ENCODING - ENCODING ")
    assert (entry.kind, entry.schema, entry.name, entry.owner) == ("ENCODING", "-", "ENCODING", "")


def test_a_kind_that_is_not_known_yet_is_its_first_word():
    assert line("9; 1 2 GRAPH public g app").kind == "GRAPH"


def test_a_list_file_has_only_numbers_in_the_wanted_order():
    assert list_file([5, 3]) == "5;\n3;\n"
