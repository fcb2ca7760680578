# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Whose data directory it is, by global/pg_control."""
from __future__ import annotations

import os
import struct

_HEAD = struct.Struct("=QI")       # system_identifier and pg_control_version (pg_control.h), in the host's byte order
_VERSIONS = range(900, 10000)      # 1300 is PostgreSQL 13, 1800 is 18


def read_system_identifier(data_directory: str) -> str:
    """Return the system identifier of a data directory, "" where there is none or it may not be read."""
    try:
        with open(os.path.join(data_directory, "global", "pg_control"), "rb") as file:
            head = file.read(_HEAD.size)
    except OSError:
        return ""
    identifier, version = _HEAD.unpack(head) if len(head) == _HEAD.size else (0, 0)
    return str(identifier) if version in _VERSIONS else ""
