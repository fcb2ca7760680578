# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""List the files below a folder as keys, sorted, without ever leaving one out silently."""
from __future__ import annotations

import os
from datetime import datetime, timezone
from typing import Iterator

from ..ports import Entry

_FOREIGN = ("lost+found",)             # what a file system keeps at its top


def walk(root: str, prefix: str) -> Iterator[Entry]:
    """Yield the files whose keys begin with prefix, sorted by key; only folders that may hold such are read.

    Names that no key can have are left out. Raises OSError for a folder that cannot be read.
    """
    yield from _walk(root, "", prefix)


def is_name(name: str) -> bool:
    """Say whether a name may be a part of a key: not empty, no leading dot, no control character."""
    return bool(name) and not name.startswith(".") and name.isprintable()


def _walk(folder: str, above: str, prefix: str) -> Iterator[Entry]:
    for key, entry in _children(folder, above, prefix):
        if key.endswith("/"):
            yield from _walk(entry.path, key, prefix)
            continue
        try:
            facts = entry.stat()
        except FileNotFoundError:
            continue                           # deleted while we were listing
        yield Entry(key, facts.st_size, datetime.fromtimestamp(facts.st_mtime, timezone.utc))


def _children(folder: str, above: str, prefix: str) -> list[tuple[str, os.DirEntry[str]]]:
    """Return what may lead to a key with the prefix; a folder's key ends in "/", so it sorts as its keys do."""
    children = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                key = f"{above}{entry.name}"
                if not is_name(entry.name) or (not above and entry.name in _FOREIGN):
                    continue
                if entry.is_dir():
                    key += "/"
                    if key.startswith(prefix) or prefix.startswith(key):
                        children.append((key, entry))
                elif key.startswith(prefix) and entry.is_file():
                    children.append((key, entry))
    except FileNotFoundError:
        return []                              # deleted while we were listing, or no repository yet
    return sorted(children, key=lambda child: child[0])
