# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether this machine lets root be another user in a namespace of its own; containers may refuse it."""
from __future__ import annotations

import functools
import os
import pwd
import subprocess

ACCOUNT = "daemon"             # not nobody, whose files are also everybody's who is not known in a namespace


def words() -> tuple[str, ...]:
    """Return what begins a command as ACCOUNT in a user namespace of its own."""
    account = pwd.getpwnam(ACCOUNT)
    return ("unshare", "--user", f"--map-user={account.pw_uid}", f"--map-group={account.pw_gid}")


@functools.cache
def refused() -> str:
    """Return in unshare's own words why no such namespace can be had here, or "" if it can; asked once."""
    try:
        done = subprocess.run([*words(), "true"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    except OSError as error:
        return f"unshare cannot be started: {error.strerror}"
    return (done.stderr.strip() or f"unshare ended with status {done.returncode}") if done.returncode else ""


def missing_half() -> str:
    """Return what the gate of the demo leaves out here and why, or "" if it leaves out nothing."""
    if os.geteuid() != 0 or not refused():
        return ""
    return f"make demo by a user without rights, after one that was killed: {refused()}"


def notes() -> list[str]:
    """Return the same as notes of the gate's step."""
    return [missing_half()] if missing_half() else []
