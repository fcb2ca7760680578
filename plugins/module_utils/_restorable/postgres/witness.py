# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Write witness rows into a running server (ops.witness.Witnessing), where the settings name a database for them."""
from __future__ import annotations

from typing import Any, Mapping

from ..errors import ConfigError, Refused, ToolFailed
from ..model.lsn import Lsn
from ..model.row_data import one_line
from ..model.witness import Witness, WitnessJob, WitnessRow
from .connect import driver, open_database
from .parameters import Connection

_TABLE = "restorable.witness"
_MAKE = (
    "CREATE SCHEMA IF NOT EXISTS restorable",
    f"CREATE TABLE IF NOT EXISTS {_TABLE} (number bigint PRIMARY KEY, at timestamptz NOT NULL, token uuid NOT NULL)")
# not a sequence, which a crash of the server lets jump: a number that is missing must mean that a row is
_ADD = f"""
INSERT INTO {_TABLE} SELECT coalesce(max(number), 0) + 1, clock_timestamp(), gen_random_uuid() FROM {_TABLE}
RETURNING number, at, token::text
"""
_FORGET = f"DELETE FROM {_TABLE} WHERE at < clock_timestamp() - %s AND number < %s"
_PLACE = ("SELECT lsn::text, ('x' || left(pg_walfile_name(lsn), 8))::bit(32)::int"
          " FROM pg_current_wal_insert_lsn() AS lsn")
_PATIENCE = "10s"                  # for the table's lock, so that nobody stops a backup with it


class PgWitness:
    """Writes rows into one database of a server."""

    def __init__(self, settings: Mapping[str, object], job: WitnessJob,
                 environ: Mapping[str, str] | None = None) -> None:
        self._connection, self._job = Connection.of(settings, environ), job
        self.database, self.keep = job.database, job.keep

    def write(self) -> Witness:
        """Commit one row, durably, and return it with a place in the WAL behind it."""
        with open_database(self._connection, self._job.database) as session:
            if _value(session, "SELECT pg_is_in_recovery()"):
                raise Refused("the server is a standby, into which no witness row can be written",
                              code="witness.standby", hint="Let the primary's agent write them.")
            try:
                return self._write(session)
            except driver().Error as error:
                raise ToolFailed(f"no witness row can be written into database {self._job.database!r}: "
                                 f"{one_line(error)}", code="witness.failed",
                                 hint="Let the role create the schema: GRANT CREATE ON DATABASE … TO …, or leave "
                                      "`witness` out of the settings.") from None

    def _write(self, session: Any) -> Witness:
        if not _value(session, f"SELECT to_regclass('{_TABLE}') IS NOT NULL"):
            for statement in _MAKE:
                session.execute(statement)
        with session.transaction():
            session.execute("SET LOCAL synchronous_commit = on")
            session.execute(f"SET LOCAL lock_timeout = '{_PATIENCE}'")
            session.execute(f"LOCK TABLE {_TABLE} IN SHARE ROW EXCLUSIVE MODE")
            number, at, token = _row(session, _ADD)
            session.execute(_FORGET, (self._job.keep, number))
        lsn, timeline = _row(session, _PLACE)
        return Witness(WitnessRow(number, at, token), timeline, Lsn.parse(lsn))


def _row(session: Any, sql: str) -> tuple[Any, ...]:
    row = session.execute(sql).fetchone()
    if row is None:
        raise ConfigError("the server answers no row", code="witness.failed", hint="Read the server's log.")
    return tuple(row)


def _value(session: Any, sql: str) -> Any:
    return _row(session, sql)[0]
