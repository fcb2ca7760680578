# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run `make demo` and `make demo-clean` as somebody does who has just cloned: in a copy, with nothing made before."""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import collection_tree

sys.path.append(str(Path(__file__).parent / "demo"))
from place import find_place

WANTED = "Verdict: passed"


def main() -> int:
    """Return 0 if the demo passes and its cleaning leaves nothing of it."""
    with tempfile.TemporaryDirectory(prefix="restorable-demo-gate-") as folder:
        checkout = Path(folder).resolve() / "restorable.postgres"
        shutil.copytree(collection_tree.copy(), checkout, symlinks=True)
        place = find_place(checkout)
        try:
            if WANTED not in make(checkout, "demo"):
                return failed(f"`make demo` did not say {WANTED!r}")
            if not (place.repository / "shop").is_dir():
                return failed(f"there is no backup in {place.repository}")
        finally:
            make(checkout, "demo-clean")
        left = [path for path in (place.folder, place.socket_dir) if path.exists()]
        return failed(f"`make demo-clean` left {', '.join(map(str, left))}") if left else 0


def make(checkout: Path, target: str) -> str:
    """Run a target and show what it prints; raise CalledProcessError unless it passes."""
    # of the gate's own surroundings, where other collections and another environment lie, nothing is handed on
    clean = {key: value for key, value in os.environ.items()
             if not key.startswith(("ANSIBLE_", "RESTORABLE_", "VIRTUAL_ENV", "MAKE", "MFLAGS", "PYTHONPATH", "PG"))}
    argv = ["make", target, f"PYTHON={sys.executable}"]
    child = subprocess.Popen(argv, cwd=checkout, env=clean, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = []
    for line in child.stdout or ():
        print(line, end="", flush=True)
        said.append(line)
    if child.wait():
        raise subprocess.CalledProcessError(child.returncode, argv)
    return "".join(said)


def failed(why: str) -> int:
    """Say why and return the exit status."""
    print(f"error: {why}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
