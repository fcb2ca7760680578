# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The server that is dumped (ports.Cluster)."""
from __future__ import annotations

from contextlib import closing, contextmanager
from typing import Collection, Iterator, Mapping

from ..errors import ConfigError, Unavailable
from ..model.row_data import one_line
from ..model.server import Selection, Server
from ..stream.program import read_from
from .children import child_environment
from .connect import driver, lifted_limits, open_database, open_maintenance
from .definitions import Definitions
from .inventory_globals import take_globals
from .locks import lock_and_export
from .parameters import Connection
from .patterns import FIRST_OWN_OID, matching_tables
from .probe import ask_server
from .session import PgDumpSession, explained
from .shared_names import shared_names
from .tools import Tool, find_tool


class PgCluster:
    """A running server, reached by settings in libpq's names.

    bin_dir holds the client programs if PATH's and the packages' are not meant; staging is the folder of
    directory dumps; without role_passwords the globals lack them, which is what a user who is no superuser can read.
    """

    def __init__(self, settings: Mapping[str, object], *, bin_dir: str | None = None, staging: str | None = None,
                 role_passwords: bool = True, environ: Mapping[str, str] | None = None) -> None:
        self._connection = Connection.of(settings, environ)
        self._bin_dir, self._staging, self._environ = bin_dir, staging, environ
        self._role_passwords = role_passwords

    def server(self) -> Server:
        """Return the server's facts; see ports.Cluster."""
        with open_maintenance(self._connection) as session:
            return ask_server(session)

    def dump_tool(self, server: Server) -> str:
        """Return the version line of the pg_dump that will run; see ports.Cluster."""
        return self._tools(server.major)[0].line

    def matched(self, database: str, patterns: Collection[str]) -> set[str]:
        """Return which table patterns match something in a database; see ports.Cluster."""
        with closing(open_database(self._connection, database)) as session, _server_errors(database):
            return {pattern for pattern in patterns
                    if any(oid >= FIRST_OWN_OID for oid in matching_tables(session, [pattern]))}

    @contextmanager
    def session(self, database: str, selection: Selection, *, lock_timeout: float) -> Iterator[PgDumpSession]:
        """Lock the selected tables, then export a snapshot; see ports.Cluster."""
        with closing(open_database(self._connection, database)) as holder:
            tool, lister = self._tools(holder.info.server_version // 10000)
            with _server_errors(database):
                snapshot = lock_and_export(holder, selection, lock_timeout=lock_timeout)
                here = self._connection.pinned(holder.info.host, holder.info.hostaddr, holder.info.port)
                here = here.with_options(lifted_limits(holder))
                named = shared_names(holder)
                definitions = Definitions(holder, here, database, named.roles)
            yield PgDumpSession(here, database, holder, snapshot, selection, named, definitions=definitions, tool=tool,
                                lister=lister, staging=self._staging, lock_timeout=lock_timeout, environ=self._environ)

    def _tools(self, major: int) -> tuple[Tool, Tool]:
        """Return the pg_dump that runs, and the pg_restore that lists what it gave."""
        tool = find_tool("pg_dump", major, self._bin_dir, environ=self._environ)
        return tool, find_tool("pg_restore", tool.major, self._bin_dir, environ=self._environ)

    def dump_globals(self) -> Iterator[bytes]:
        """Return the output of pg_dumpall --globals-only; see ports.Cluster."""
        with open_maintenance(self._connection) as session:
            major, database = session.info.server_version // 10000, session.info.dbname
            encoded = session.info.parameter_status("server_encoding") != "SQL_ASCII"
            patient = self._connection.with_options(lifted_limits(session))
            row = session.execute("SELECT has_table_privilege('pg_authid', 'SELECT'), current_user::text").fetchone()
        may_read, user = row or (False, "")
        if self._role_passwords and not may_read:
            raise ConfigError(f"user {user!r} may not read the roles' passwords",
                              hint="Dump as a superuser, or set role_passwords to false to do without them.",
                              code="dump.role_passwords")
        tool = find_tool("pg_dumpall", major, self._bin_dir, environ=self._environ)
        argv = [tool.path, "--globals-only", "--no-password", f"--dbname={patient.conninfo(database)}"]
        argv += [] if self._role_passwords else ["--no-role-passwords"]
        argv += ["--encoding=UTF8"] if encoded else []
        return self._globals(argv)

    def _globals(self, argv: list[str]) -> Iterator[bytes]:
        with explained(), child_environment(self._connection, self._environ) as env:
            yield from read_from(argv, env=env, secrets=self._connection.secrets)

    def globals_inventory(self) -> dict[str, str]:
        """Return all roles, memberships, tablespaces and their settings; see ports.Cluster."""
        with open_maintenance(self._connection) as session:
            return take_globals(session)


@contextmanager
def _server_errors(database: str) -> Iterator[None]:
    errors = driver().errors
    try:
        yield
    except driver().Error as error:
        words = one_line(error)
        conflict = isinstance(error, errors.SerializationFailure) or "conflict with recovery" in words
        hint = ("Set hot_standby_feedback = on or raise max_standby_streaming_delay on the standby, then run again."
                if conflict else "Read the server's log, then run again.")
        raise Unavailable(f"database {database!r} could not be read and locked: {words}", hint=hint,
                          code="dump.conflict" if conflict else "dump.interrupted") from error
