# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Lock every table of a database first, and only then take the snapshot that is dumped.

TRUNCATE and the rewriting forms of ALTER TABLE are not MVCC-safe (mvcc-caveats.html): a snapshot that is older
than the lock finds such a table empty, and pg_dump writes 0 rows and exits 0. LOCK TABLE takes no snapshot itself
(pquery.c, PlannedStmtRequiresSnapshot), so in one REPEATABLE READ transaction it can come before the first query.
"""
from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Sequence

from ..errors import ConfigError, RestorableError, Unavailable
from ..model.server import Selection
from .connect import driver, quote_ident
from .patterns import matching_tables

if TYPE_CHECKING:
    import psycopg

ATTEMPTS = 5                       # at least, and for as long as a lock may be waited for
BATCH = 500                        # tables in one LOCK statement

# What pg_dump.c, getTables, locks: plain and partitioned tables. Tables of an extension come back with CREATE
# EXTENSION; only its configuration tables are dumped (extend-extensions.html).
_TABLES = """
SELECT c.oid, n.nspname::text, c.relname::text,
       c.oid IN (SELECT relation FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation'
                    AND mode = 'AccessShareLock' AND granted) AS locked,
       pg_relation_filenode(c.oid) IS DISTINCT FROM nullif(c.relfilenode, 0) AS rewritten
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND (NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                       AND d.deptype = 'e')
        OR EXISTS (SELECT FROM pg_extension AS e WHERE c.oid = ANY (e.extconfig)))
   AND c.oid <> ALL (%s::oid[])
 ORDER BY n.nspname, c.relname
"""

# With row_security off, row_security_active still tells whether a policy would hide rows (rls.c, check_enable_rls).
_FORBIDDEN = """
SELECT CASE WHEN NOT has_schema_privilege(n.oid, 'USAGE') THEN 'usage'
            WHEN NOT has_table_privilege(c.oid, 'SELECT') THEN 'select' ELSE 'rows' END AS problem,
       format('%%I.%%I', n.nspname, c.relname), quote_ident(n.nspname), quote_ident(current_user)
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.oid = ANY (%s::oid[]) AND (NOT has_table_privilege(c.oid, 'SELECT')
    OR NOT has_schema_privilege(n.oid, 'USAGE') OR (row_security_active(c.oid) AND c.oid <> ALL (%s::oid[])))
 ORDER BY 1 DESC, 2
"""

# ACCESS EXCLUSIVE alone conflicts with ACCESS SHARE (explicit-locking.html); one that waits blocks later comers too.
_BLOCKERS = """
SELECT format('%%I.%%I', n.nspname, c.relname), l.pid, a.usename::text, a.application_name, a.state,
       to_char(coalesce(a.query_start, a.xact_start), 'YYYY-MM-DD HH24:MI:SS"Z"')
  FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation JOIN pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
 WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'
   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND l.relation = ANY (%s::oid[])
 ORDER BY l.granted DESC, a.xact_start LIMIT 3
