# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rclone keeps the contract of a store: on a folder, on real SFTP with hashes, and where it must read back.

The assertions are those of suite.py, which each class here inherits and runs on its own store.
"""
from __future__ import annotations

import itertools

import pytest
from contract.suite import StoreContract

from _restorable.store.rclone import RcloneStore
from kit.remotes import rclone_path, sftp_server, write_config

_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def path(monkeypatch):
    monkeypatch.setenv("PATH", rclone_path())


@pytest.fixture(scope="module")
def sshd():
    with sftp_server() as server:
        yield server


class TestRcloneFolder(StoreContract):
    @pytest.fixture
    def store(self, tmp_path):
        self.root = tmp_path / "remote" / "repository"
        config = write_config(tmp_path / "rclone.conf", disk={"type": "alias", "remote": str(tmp_path / "remote")})
        return RcloneStore("folder", "disk:repository", config_file=config)

    def fill(self, store, keys):
        fill(self.root, keys)


class TestRcloneSftp(StoreContract):
    @pytest.fixture
    def store(self, tmp_path, sshd):
        self.root = sshd.folder / "store" / str(next(_numbers))
        config = write_config(tmp_path / "rclone.conf", sftp=sshd.body)
        return RcloneStore("sftp", f"sftp:{self.root}", config_file=config)

    def fill(self, store, keys):
        fill(self.root, keys)
        for path in [self.root, *self.root.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)


def fill(root, keys):
    """Put files there by hand: a thousand connections would take minutes, and only their listing is asked for."""
    for key in keys:
        (root / key).parent.mkdir(parents=True, exist_ok=True)
        (root / key).write_bytes(b"x")
