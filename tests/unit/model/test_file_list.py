# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PostgreSQL's list of files: what is read of it, and what is no list."""
from __future__ import annotations

import hashlib
import json

import pytest

from _restorable.errors import Damaged
from _restorable.model.base import FileList, Left
from _restorable.model.file_list import ListedFile, new_digest, read_file_list


def listed(**change) -> bytes:
    """Return a list of two files, closed by its checksum as the server does it."""
    files = [{"Path": "PG_VERSION", "Size": 3, "Checksum-Algorithm": "CRC32C", "Checksum": "AABBCCDD"},
             {"Encoded-Path": "6cff", "Size": 0}]
    body = json.dumps({"PostgreSQL-Backup-Manifest-Version": 1, "Files": files, **change})[:-1] + ",\n"
    return (body + f'"Manifest-Checksum": "{hashlib.sha256(body.encode()).hexdigest()}"}}\n').encode()


def test_every_file_is_read():
    assert read_file_list(listed(), "it") == [ListedFile("PG_VERSION", 3, "CRC32C", "aabbccdd"),
                                              ListedFile("l\udcff", 0)]


def test_a_changed_list_is_damaged():
    with pytest.raises(Damaged, match="it says"):
        read_file_list(listed().replace(b"AABB", b"AABC"), "it")


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", listed(Files=[{"Size": 3}])])
def test_what_is_no_list_is_damaged(data):
    with pytest.raises(Damaged, match="is no backup_manifest"):
        read_file_list(data, "it")


def test_every_algorithm_of_postgresql_is_known_and_no_other():
    for name in ("CRC32C", "SHA224", "SHA256", "SHA384", "SHA512"):
        new_digest(name).update(b"x")
    with pytest.raises(Damaged, match="'MD5'"):
        new_digest("MD5")


def test_a_list_across_a_promotion_tells_the_timelines_whichever_comes_first():
    ranges = [{"Timeline": 2, "Start-LSN": "0/C000D8", "End-LSN": "0/E000D8"},       # as the server writes them
              {"Timeline": 1, "Start-LSN": "0/800028", "End-LSN": "0/C000D8"}]
    for order in (ranges, ranges[::-1]):
        found = FileList.read(listed(**{"WAL-Ranges": order, "Files": []}), "it")
        assert (found.timeline, found.start_lsn, found.stop_lsn) == (2, "0/800028", "0/E000D8")
        assert found.left == (Left(1, "0/C000D8"),)
