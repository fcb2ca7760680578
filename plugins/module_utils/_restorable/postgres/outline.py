# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Read an archive's table of contents, and no more of the archive than that takes: for plans, which change nothing."""
from __future__ import annotations

import io
import os
import tarfile
from typing import Iterable

from ..errors import Damaged
from ..model.toc import Toc
from ..stream.tar import TarReader
from .archives import StagedArchive, no_room, staging_folder
from .flowing import flowing
from .folder import TOC


def outline(chunks: Iterable[bytes], form: str, *, stage: str = "", bin_dir: str = "") -> Toc:
    """Return the table of contents with its dependencies; whether the data behind it is whole is not looked at."""
    if form == "custom":
        with flowing(chunks, stage, bin_dir) as archive:
            return archive.toc()
    content = _first(chunks)
    with staging_folder(stage) as folder:
        path = os.path.join(folder, "archive")
        with no_room(folder):
            _write(path, form, content)
        return StagedArchive(path, bin_dir).toc()


def _first(chunks: Iterable[bytes]) -> bytes:
    """Return the table of contents, a file of its own that both forms have."""
    reader = TarReader(chunks)
    for member in reader.members():
        if os.path.basename(member.name) == TOC:
            return b"".join(reader.content())
    raise Damaged(f"archive is a tar without {TOC}", hint="Restore another backup.", code="archive.bad_tar")


def _write(path: str, form: str, content: bytes) -> None:
    """Write an archive that has a table of contents and no data."""
    if form == "directory":
        os.mkdir(path)
        with open(os.path.join(path, TOC), "wb") as file:
            file.write(content)
        return
    member = tarfile.TarInfo(TOC)
    member.size = len(content)
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        tar.addfile(member, io.BytesIO(content))
