# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Which container this is."""
from __future__ import annotations

import re
from typing import Mapping

MOUNTS = "/proc/self/mountinfo"
_ID = re.compile(r"/([0-9a-f]{64})/")


def container_id(environment: Mapping[str, str], mounts: str = MOUNTS) -> str:
    """Return what a restart of this container keeps and another container has not; "" if that cannot be told.

    An engine mounts /etc/hostname out of the folder that it has for each container (proc_pid_mountinfo(5), 4 and 5).
    """
    if environment.get("RESTORABLE_CONTAINER"):
        return environment["RESTORABLE_CONTAINER"]
    try:
        with open(mounts, encoding="utf-8", errors="replace") as file:
            lines = [line.split() for line in file]
    except OSError:
        return ""
    found = (_ID.search(words[3] + "/") for words in lines if len(words) > 4 and words[4] == "/etc/hostname")
    return next((each[1] for each in found if each), "")
