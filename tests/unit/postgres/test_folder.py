# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory dump as one tar."""
from __future__ import annotations

import hashlib
import io
import tarfile

import pytest

from _restorable.postgres.folder import tar_folder


def fill(folder, files):
    for name, content in files.items():
        (folder / name).write_bytes(content)


def members(chunks):
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks)), mode="r|") as archive:
        return [(each.name, archive.extractfile(each).read()) for each in archive]


def test_the_table_of_contents_comes_first_and_every_byte_comes_back(tmp_path):
    files = {"3001.dat": b"x" * 512, "blobs.toc": b"", "toc.dat": b"toc", "3000.dat": b"y" * 1300}
    fill(tmp_path, files)
    found = members(tar_folder(str(tmp_path)))
    assert [name for name, _content in found] == ["toc.dat", "3000.dat", "3001.dat", "blobs.toc"]
    assert dict(found) == files


def test_each_file_is_removed_once_it_has_been_read(tmp_path):
    fill(tmp_path, {"toc.dat": b"toc", "1.dat": b"data"})
    for _chunk in tar_folder(str(tmp_path)):
        pass
    assert list(tmp_path.iterdir()) == []


def test_the_same_files_give_the_same_bytes(tmp_path):
    digests = set()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        fill(tmp_path / name, {"toc.dat": b"toc", "1.dat": b"data"})
        digests.add(hashlib.sha256(b"".join(tar_folder(str(tmp_path / name)))).hexdigest())
    assert len(digests) == 1


def test_memory_does_not_grow_with_the_file(tmp_path):
    with open(tmp_path / "1.dat", "wb") as file:
        file.truncate(64 * 1024 * 1024)
    assert max(map(len, tar_folder(str(tmp_path)))) <= 1024 * 1024


def test_a_missing_folder_raises(tmp_path):
    with pytest.raises(FileNotFoundError):
        list(tar_folder(str(tmp_path / "gone")))
