# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the collection's archive into dist/, from what git knows or would take and nothing else."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import collection_tree


def main() -> int:
    """Build; the archive is replaced if it is there."""
    tool = str(Path(sys.executable).parent / "ansible-galaxy")
    argv = [tool, "collection", "build", "--force", "--output-path", str(collection_tree.ROOT / "dist")]
    return subprocess.run(argv, cwd=collection_tree.copy(), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
