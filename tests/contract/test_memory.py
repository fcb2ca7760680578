# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The store in memory keeps the contract that it stands in for.

The assertions are those of suite.py, which the class here inherits and runs on its own store.
"""
from __future__ import annotations

import pytest
from contract.suite import StoreContract

from kit.memory_store import MemoryStore


class TestMemory(StoreContract):
    constant_memory = False

    @pytest.fixture
    def store(self):
        return MemoryStore()
