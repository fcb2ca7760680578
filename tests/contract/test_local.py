# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder keeps the contract of a store, also where the file system has no hard links.

The assertions are those of suite.py, which each class here inherits and runs on its own store.
"""
from __future__ import annotations

import errno
import os

import pytest
from contract.suite import StoreContract

from _restorable.store.local import LocalStore


class TestLocal(StoreContract):
    @pytest.fixture
    def store(self, tmp_path):
        return LocalStore("local", str(tmp_path / "repository"))


class TestLocalWithMarker(StoreContract):
    @pytest.fixture
    def store(self, tmp_path):
        store = LocalStore("disk", str(tmp_path / "repository"), require_marker=True)
        store.create()
        return store


class TestLocalWithoutLinks(StoreContract):
    @pytest.fixture
    def store(self, tmp_path, monkeypatch):
        def link(*_args, **_kwargs):
            raise OSError(errno.EPERM, "as exFAT and some network disks answer")

        monkeypatch.setattr(os, "link", link)
        return LocalStore("fat", str(tmp_path / "repository"))
