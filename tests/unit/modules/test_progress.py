# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the controller prints while a module works, and how it prints a table."""
from __future__ import annotations

import json

import pytest

from .conftest import load


@pytest.fixture
def progress():
    """The helper of the action plugins."""
    return load("plugin_utils._progress")


@pytest.fixture
def printed(progress, monkeypatch):
    """The lines that were printed."""
    lines = []

    class Screen:
        def display(self, line):
            lines.append(line)
    monkeypatch.setattr(progress, "Display", Screen)
    return lines


def facts(**change):
    """Return the body of a progress file."""
    return {"phase": "dump app", "bytes": 412_000_000, "total": 1_200_000_000, "rate": 96e6, "elapsed": 4.3,
            "eta": 8, **change}


@pytest.mark.parametrize(("change", "line"), [
    ({}, "dump app 412 MB of 1.2 GB, 96 MB/s, 4.3s"),
    ({"total": None}, "dump app 412 MB, 96 MB/s, 4.3s"),
    ({"rate": None}, "dump app 412 MB of 1.2 GB, 4.3s"),
    ({"bytes": 0}, "dump app, 4.3s"),
])
def test_a_line_says_what_and_how_far(progress, change, line):
    assert progress.in_words(facts(**change)) == line


def test_a_line_is_printed_when_it_changed_and_not_too_often(progress, printed, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    lines = progress.Lines("db1")
    for second, phase in ((0, "plan"), (1, "globals"), (3, "dump app"), (6, "dump app"), (9, "commit")):
        now[0] = second
        lines.show(json.dumps(facts(phase=phase, bytes=0)))
    assert printed == ["db1 | plan, 4.3s", "db1 | dump app, 4.3s", "db1 | commit, 4.3s"]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null", '{"phase": "x"}'])
def test_a_file_that_is_missing_or_half_written_prints_nothing(progress, printed, text):
    progress.Lines("db1").show(text)
    assert printed == []


@pytest.mark.parametrize(("path", "quoted"), [
    ("~/.ansible_async/a.json", "~/.ansible_async/a.json"),
    ("~/my jobs/a.json", "~/'my jobs/a.json'"),
    ("/tmp/$(x)/a.json", "'/tmp/$(x)/a.json'"),
])
def test_a_path_is_quoted_but_the_home_still_expands(progress, path, quoted):
    assert progress._quoted(path) == quoted


def test_a_cell_cannot_forge_a_row_or_colour_the_terminal():
    clean = load("action.print_table")._clean
    assert clean("app\x1b[31m") == "app\\x1b[31m"
    assert len(clean("x" * 5000)) == 500
