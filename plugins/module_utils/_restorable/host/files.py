# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Folders and files that only our account reads."""
from __future__ import annotations

import os
import tempfile
from contextlib import suppress

from ..stream.owner import give


def private_folder(path: str) -> str:
    """Make a folder of mode 0700, and its parent if that is absent too; raise OSError for a longer path.

    So a disk that is not mounted, or a slip of the pen in a path, does not grow a tree in the wrong place.
    """
    if not os.path.isdir(path):
        parent = os.path.dirname(path)
        if not os.path.isdir(parent):
            with suppress(FileExistsError):
                os.mkdir(parent, 0o700)
        with suppress(FileExistsError):
            os.mkdir(path, 0o700)
            give(path, parent)
    return path


def write_atomically(path: str, data: bytes, *, mode: int = 0o600) -> None:
    """Replace a file as a whole: a reader sees the old content or the new one. Not flushed to the disk."""
    handle, part = tempfile.mkstemp(prefix=".new-", dir=os.path.dirname(path) or ".")
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
        os.replace(part, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(part)
        raise
