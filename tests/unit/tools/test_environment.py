# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A clone becomes a working environment: the interpreter that is chosen, the pins, the copy that is tested."""
from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import collection_tree
import get_pip_for_ansible_test
import pytest
import sanity

ROOT = Path(__file__).parents[3]
BOOTSTRAP = ROOT / "tools" / "bootstrap.sh"


def script(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def bootstrap(tmp_path, *interpreters):
    """Run tools/bootstrap.sh with these interpreters only; it must fail before it touches anything."""
    environment = {**os.environ, "PYTHON": " ".join(interpreters)}
    argv = ["/bin/sh", str(BOOTSTRAP), "demo", ".work/no-such-environment"]
    return subprocess.run(argv, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)


def test_an_old_python_is_refused_with_its_version(tmp_path):
    old = script(tmp_path / "old", 'case "$2" in *print*) echo 3.9;; *) exit 1;; esac')
    done = bootstrap(tmp_path, old)
    assert done.returncode == 1
    assert f"no Python 3.11 or newer was found, only {old} (3.9)" in done.stderr
    assert "Install Python 3.11 or newer" in done.stderr


def test_a_python_that_cannot_make_environments_is_refused_with_the_package_to_install(tmp_path):
    bare = script(tmp_path / "bare", 'case "$2" in *print*) echo 3.11;; *ensurepip*) exit 1;; esac')
    done = bootstrap(tmp_path, bare)
    assert done.returncode == 1
    assert f"cannot be created with {bare} (3.11): the module ensurepip is missing" in done.stderr
    assert "apt-get install python3-venv" in done.stderr


def test_a_name_that_stands_for_nothing_is_passed_over(tmp_path):
    done = bootstrap(tmp_path, script(tmp_path / "shim", "exit 127"), str(tmp_path / "absent"))
    assert done.returncode == 1
    assert "no Python 3.11 or newer was found\n" in done.stderr


@pytest.mark.parametrize("name", ["demo", "dev"])
def test_every_requirement_is_pinned_exactly(name):
    lines = (ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
    loose = [line for line in lines if line and not line.startswith(("#", "-r demo.txt"))
             and not re.fullmatch(r"[A-Za-z0-9._-]+(\[[a-z]+\])?==[0-9][0-9A-Za-z.]*", line)]
    assert loose == []


def test_a_folder_whose_python_exists_in_name_only_is_left_off_the_path(tmp_path, monkeypatch):
    shims, good = tmp_path / "shims", tmp_path / "good"
    shims.mkdir()
    good.mkdir()
    script(shims / "python3.9", "exit 127")
    script(good / "python3.10", "exit 0")
    monkeypatch.setenv("PATH", f"{shims}:{good}")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    folders = sanity.runnable_path().split(":")
    assert str(good) in folders
    assert str(shims) not in folders
    [note] = sanity.missing()
    assert "3.9" in note
    assert "3.10" not in note


def test_a_python_that_pyenv_has_installed_counts_although_another_is_its_default(tmp_path, monkeypatch):
    folder = tmp_path / "versions" / "3.9.18" / "bin"
    folder.mkdir(parents=True)
    script(folder / "python3.9", "exit 0")
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert sanity.runnable_path().endswith(f":{folder}")
    assert "3.9" not in sanity.missing()[0]


def test_the_copy_holds_new_files_and_no_ignored_ones():
    listed = collection_tree.listed()
    assert "galaxy.yml" in listed
    assert not [name for name in listed if name.startswith((".venv", ".work/", "tests/output/"))]


def test_the_link_leads_to_the_checkout():
    assert (collection_tree.link() / "ansible_collections" / "restorable" / "postgres").resolve() == ROOT


def test_a_bootstrap_script_that_is_there_is_left_alone(tmp_path):
    there = tmp_path / f"get_pip_{get_pip_for_ansible_test.wanted_version().replace('.', '_')}.py"
    there.write_text("# downloaded")
    assert get_pip_for_ansible_test.provide(tmp_path) == there
    assert there.read_text() == "# downloaded"


def test_the_made_bootstrap_script_is_python_and_holds_the_wheel(tmp_path):
    text = get_pip_for_ansible_test.SCRIPT.format(version="1.2", wheel="c${Nk")
    (tmp_path / "get_pip.py").write_text(text)
    done = subprocess.run([sys.executable, "-c", "import get_pip; print(get_pip.WHEEL)"], cwd=tmp_path,
                          capture_output=True, text=True, check=False)
    assert done.stdout == "c${Nk\n"
