# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The age command itself, as the other side of the format."""
from __future__ import annotations

import fcntl
import os
import pty
import shutil
import subprocess
import tempfile
import termios
from contextlib import suppress

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


def at_terminal(*words, answer, data=b""):
    """Run a command that asks at its terminal, answer each question, and return its output.

    age takes a passphrase from nowhere else.
    """
    ours, theirs = pty.openpty()
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as got:
        given.write(data)
        given.seek(0)
        process = subprocess.Popen([str(word) for word in words], stdin=given, stdout=got, stderr=subprocess.PIPE,
                                   start_new_session=True, pass_fds=[theirs],      # open there until it has ended
                                   preexec_fn=lambda: fcntl.ioctl(theirs, termios.TIOCSCTTY, 0))
        os.close(theirs)
        asked = b""
        with suppress(OSError):        # EIO: the other end is closed
            while chunk := os.read(ours, 1024):
                asked += chunk
                if asked.endswith(b": "):
                    os.write(ours, answer + b"\n")
        said = process.communicate(timeout=120)[1]
        os.close(ours)
        got.seek(0)
        assert process.returncode == 0, (said, asked)
        return got.read()
