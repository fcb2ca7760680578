# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The age command itself, as the other side of the format."""
from __future__ import annotations

import shutil
import subprocess

import pytest


def age_command(request):
    """Return the path of the age command, noted in the report; skip the test where it is not installed."""
    found = shutil.which("age")
    if found is None:
        # a failure under RESTORABLE_NO_SKIPS=1 (conftest.py), which .ci/run sets
        pytest.skip("the age command is not installed")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    request.node.user_properties.append(("age", version))
    return found


def run(*words, data=b"", **options):
    """Run a command with data as its input and return its output."""
    return subprocess.run([str(word) for word in words], input=data, stdout=subprocess.PIPE, check=True,
                          **options).stdout
