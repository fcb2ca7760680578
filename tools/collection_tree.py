# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show this checkout to Ansible's tools under the path they insist on, …/ansible_collections/restorable/postgres."""
from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / ".work"


def link() -> Path:
    """Make .work/collections hold a link to the checkout; return the folder for ANSIBLE_COLLECTIONS_PATH."""
    place = WORK / "collections" / "ansible_collections" / "restorable" / "postgres"
    place.parent.mkdir(parents=True, exist_ok=True)
    if not (place.is_symlink() and place.resolve() == ROOT):
        place.unlink(missing_ok=True)
        place.symlink_to(ROOT, target_is_directory=True)
    return WORK / "collections"


def copy() -> Path:
    """Copy what git knows or would take (no ignored file) into .work; return the copy's path.

    ansible-test refuses a linked collection and lists files by git, so the copy is a git repository of its own.
    """
    place = WORK / "copy" / "ansible_collections" / "restorable" / "postgres"
    if place.exists():
        shutil.rmtree(place)
    for name in listed():
        source, target = ROOT / name, place / name
        if not source.is_symlink() and not source.is_file():
            continue  # deleted, and the deletion is not committed yet
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target, follow_symlinks=False)
    subprocess.run(["git", "init", "--quiet"], cwd=place, check=True)
    subprocess.run(["git", "add", "--all"], cwd=place, check=True)
    return place


def listed() -> list[str]:
    """Return the paths of all tracked and all new, not ignored files."""
    argv = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    found = subprocess.run(argv, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return sorted(set(found.split("\0")) - {""})


if __name__ == "__main__":
    print(link())
