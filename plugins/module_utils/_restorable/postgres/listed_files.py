# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Compare an unpacked base backup with PostgreSQL's own list of its files: sizes always, contents where asked."""
from __future__ import annotations

import os
from typing import Iterable

from ..errors import Damaged
from ..model.file_list import UNLISTED, ListedFile, new_digest, read_file_list
from .datadir import LEFT_OUT

PIECE = 1024 * 1024                # bytes
_HINT = "Use another backup, and take a new one."


def compare_sizes(folder: str, data: bytes) -> str:
    """Compare names and sizes with a backup_manifest; return a count, raise Damaged for a difference."""
    listed = read_file_list(data, "the list of files")
    for each in listed:
        _size(folder, each)
    return f"{len(listed)} files"


def compare_contents(folder: str, data: bytes) -> str:
    """Compare every file's checksum with a backup_manifest, and look for files that are not in it; see compare_sizes.

    It proves what pg_verifybackup proves, for where that program cannot run, and takes longer.
    """
    listed = read_file_list(data, "the list of files")
    known = {each.path for each in listed}
    for path in _found(folder):
        if path not in known and path.split("/")[0] not in (*UNLISTED, *LEFT_OUT):
            raise Damaged(f"file {path} is not in the list of files", code="base.file_unlisted", hint=_HINT)
    algorithms = set()
    for each in listed:
        if _size(folder, each) and each.algorithm and each.path not in UNLISTED:
            algorithms.add(each.algorithm)
            found = _checksum(os.path.join(folder, each.path), each.algorithm)
            if found != each.checksum:
                raise Damaged(f"file {each.path} has {each.algorithm} {found[:16]}, the list says {each.checksum[:16]}",
                              code="base.file_changed", hint=_HINT)
    return f"{len(listed)} files, by size and {' and '.join(sorted(algorithms)) or 'nothing else'}"


def _size(folder: str, file: ListedFile) -> bool:
    """Compare one file's size; return False for a file that is left out on purpose."""
    try:
        size = os.stat(os.path.join(folder, file.path)).st_size
    except FileNotFoundError:
        if file.path in LEFT_OUT:
            return False
        raise Damaged(f"file {file.path} is not in the archive", code="base.file_missing", hint=_HINT) from None
    if size != file.size:
        raise Damaged(f"file {file.path} has {size} bytes, the list says {file.size}", code="base.file_size",
                      hint=_HINT)
    return True


def _checksum(path: str, algorithm: str) -> str:
    digest = new_digest(algorithm)
    with open(path, "rb", buffering=0) as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return str(digest.hexdigest())


def _found(folder: str) -> Iterable[str]:
    # tablespaces are links
    for place, _folders, names in os.walk(folder, followlinks=True):
        for name in names:
            yield os.path.relpath(os.path.join(place, name), folder)
