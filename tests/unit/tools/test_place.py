# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the tests' servers lie: in memory only where there is room and programs may be started."""
from __future__ import annotations

import ast
import os
import pathlib
import types

import pytest

from kit import place

PLENTY = {"f_bavail": place.ROOM, "f_frsize": 4096, "f_flag": 0}


def best(monkeypatch, folder, **fields):
    monkeypatch.setattr(place.os, "statvfs", lambda _path: types.SimpleNamespace(**{**PLENTY, **fields}))
    monkeypatch.setattr(place, "ROOM", 1 << 20)
    return place.best(str(folder))


def test_a_place_with_room_is_taken(monkeypatch, tmp_path):
    assert best(monkeypatch, tmp_path) == str(tmp_path)


@pytest.mark.parametrize("fields", [{"f_bavail": 255}, {"f_flag": os.ST_NOEXEC}], ids=["small", "noexec"])
def test_a_place_that_is_small_or_starts_no_programs_is_not_taken(monkeypatch, tmp_path, fields):
    assert best(monkeypatch, tmp_path, **fields) == "/tmp"


def test_a_machine_without_a_place_in_memory_uses_its_disk(tmp_path):
    assert place.best(str(tmp_path / "none")) == "/tmp"


def test_the_run_has_chosen_and_a_place_lies_there():
    made = place.new_place("rs-")
    made.rmdir()
    assert str(made.parent) == os.environ["RESTORABLE_TEST_PLACE"]


def test_whoever_makes_a_place_removes_it():
    """Each function that asks for one removes it, too; else a run leaves some in a machine's memory."""
    tests, makers = pathlib.Path(__file__).parents[2], {"new_place", "new_folder"}
    sources = {path: text for path in tests.rglob("*.py") if any(each in (text := path.read_text()) for each in makers)}
    found = [(f"{path.relative_to(tests)}:{function.name}", names(function)) for path, text in sorted(sources.items())
             for function in ast.walk(ast.parse(text)) if isinstance(function, ast.FunctionDef)]
    asking = {where: used for where, used in found if makers & used and where.rpartition(":")[2] not in makers}
    assert len(asking) > 20
    assert [where for where, used in asking.items() if not {"rmtree", "rmdir"} & used] == []


def names(function):
    return {node.id if isinstance(node, ast.Name) else node.attr for node in ast.walk(function)
            if isinstance(node, (ast.Name, ast.Attribute))}
