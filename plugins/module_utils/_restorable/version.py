# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The collection's version, kept equal to galaxy.yml by a test. Pure."""
from __future__ import annotations

VERSION = "0.1.0"
