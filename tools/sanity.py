# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ansible-test's sanity tests over a copy of this checkout, with no test and no file left out."""
from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import collection_tree
import get_pip_for_ansible_test

TARGETS = ("3.9", "3.10", "3.11", "3.12", "3.13")  # what ansible-core's newest tests and our modules have in common


def main(extra: list[str]) -> int:
    """Run the tests; extra arguments go to ansible-test."""
    get_pip_for_ansible_test.provide(Path.home() / ".ansible" / "test" / "cache")
    tool = str(Path(sys.executable).parent / "ansible-test")
    environment = {**os.environ, "PATH": runnable_path()}
    argv = [tool, "sanity", "--local", *extra]
    return subprocess.run(argv, cwd=collection_tree.copy(), env=environment, check=False).returncode


def runnable_path() -> str:
    """Return PATH without the folders whose pythons only exist in name, and with those that pyenv has installed.

    ansible-test takes a name for the thing and ends with an error.
    """
    folders = [str(Path(sys.executable).parent), *os.environ.get("PATH", os.defpath).split(os.pathsep), *installed()]
    return os.pathsep.join(dict.fromkeys(folder for folder in folders if all(map(runs, pythons(folder)))))


def installed() -> list[str]:
    """Return the folders of the Python versions we test that pyenv has installed, used by default or not."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = (path for version in TARGETS for path in sorted(root.glob(f"versions/{version}.*/bin/python{version}")))
    return [str(path.parent) for path in found]


def pythons(folder: str) -> list[str]:
    """Return the versioned interpreters in a folder: …/python3.11."""
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return [os.path.join(folder, name) for name in names if re.fullmatch(r"python\d\.\d+", name)]


def runs(program: str) -> bool:
    """Say whether an interpreter starts."""
    return subprocess.run([program, "-c", ""], capture_output=True, check=False).returncode == 0


def missing() -> list[str]:
    """Return the Python versions whose compile and import tests could not run, in words."""
    found = {name.rpartition("python")[2] for folder in runnable_path().split(os.pathsep) for name in pythons(folder)}
    absent = [version for version in TARGETS if version not in found]
    return [f"sanity's compile and import on Python {', '.join(absent)}: not on the PATH"] if absent else []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
