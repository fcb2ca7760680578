# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Databases of a server that is restored into: look, create, drop, rename, swap."""
from __future__ import annotations

import threading
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Iterator, Sequence

from ..errors import ConfigError, Refused, ToolFailed, Unavailable
from ..model.row_data import one_line
from ..model.server import Database
from ..model.text import switch
from .connect import driver, lifted_limits, open_database, open_maintenance, quote_ident
from .parameters import Connection
from .tuning import SESSION, bent_settings

if TYPE_CHECKING:
    import psycopg

    Session = psycopg.Connection[tuple[Any, ...]]

SHOWN = 20                         # names that user_objects returns
LEAVING = 2.0                      # seconds for a session that was closed to be gone

# What a user made: not in the system's schemas, no part of an extension. initdb's own objects have lower numbers
# than FirstNormalObjectId (src/include/access/transam.h), except for the schema public, which a dump finds there.
_USER_OBJECTS = f"""
WITH mine AS (
    SELECT 'pg_class'::regclass AS catalogue, c.oid, n.nspname || '.' || c.relname AS name
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    UNION ALL
    SELECT 'pg_proc'::regclass, p.oid, n.nspname || '.' || p.proname || '()'
      FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
     WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    UNION ALL
    SELECT 'pg_type'::regclass, t.oid, 'type ' || n.nspname || '.' || t.typname
      FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
     WHERE t.typtype IN ('d', 'e', 'r', 'b') AND t.typelem = 0 AND n.nspname !~ '^pg_'
       AND n.nspname <> 'information_schema'
    UNION ALL
    SELECT 'pg_namespace'::regclass, oid, 'schema ' || nspname FROM pg_namespace
     WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public')
    UNION ALL
    SELECT 'pg_event_trigger'::regclass, oid, 'event trigger ' || evtname FROM pg_event_trigger
    UNION ALL
    SELECT 'pg_largeobject_metadata'::regclass, oid, 'large object ' || oid FROM pg_largeobject_metadata
)
SELECT name FROM mine
 WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = catalogue AND d.objid = mine.oid AND d.deptype = 'e')
 ORDER BY name LIMIT {SHOWN}
"""

_SESSIONS = """
SELECT coalesce(usename, 'a process')::text || coalesce(' from ' || nullif(application_name, ''), '')
       || ' since ' || to_char(backend_start, 'YYYY-MM-DD HH24:MI')
  FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid() ORDER BY backend_start
"""

_TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
_TERMINATE_AND_WAIT = _TERMINATE.replace("(pid)", "(pid, 10000)")      # from PostgreSQL 14 on
_DEFAULTS = "SELECT name, reset_val FROM pg_settings WHERE name = ANY(%s)"


