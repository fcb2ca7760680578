# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Ask a server how it archives, set how it should, and make it end a segment."""
from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Iterator, Mapping, Sequence

from ..errors import Unavailable
from ..model.archiving import Archiver, Change, Setting
from ..model.row_data import one_line
from .connect import driver, open_maintenance
from .parameters import Connection

NAMES = ["wal_level", "archive_mode", "archive_command", "archive_library", "archive_timeout", "max_wal_senders",
         "max_replication_slots"]

_FACTS = """
SELECT current_setting('server_version_num')::int, (SELECT system_identifier::text FROM pg_control_system()),
       current_setting('data_directory'), pg_is_in_recovery(),
       (SELECT setting::bigint * CASE WHEN unit = 'B' THEN 1 ELSE 8192 END FROM pg_settings
         WHERE name = 'wal_segment_size'),
       (SELECT timeline_id FROM pg_control_checkpoint()),
       CASE WHEN pg_is_in_recovery() THEN '' ELSE pg_walfile_name(pg_current_wal_insert_lsn()) END,
       coalesce(last_archived_wal, ''), extract(epoch FROM clock_timestamp() - last_archived_time)::float8,
       coalesce(last_failed_wal, ''), extract(epoch FROM clock_timestamp() - last_failed_time)::float8
  FROM pg_stat_archiver
"""
_SETTINGS = """
SELECT name, current_setting(name), pending_restart, coalesce(sourcefile, '') FROM pg_settings WHERE name = ANY(%s)
"""
# The last line of all files counts (pg_file_settings.sql); seqno tells the order in which they are read.
_CONFIGURED = """
SELECT DISTINCT ON (name) name, setting FROM pg_file_settings
 WHERE name = ANY(%s) AND (error IS NULL OR error = 'setting could not be applied') ORDER BY name, seqno DESC
"""
_READY = "SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'"
_SLOT = """
SELECT active, coalesce(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                                             ELSE pg_current_wal_lsn() END, restart_lsn), 0)::bigint,
       slot_type FROM pg_replication_slots WHERE slot_name = %s
"""


class PgArchiver:
    """The archiving side of a running server, reached by settings in libpq's names."""

    def __init__(self, settings: Mapping[str, object]) -> None:
        self._connection = Connection.of(settings)

    def facts(self, slot: str = "") -> Archiver:
        """Return how the server archives now."""
        with self._session() as session:
            facts = _one(session.execute(_FACTS))
            settings = {name: Setting(value, pending, source)
                        for name, value, pending, source in session.execute(_SETTINGS, [NAMES]).fetchall()}
            configured = self._optional(session, _CONFIGURED, [NAMES]) or []
            ready = self._optional(session, _READY)
            found = session.execute(_SLOT, [slot]).fetchone() if slot else None
        return Archiver(
            facts[0], facts[1], facts[2], facts[3], settings, int(facts[4]), facts[5], facts[6],
            {"active": found[0], "lag": found[1], "type": found[2]} if found else None,
            facts[7], facts[8], facts[9], facts[10], ready[0][0] if ready else None, dict(configured))

    def alter(self, changes: Sequence[Change]) -> None:
        """Carry changes out by ALTER SYSTEM and have the server read its files again."""
        with self._session() as session:
            sql = driver().sql
            for change in changes:
                session.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(change.name),
                                                                           sql.Literal(change.after)))
        self.reload()

    def reload(self) -> None:
        """Have the server read its files again."""
        with self._session() as session:
            session.execute("SELECT pg_reload_conf()")

    def make_slot(self, slot: str) -> None:
        """Make a physical replication slot that keeps WAL from now on."""
        with self._session() as session:
            session.execute("SELECT pg_create_physical_replication_slot(%s, true)", [slot])

    def switch(self) -> str:
        """Write something, end the segment that it is in, and return that segment's name."""
        with self._session() as session:
            session.execute("SELECT pg_create_restore_point('restorable: archiving is proven')")
            return str(_one(session.execute("SELECT pg_walfile_name(pg_switch_wal())"))[0])

    @contextmanager
    def _session(self) -> Iterator[Any]:
        with open_maintenance(self._connection) as session:
            try:
                yield session
            except driver().Error as error:
                words = one_line(error)
                raise Unavailable(f"the server refuses: {words}", code="archiver.refused",
                                  hint="Read the server's log; ALTER SYSTEM and pg_switch_wal() need a superuser."
                                  ) from error

    @staticmethod
    def _optional(session: Any, query: str, values: Sequence[object] | None = None) -> Any:
        """Return the rows of what a user who is no superuser may not ask, or None."""
        try:
            return session.execute(query, values).fetchall()
        except driver().errors.InsufficientPrivilege:
            return None


def ask_data_directory(settings: Mapping[str, object]) -> str:
    """Return the server's data directory as it names it."""
    return PgArchiver(settings).facts().data_directory


def _one(cursor: Any) -> tuple[Any, ...]:
    row = cursor.fetchone()
    return tuple(row) if row else ()
