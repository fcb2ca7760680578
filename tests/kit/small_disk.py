# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small file systems of their own, in a mount namespace that ends with its process.

Root may make one; another account makes one inside a user namespace, where the kernel allows that.
"""
from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CORE = Path(__file__).parents[2] / "plugins" / "module_utils"
NAMESPACE = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]


def run_in_tmpfs(folder, code, *, options="size=1m", remount=""):
    """Run Python code with folder being a tmpfs of its own; return what it printed. Skip if none can be had.

    A line `remount()` in code mounts the folder again with the options of remount.
    """
    if not can_mount():
        pytest.skip("neither root nor a user namespace may mount a tmpfs here")
    program = (f"import subprocess, sys\nsys.path.insert(0, {str(CORE)!r})\n"
               f"FOLDER = {str(folder)!r}\ndef remount():\n"
               f"    subprocess.run(['mount', '-o', 'remount,{remount}', FOLDER], check=True)\n"
               + code)
    done = subprocess.run([*NAMESPACE, "sh", "-c", 'mount -t tmpfs -o "$1" tmpfs "$2" && exec "$3" -c "$4"', "sh",
                           options, str(folder), sys.executable, program], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def command_in_tmpfs(config, words, folder, *, options):
    """Run the host command with folder being a tmpfs of its own; return (status, what it said, what is left)."""
    code = f"""
import json, os
done = subprocess.run([sys.executable, "-m", "_restorable", "--config", {str(config)!r}, *{list(words)!r}],
                      env={{**os.environ, "PYTHONPATH": {str(CORE)!r}}}, capture_output=True, text=True)
print(json.dumps([done.returncode, done.stdout + done.stderr, os.listdir(FOLDER)]))
"""
    return json.loads(run_in_tmpfs(folder, code, options=options))


def can_mount():
    tried = subprocess.run([*NAMESPACE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False)
    return tried.returncode == 0