"""


@dataclass(frozen=True)
class Table:
    """A table to be locked."""

    oid: int
    schema: str
    name: str
    locked: bool = False
    rewritten: bool = False        # since the snapshot

    def __str__(self) -> str:
        return f"{quote_ident(self.schema)}.{quote_ident(self.name)}"


@dataclass(frozen=True)
class Snapshot:
    """An exported snapshot and the moment it shows."""

    name: str
    begun: datetime
    lsn: str
    tables: int


class _Moved(Exception):
    """A table was dropped, renamed or replaced before it was locked."""


def lock_and_export(session: psycopg.Connection[tuple[Any, ...]], selection: Selection, *,
                    lock_timeout: float) -> Snapshot:
    """Begin a transaction in an autocommit session that holds all locks and a snapshot younger than each of them.

    lock_timeout is in seconds, for each table. Raises Unavailable that names who blocks, ConfigError for missing
    rights and a full lock table.
    """
    session.execute(f"SET lock_timeout = {max(1, round(lock_timeout * 1000))}")
    until, attempt = time.monotonic() + lock_timeout, 0
    while attempt < ATTEMPTS or time.monotonic() < until:      # a busy host needs more tries than a quiet one
        attempt += 1
        excluded = matching_tables(session, selection.exclude_tables)
        tables = _tables(session, excluded)
        _check_rights(session, tables, matching_tables(session, selection.exclude_table_data))
        try:
            return _try(session, tables, excluded)
        except _Moved:
            session.execute("ROLLBACK")
    raise Unavailable(f"tables are made, dropped or rewritten faster than they can be locked, {attempt} times",
                      hint="Run again later, or leave the restless tables out with exclude_tables.",
                      code="dump.tables_moving")


def _try(session: psycopg.Connection[tuple[Any, ...]], tables: Sequence[Table], excluded: set[int]) -> Snapshot:
    session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    _lock(session, tables)
    name, begun, lsn = session.execute(
        "SELECT pg_export_snapshot(), clock_timestamp(), (CASE WHEN pg_is_in_recovery()"
        " THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END)::text").fetchone() or ()
    seen = _tables(session, excluded)
    fresh = [table for table in seen if not table.locked]
    if fresh:                      # came to be between the list and the snapshot
        _lock(session, fresh)
        seen = _tables(session, excluded)
    if any(table.rewritten or not table.locked for table in seen):
        raise _Moved
    return Snapshot(name, begun, lsn or "", len(seen))


def _tables(session: psycopg.Connection[tuple[Any, ...]], excluded: set[int]) -> list[Table]:
    return [Table(*row) for row in session.execute(_TABLES, [sorted(excluded)])]


def _lock(session: psycopg.Connection[tuple[Any, ...]], tables: Sequence[Table]) -> None:
    errors = driver().errors
    for start in range(0, len(tables), BATCH):
        batch = tables[start:start + BATCH]
        names = ", ".join(f"ONLY {table}" for table in batch)
        try:
            session.execute(f"LOCK TABLE {names} IN ACCESS SHARE MODE")
        except (errors.UndefinedTable, errors.InvalidSchemaName, errors.WrongObjectType) as error:
            raise _Moved from error
        except errors.LockNotAvailable:
            session.execute("ROLLBACK")
            raise _blocked(session, batch) from None
        except errors.OutOfMemory:
            session.execute("ROLLBACK")
            raise _lock_table_full(session, len(tables)) from None


def _check_rights(session: psycopg.Connection[tuple[Any, ...]], tables: Sequence[Table], no_data: set[int]) -> None:
    oids = [table.oid for table in tables]
    rows = session.execute(_FORBIDDEN, [oids, sorted(no_data)]).fetchall()
    if not rows:
        return
    problem, first, schema, user = rows[0]
    names = _some([name for what, name, _schema, _user in rows if what == problem])
    if problem == "rows":
        raise ConfigError(f"row-level security hides rows of {names} from user {user}", code="dump.row_security",
                          hint=f"Run `ALTER ROLE {user} BYPASSRLS;`, or dump as a superuser or the tables' owner.")
    grant = f"SELECT ON {first}" if problem == "select" else f"USAGE ON SCHEMA {schema}"
    raise ConfigError(f"user {user} may not read {names}", code="dump.privilege",
                      hint=f"Run `GRANT {grant} TO {user};`, or once for all"
                           f" `GRANT pg_read_all_data TO {user};` (version 14 and newer).")


def _blocked(session: psycopg.Connection[tuple[Any, ...]], batch: Sequence[Table]) -> RestorableError:
    rows = session.execute(_BLOCKERS, [[table.oid for table in batch]]).fetchall()
    blockers = [f"{name} by process {pid} (user {user}, application {application!r}, {state} since {since})"
                if pid else f"{name} by a prepared transaction"
                for name, pid, user, application, state, since in rows]
    pid = next((row[1] for row in rows if row[1]), None)
    which = "; ".join(blockers) or f"one of {_some([str(table) for table in batch])} by somebody who just ended"
    return Unavailable(f"table is locked and was not had in time: {which}", code="dump.lock_timeout",
                       hint=f"Let it end, or run `SELECT pg_terminate_backend({pid});`, then run again." if pid else
                       "Run again, or raise lock_timeout.")


def _lock_table_full(session: psycopg.Connection[tuple[Any, ...]], tables: int) -> RestorableError:
    row = session.execute("SELECT current_setting('max_locks_per_transaction')").fetchone()
    now = row[0] if row else "unknown"
    return ConfigError(f"server's lock table has no room for {tables} tables, max_locks_per_transaction is {now}",
                       hint=f"Run `ALTER SYSTEM SET max_locks_per_transaction = {max(tables // 20, 128)};` and restart"
                            " the server.", code="dump.lock_table_full")


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