class Databases:
    """The databases of one server. Every method opens a session of its own and closes it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def exists(self, name: str) -> bool:
        """Say whether the database is there."""
        with self._maintenance() as session:
            return bool(session.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchall())

    def names(self) -> list[str]:
        """Return the names of all databases."""
        with self._maintenance() as session:
            return [str(row[0]) for row in session.execute("SELECT datname FROM pg_database ORDER BY 1").fetchall()]

    def user_objects(self, name: str) -> list[str]:
        """Return some names of what a user made in the database."""
        with self.open(name) as session:
            return [str(row[0]) for row in session.execute(_USER_OBJECTS.encode()).fetchall()]

    def sessions(self, name: str) -> list[str]:
        """Describe the other sessions in a database.

        A session that its client has closed is still listed until its process has ended. DROP DATABASE waits for such
        ones too (CountOtherDBBackends, src/backend/storage/ipc/procarray.c).
        """
        until = time.monotonic() + LEAVING
        with self._maintenance() as session:
            while True:
                found = [str(row[0]) for row in session.execute(_SESSIONS, [name]).fetchall()]
                if not found or time.monotonic() >= until:
                    return found
                time.sleep(0.1)

    def create(self, name: str, like: Database | None = None) -> None:
        """Create an empty database with the encoding, locale provider and locale of like."""
        with self._maintenance() as session, self._explained(name, like):
            words = [f"CREATE DATABASE {quote_ident(name)} TEMPLATE template0"]
            if like is not None:
                words += [f"{key} {_text(value)}" for key, value in _options(like, session.info.server_version)
                          if value]
            session.execute(" ".join(words).encode())

    def drop(self, name: str, *, disconnect: bool = True) -> None:
        """Drop a database; absent is fine."""
        force = " WITH (FORCE)" if disconnect else ""
        with self._maintenance(other_than=name) as session:
            template = session.execute("SELECT datistemplate FROM pg_database WHERE datname = %s", [name]).fetchone()
            if template and template[0]:
                session.execute(f"ALTER DATABASE {quote_ident(name)} IS_TEMPLATE false".encode())
            session.execute(f"DROP DATABASE IF EXISTS {quote_ident(name)}{force}".encode())

    def rename(self, old: str, new: str) -> None:
        """Rename a database that has no sessions."""
        with self._maintenance(other_than=old) as session, self._explained(new, None):
            session.execute(f"ALTER DATABASE {quote_ident(old)} RENAME TO {quote_ident(new)}".encode())

    def swap(self, fresh: str, name: str, aside: str, *, disconnect: bool) -> None:
        """Put fresh in the place of name, whose database is called aside from then on.

        Both renames are one transaction, so whoever is killed, PostgreSQL or we, leaves every name as it was. The first
        rename locks the database before it waits for its sessions to end: no new one comes in meanwhile.
        """
        with self._maintenance(other_than=name) as session, self._explained(name, None):
            if disconnect:
                wait = session.info.server_version >= 140000
                session.execute((_TERMINATE_AND_WAIT if wait else _TERMINATE).encode(), [name])
            with self._kept_empty(name, disconnect=disconnect), session.transaction():
                session.execute(f"ALTER DATABASE {quote_ident(name)} RENAME TO {quote_ident(aside)}".encode())
                session.execute(f"ALTER DATABASE {quote_ident(fresh)} RENAME TO {quote_ident(name)}".encode())

    @contextmanager
    def _kept_empty(self, name: str, *, disconnect: bool) -> Iterator[None]:
        """End the sessions that came in just before the rename had its lock, for as long as the context lasts."""
        if not disconnect:
            yield
            return
        done = threading.Event()

        def end_sessions(session: Session) -> None:
            while not done.wait(0.1):
                try:
                    session.execute(_TERMINATE.encode(), [name])
                except driver().Error:
                    return         # then the rename says who is in its way

        with self._maintenance(other_than=name) as session:
            thread = threading.Thread(target=end_sessions, args=(session,), daemon=True)
            thread.start()
            try:
                yield
            finally:
                done.set()
                thread.join()

    def ensure_roles(self, names: Sequence[str]) -> list[str]:
        """Create the roles that are missing, without login; return the created ones."""
        made = []
        with self._maintenance() as session:
            for name in names:
                if not session.execute("SELECT FROM pg_roles WHERE rolname = %s", [name]).fetchall():
                    session.execute(f"CREATE ROLE {quote_ident(name)}".encode())
                    made.append(name)
        return made

    def bent(self, name: str) -> str:
        """Return PGOPTIONS that overrule what a database or our role has bent of a session; "" if nothing."""
        with self.open(name) as session:
            found = bent_settings(dict(session.execute(_DEFAULTS, [list(SESSION)]).fetchall()))
            return f"{found} {lifted_limits(session)}".strip()

    def query(self, name: str, sql: str) -> list[list[str | None]]:
        """Return a query's rows as text, asked in a read-only transaction that is rolled back."""
        with self.open(name) as session:
            session.execute("SET search_path TO \"$user\", public")
            session.execute("BEGIN READ ONLY")
            cursor = session.cursor()
            result: Any = cursor.execute(sql.encode())
            rows = _as_text(result.pgresult) if result.description else []
            session.execute("ROLLBACK")
            return rows

    @contextmanager
    def open(self, name: str) -> Iterator[Session]:
        """Give a session in one database."""
        with closing(open_database(self._connection, name)) as session, server_errors(f"database {name!r}"):
            yield session

    @contextmanager
    def _maintenance(self, other_than: str = "") -> Iterator[Session]:
        if other_than and other_than == self._connection.maintenance_database:
            opened = open_database(self._connection, "postgres" if other_than != "postgres" else "template1")
        else:
            opened = open_maintenance(self._connection)
        with closing(opened) as session, server_errors("the server"):
            yield session

    @contextmanager
    def _explained(self, name: str, like: Database | None) -> Iterator[None]:
        errors = driver().errors
        try:
            yield
        except errors.DuplicateDatabase:
            raise taken(name) from None
        except errors.ObjectInUse as error:
            raise Refused(f"database {name!r} is in use: {one_line(error)}", code="restore.in_use",
                          hint=f"Stop the application, or set {switch('disconnect')} to end its sessions.") from None
        except (errors.WrongObjectType, errors.InvalidParameterValue, errors.InvalidObjectDefinition,
                errors.UndefinedObject) as error:
            if like is None:
                raise
            raise no_locale(name, like.collate, one_line(error)) from None


