# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What more than one test of playbooks needs."""
from __future__ import annotations

import fcntl
import pathlib
import subprocess
import sys

import pytest

OLDEST = "2.17.14"
ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(scope="session")
def oldest():
    """The folder of the oldest ansible-core's programs; made once for the checkout."""
    home = ROOT / ".work" / f"core-{OLDEST}"
    home.parent.mkdir(exist_ok=True)
    with open(f"{home}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)           # tests run side by side
        if not (home / "made").exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
            subprocess.run([home / "bin" / "pip", "install", "--quiet", f"ansible-core=={OLDEST}"], check=True)
            (home / "made").touch()
    return str(home / "bin")
