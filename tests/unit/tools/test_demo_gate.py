# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate of the demo, without the demo: what it leaves out, what it says of failures, and what it ends."""
from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "tools"))

import demo_gate
import namespaces

WHY = "unshare: unshare failed: Operation not permitted"


@pytest.fixture
def refusing(tmp_path, monkeypatch):
    """A machine whose unshare refuses, for root."""
    program = tmp_path / "unshare"
    program.write_text(f"#!/bin/sh\necho '{WHY}' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.delenv("RESTORABLE_NO_SKIPS", raising=False)
    namespaces.refused.cache_clear()
    yield
    namespaces.refused.cache_clear()


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """The users for whom the gate shows the demo, which is not run."""
    (tmp_path / "tree").mkdir()
    users = []
    monkeypatch.setattr(demo_gate.collection_tree, "copy", lambda: tmp_path / "tree")
    monkeypatch.setattr(demo_gate, "shown", lambda _checkout, user, **_more: users.append(user.uid) or "")
    return users


def test_the_half_that_needs_a_namespace_is_left_out_and_said(refusing, runs, capsys):
    assert demo_gate.main() == 0
    assert runs == [0]
    assert WHY in capsys.readouterr().out
    assert [WHY in note for note in namespaces.notes()] == [True]


def test_where_nothing_may_be_left_out_it_fails_with_one_message(refusing, runs, capsys, monkeypatch):
    monkeypatch.setenv("RESTORABLE_NO_SKIPS", "1")
    assert demo_gate.main() == 1
    assert runs == []
    said = capsys.readouterr().err
    assert said.startswith("error: RESTORABLE_NO_SKIPS=1")
    assert WHY in said


def test_a_failed_cleaning_does_not_hide_the_demos_own_failure(tmp_path, monkeypatch):
    def make(_checkout, _user, target, **_more):
        raise subprocess.CalledProcessError({"demo": 7, "demo-clean": 8}[target], ["make", target])
    monkeypatch.setattr(demo_gate, "make", make)
    said = demo_gate.shown(tmp_path, demo_gate.User(os.geteuid()))
    assert said.index("status 7") < said.index("status 8")


def test_a_second_demo_that_fails_on_what_the_first_has_left_is_told(tmp_path, monkeypatch):
    place, asked = demo_gate.find_place(tmp_path, os.geteuid()), []

    def make(_checkout, _user, target, *, kill_at=""):
        asked.append(target)
        (place.repository / "shop").mkdir(parents=True, exist_ok=True)
        if asked == ["demo", "demo"]:
            raise subprocess.CalledProcessError(9, ["make", target])
        if target == "demo-clean":
            place.remove()
        return demo_gate.WANTED
    monkeypatch.setattr(demo_gate, "make", make)
    assert "status 9" in demo_gate.shown(tmp_path, demo_gate.User(os.geteuid()))
    assert asked == ["demo", "demo", "demo-clean"] and not place.folder.exists()


def test_a_demo_is_killed_at_the_line_that_was_named(tmp_path):
    (tmp_path / "Makefile").write_text("demo:\n\t@echo $$$$ > pid; echo begun; exec sleep 600\n")
    assert demo_gate.make(tmp_path, demo_gate.User(os.geteuid()), "demo", kill_at="begun") == "begun\n"
    _ends(tmp_path / "pid")
    (tmp_path / "Makefile").write_text("demo:\n\t@echo other\n")
    with pytest.raises(subprocess.CalledProcessError):
        demo_gate.make(tmp_path, demo_gate.User(os.geteuid()), "demo", kill_at="begun")


def test_a_gate_that_is_broken_off_leaves_no_demo_running(tmp_path, monkeypatch):
    (tmp_path / "Makefile").write_text("demo:\n\t@echo $$$$ > pid; echo begun; exec sleep 600\n")

    def broken(*_words, **_more):
        raise KeyboardInterrupt
    monkeypatch.setattr("builtins.print", broken)
    with pytest.raises(KeyboardInterrupt):
        demo_gate.make(tmp_path, demo_gate.User(os.geteuid()), "demo", kill_at="never said")
    _ends(tmp_path / "pid")


def _ends(file):
    """Wait until the process whose id is in a file has ended."""
    pid = int(file.read_text())
    until = time.monotonic() + 60
    while _runs(pid):
        assert time.monotonic() < until, f"process {pid} still runs"
        time.sleep(0.05)


def _runs(pid):
    """Tell whether a process runs; one that is dead and that nobody has asked after does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