def _options(like: Database, version: int) -> list[tuple[str, str]]:
    """Return the options of CREATE DATABASE; an empty value means none (sql-createdatabase.html)."""
    options = [("ENCODING", like.encoding), ("LC_COLLATE", like.collate), ("LC_CTYPE", like.ctype)]
    if version >= 150000 or like.provider not in ("", "c"):
        # libc is said too: template0 of another server may have another provider
        names = {"c": "libc", "i": "icu", "b": "builtin"}
        options.append(("LOCALE_PROVIDER", names.get(like.provider, like.provider)))
    if like.provider == "i":
        options += [("ICU_LOCALE", like.locale), ("ICU_RULES", like.rules)]
    elif like.provider == "b":
        options.append(("BUILTIN_LOCALE", like.locale))
    return options


def taken(name: str) -> Refused:
    """Return the error for a database's name that is somebody else's by now."""
    return Refused(f"database {name!r} exists", code="restore.database_exists",
                   hint="Choose another name, or drop it first.")


def no_locale(database: str, locale: str, words: str) -> ConfigError:
    """Return the error for a database whose locale this machine lacks."""
    generated = locale.split(".")[0] or "the locale"
    return ConfigError(f"database {database!r} needs locale {locale!r}, which the server does not have: {words}",
                       hint=f"Generate it on the server's host, for example with `localedef -i {generated} -f UTF-8 "
                            f"{locale}` (package locales), then restart the server.", code="restore.no_locale")


@contextmanager
def server_errors(what: str) -> Iterator[None]:
    """Raise what the server says as one of our errors."""
    postgres = driver()
    try:
        yield
    except postgres.errors.InsufficientPrivilege as error:
        raise ConfigError(f"{what}: {one_line(error)}", code="restore.no_right",
                          hint="Connect as a superuser, or as the owner with CREATEDB.") from None
    except postgres.OperationalError as error:
        raise Unavailable(f"{what} broke off: {one_line(error)}", code="connect.broken",
                          hint="Read the server's log, then run again.") from None
    except postgres.Error as error:
        raise ToolFailed(f"{what} says: {one_line(error)}", hint="Read the server's log.",
                         code="server.error") from None


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _as_text(result: Any) -> list[list[str | None]]:
    return [[None if (value := result.get_value(row, column)) is None else value.decode(errors="replace")
             for column in range(result.nfields)] for row in range(result.ntuples)]
