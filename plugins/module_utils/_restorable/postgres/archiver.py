# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Ask a server how it archives, set how it should, and make it end a segment."""
from __future__ import annotations

from typing import Any, Mapping

from ..errors import Unavailable
from .connect import driver, open_maintenance
from .parameters import Connection

# What decides over archiving; the first two need a restart (guc_tables.c, PGC_POSTMASTER).
NAMES = ("wal_level", "archive_mode", "archive_command", "archive_library", "archive_timeout", "max_wal_senders",
         "max_replication_slots")


def ask_data_directory(settings: Mapping[str, object]) -> str:
    """Return the server's data directory as it names it."""
    with open_maintenance(Connection.of(settings)) as session:
        row = session.execute("SELECT current_setting('data_directory')").fetchone()
        return str(row[0]) if row else ""


def words(error: BaseException) -> str:
    """Return what a server said as one line."""
    return " ".join(str(error).split())


def said(error: Any) -> Unavailable:
    """Return the error for a statement that the server did not carry out."""
    return Unavailable(f"the server refuses: {words(error)}", code="archiver.refused",
                       hint="Read the server's log; ALTER SYSTEM and pg_switch_wal() need a superuser.")


def is_error(error: BaseException) -> bool:
    """Say whether an error is the driver's."""
    return isinstance(error, driver().Error)
