# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Give what root makes in somebody's folder to that somebody, who could not read or replace it otherwise."""
from __future__ import annotations

import os
from contextlib import suppress


def give(made: str | int, folder: str) -> None:
    """Let a path, or an open file, that root has just made belong to the folder's owner; others own what they make."""
    if os.geteuid() != 0:
        return
    with suppress(OSError):        # a network disk may know no owners; then root's file is as good as any
        owner = os.stat(folder)
        if owner.st_uid == 0:
            return
        if isinstance(made, int):
            os.fchown(made, owner.st_uid, owner.st_gid)
        else:
            os.chown(made, owner.st_uid, owner.st_gid, follow_symlinks=False)
