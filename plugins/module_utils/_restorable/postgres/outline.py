# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Read an archive's table of contents, and no more of the archive than that takes: for plans, which change nothing."""
from __future__ import annotations

import os
import shutil
import tempfile
from typing import Iterable

from ..errors import Damaged
from ..model.toc import Toc, parse_toc
from ..stream.failure import ProgramFailed
from ..stream.program import read_from, through
from ..stream.tar import TarReader
from .archives import damage, plain_environment
from .flowing import flowing
from .folder import TOC
from .tools import find_newest

_WORDS = ("--list", "--verbose", "--create")


def outline(chunks: Iterable[bytes], form: str, *, stage: str = "", bin_dir: str = "") -> Toc:
    """Return the table of contents with its dependencies; whether the data behind it is whole is not looked at."""
    if form == "custom":
        with flowing(chunks, stage, bin_dir) as archive:
            return archive.toc()
    tool = find_newest("pg_restore", bin_dir or None).path
    if form == "directory":
        return _of_directory(chunks, tool, stage)
    text = b""
    try:
        with damage():
            for piece in through([tool, *_WORDS], env=plain_environment())(chunks):
                text += piece
    except ProgramFailed as error:
        if error.status:
            raise
        # it leaves once it has read the contents, with the data unread
    return parse_toc(text.decode(errors="replace"))


def _of_directory(chunks: Iterable[bytes], tool: str, stage: str) -> Toc:
    folder = tempfile.mkdtemp(prefix="restorable-outline-", dir=stage or None)
    try:
        reader = TarReader(chunks)
        for member in reader.members():
            if os.path.basename(member.name) == TOC:
                with open(os.path.join(folder, TOC), "wb") as file:
                    file.writelines(reader.content())
                with damage():
                    text = b"".join(read_from([tool, *_WORDS, folder], env=plain_environment()))
                return parse_toc(text.decode(errors="replace"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    raise Damaged(f"directory archive has no {TOC}", hint="Restore another backup.", code="archive.bad_tar")
