# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A data directory is made durable with its tablespaces, each disk once."""
from __future__ import annotations

import os
import tempfile

import pytest

from _restorable.errors import Unavailable
from _restorable.postgres.flush import flush


def made(folder):
    """Return a data directory with two tablespaces on its own disk."""
    (folder / "data" / "pg_tblspc").mkdir(parents=True)
    for name in ("16384", "16385"):
        (folder / name).mkdir()
        (folder / "data" / "pg_tblspc" / name).symlink_to(folder / name)
    return folder / "data"


def test_one_disk_is_flushed_once(tmp_path):
    assert flush(str(made(tmp_path))) == 1


def test_a_tablespace_on_another_disk_is_flushed_too(tmp_path):
    if os.stat("/dev/shm").st_dev == os.stat(tmp_path).st_dev:
        pytest.fail("/dev/shm should be a disk of its own")
    data = made(tmp_path)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        (data / "pg_tblspc" / "16386").symlink_to(other)
        assert flush(str(data)) == 2


def test_a_tablespace_that_is_gone_is_no_success(tmp_path):
    data = made(tmp_path)
    (tmp_path / "16385").rmdir()
    with pytest.raises(Unavailable, match="16385 cannot be flushed"):
        flush(str(data))
