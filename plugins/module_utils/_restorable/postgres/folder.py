# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Turn a folder of plain files into one tar stream, in constant memory."""
from __future__ import annotations

import os
import tarfile
from typing import Iterator

from ..stream.stage import CHUNK

TOC = "toc.dat"                    # first, so that a reader knows the contents before the data


def tar_folder(folder: str) -> Iterator[bytes]:
    """Yield a tar of the folder's files, toc.dat first, and remove each file once it has been read.

    Owner and times are left out: the same files give the same bytes.
    """
    for name in sorted(os.listdir(folder), key=lambda each: (each != TOC, each)):
        path = os.path.join(folder, name)
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            yield _header(name, size)
            left = size
            while left and (chunk := file.read(min(CHUNK, left))):
                left -= len(chunk)
                yield chunk
        if left:
            raise OSError(f"{path} became shorter while it was read")
        if size % tarfile.BLOCKSIZE:
            yield bytes(tarfile.BLOCKSIZE - size % tarfile.BLOCKSIZE)
        os.unlink(path)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _header(name: str, size: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    return member.tobuf(tarfile.PAX_FORMAT)    # PAX has no limit of 8 GiB for a file
