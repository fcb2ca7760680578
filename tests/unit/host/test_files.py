# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os

import pytest

from _restorable.host.files import private_folder, write_atomically


def test_a_file_is_replaced_as_a_whole_and_private(tmp_path):
    path = tmp_path / "status.json"
    write_atomically(str(path), b"one")
    with path.open("rb") as reader:
        write_atomically(str(path), b"two")
        assert reader.read() == b"one"
    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["status.json"]


def test_a_mode_may_be_asked_for_whatever_the_umask(tmp_path):
    write_atomically(str(tmp_path / "metrics.prom"), b"x", mode=0o644)
    assert (tmp_path / "metrics.prom").stat().st_mode & 0o777 == 0o644


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    (tmp_path / "target").mkdir()
    with pytest.raises(OSError):
        write_atomically(str(tmp_path / "target"), b"x")
    assert os.listdir(tmp_path) == ["target"]


def test_a_private_folder_may_lack_one_parent_but_not_two(tmp_path):
    assert private_folder(str(tmp_path / "a" / "b")) == str(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700
    private_folder(str(tmp_path / "a" / "b"))
    with pytest.raises(FileNotFoundError):
        private_folder(str(tmp_path / "x" / "y" / "z"))
    assert not (tmp_path / "x").exists()
