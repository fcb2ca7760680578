# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pack the core into one executable file: a zip with a first line that names its Python. Private to this collection.

The same sources and the same Python's name always give the same bytes, on every controller: names in order, one date,
no compression. So a second run changes nothing, and a host's command equals the collection that put it there.
"""
from __future__ import annotations

import io
import zipfile
from pathlib import Path

from ansible_collections.restorable.postgres.plugins.module_utils import _restorable

CORE = "_restorable"
EPOCH = (1980, 1, 1, 0, 0, 0)      # the first date that a zip can hold
MAIN = b"""\
import os
import sys

from _restorable.app.kept import keep

keep(__loader__, __loader__.get_data("sources").decode().splitlines())

from _restorable.app.cli import main

if sys.stdout is not None:
    sys.stdout.reconfigure(errors="backslashreplace")      # as in _restorable/__main__.py
raise SystemExit(main(sys.argv[1:], sys.stdout, sys.stderr, os.environ))
"""


def pack(python: str) -> bytes:
    """Return the host command; python is the interpreter's path on the host."""
    root = Path(next(iter(_restorable.__path__)))
    packed = io.BytesIO()
    # -I: neither a variable of the environment nor the folder one stands in decides which code runs
    packed.write(f"#!{python} -I\n".encode())
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        _add(archive, "__main__.py", MAIN)
        sources = {f"{CORE}/{path.relative_to(root).as_posix()}": path.read_bytes() for path in root.rglob("*.py")}
        _add(archive, "sources", "".join(f"{name}\n" for name in sorted(sources)).encode())
        for name in sorted(sources):
            _add(archive, name, sources[name])
    return packed.getvalue()


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.compress_type = zipfile.ZIP_STORED
    entry.external_attr = 0o644 << 16
    entry.create_system = 3        # the controller's own system must not show
    archive.writestr(entry, data)
