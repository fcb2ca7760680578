# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Open sessions that neither a strange environment nor a hostile database can bend."""
from __future__ import annotations

import os
import pwd
import re
import sys
import sysconfig
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError, NotFound, RestorableError, Unavailable
from ..model.row_data import without_rows
from .children import child_environment
from .every_byte import pass_every_byte
from .parameters import KEYWORDS, Connection
from .tuning import LIMITS, unlimited

if TYPE_CHECKING:
    import psycopg

__all__ = ["Connection", "child_environment", "driver", "lifted_limits", "open_database", "open_maintenance",
           "quote_ident"]

# ALTER DATABASE … SET and ALTER ROLE … SET reach every session; pg_dump.c, setup_connection(), undoes the same ones.
SETTINGS: tuple[tuple[int, str, str], ...] = (
    (0, "statement_timeout", "0"), (0, "lock_timeout", "0"), (0, "idle_in_transaction_session_timeout", "0"),
    (140000, "idle_session_timeout", "0"), (170000, "transaction_timeout", "0"),
    (0, "row_security", "off"), (0, "default_transaction_isolation", "read committed"),
    (0, "default_transaction_read_only", "off"), (0, "default_transaction_deferrable", "off"),
    (0, "client_encoding", "UTF8"), (0, "standard_conforming_strings", "on"), (0, "client_min_messages", "warning"),
    (0, "DateStyle", "ISO, YMD"), (0, "IntervalStyle", "postgres"), (0, "TimeZone", "UTC"),
    (0, "extra_float_digits", "3"), (0, "bytea_output", "hex"), (0, "xmloption", "content"),
    (0, "xmlbinary", "base64"), (0, "lc_monetary", "C"), (0, "lc_numeric", "C"), (0, "lc_time", "C"),
    (0, "array_nulls", "on"), (0, "quote_all_identifiers", "off"), (0, "transform_null_equals", "off"),
    (0, "synchronize_seqscans", "off"), (0, "jit", "off"),
)

SHORT = 10                         # seconds in which a busy server may not have come to a program's next statement
HURRYING = ("statement_timeout", "idle_session_timeout", "transaction_timeout")

# A parallel worker begins a transaction under the database's and the role's own settings before it takes over those of
# its leader (parallel.c, ParallelWorkerMain): where that may have milliseconds, the leader does without workers.
_ALONE = r"""
SELECT set_config('max_parallel_workers', '0', false)
 WHERE EXISTS (SELECT FROM pg_db_role_setting, unnest(setconfig) AS setting
                WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
                  AND setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = session_user))
                  AND setting ~ '^transaction_timeout=[0-9.]*[1-9][0-9.]* *(us|ms)?$')
"""

# What the service of an inherited PGSERVICE must not choose for us.
_REDIRECTING = ("host", "hostaddr", "port", "user", "options", "sslmode", "target_session_attrs")

# What a server or libpq says when no session comes about; such errors carry no SQLSTATE. First match counts.
_DATABASE = "is not currently accepting connections"
_BUSY = re.compile(r"starting up|shutting down|not yet accepting|recovery mode|too many (clients|connections)"
                   r"|connection slots")
_PASSWORD = re.compile(r"password authentication failed|no password supplied|empty password")
_REJECTED = re.compile(r"role \".*\" does not exist|no pg_hba\.conf entry|pg_hba\.conf rejects|authentication failed"
                       r"|not permitted to log in|permission denied for database|certificate|authentication method"
                       r"|server does not support SSL|requirepeer|channel binding")
_NO_ROLE = re.compile(r'role "([^"]*)" does not exist')
_SETTING = re.compile(r"invalid .* value|invalid connection option|definition of service|service file"
                      r"|invalid port|invalid integer|could not match|is not a valid")


def driver() -> Any:
    """Return the module psycopg (3.1 or newer); raise ConfigError that says how to install it for this Python."""
    try:
        import psycopg
    except ImportError as error:
        raise ConfigError(f"python package psycopg cannot be used by {sys.executable}: {error}",
                          hint=f"Install it there: {_install()}.",
                          code="connect.no_driver") from error
    return psycopg


def _install() -> str:
    """Return how psycopg comes to this very Python; the system's own may be closed to pip (PEP 668)."""
    packages = "`apt-get install python3-psycopg` or `dnf install python3-psycopg3`"
    if sys.prefix != sys.base_prefix:
        return f"`{sys.executable} -m pip install 'psycopg[binary]'`"
    closed = os.path.exists(os.path.join(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED"))
    if closed:
        return (f"{packages}, or make an environment of your own with `{sys.executable} -m venv` and run from there, "
                "since this Python is closed to pip")
    return f"{packages}, or `{sys.executable} -m pip install 'psycopg[binary]'`"


def open_database(connection: Connection, dbname: str, *,
                  autocommit: bool = True) -> psycopg.Connection[tuple[Any, ...]]:
    """Open a session in one database, its settings reset; close it with `with` or close().

    One attempt, and a second one where the database or the role leaves a session so little time that it may end before
    that is lifted: by libpq's options, which count from the first statement on. Raises NotFound for a database that is
    absent, ConfigError for wrong settings or password, Unavailable otherwise; no message shows a password.
    """
    postgres = driver()
    session, broke = _connected(connection, dbname), None
    patient = connection.with_options(unlimited(session.info.server_version))
    try:
        if not _prepared(session, autocommit):
            return session
    except postgres.Error as error:
        broke = Unavailable(f"session in database {dbname!r} broke: {connection.mask(_words(error))}",
                            hint="Read the server's log, then run again.", code="connect.broken")
    try:
        second = _connected(patient, dbname)
        _prepared(second, autocommit)
    except (postgres.Error, RestorableError):
        if broke:
            raise broke from None
        return session                 # a pooler may refuse any option, and the first session is good, only hurried
    session.close()
    return second


def _connected(connection: Connection, dbname: str) -> psycopg.Connection[tuple[Any, ...]]:
    postgres: Any = driver()
    params = {**parameters(connection), "dbname": dbname}
    try:
        session: psycopg.Connection[tuple[Any, ...]] = postgres.connect(
            autocommit=True, prepare_threshold=None, **params)
    except postgres.Error as error:
        raise _explained(connection, dbname, error) from None
    return session


def _prepared(session: psycopg.Connection[tuple[Any, ...]], autocommit: bool) -> bool:
    """Reset a session; say whether a time limit was so short that it may still strike, or close the session and raise.

    A limit that has run out while it was lifted ends the statement after that (postgres.c, ProcessInterrupts).
    """
    try:
        before = _reset(session)
        pass_every_byte(session)
        session.autocommit = autocommit
    except driver().Error:
        session.close()
        raise
    return any(_short(before[name]) for name in HURRYING if name in before)


def _short(limit: str) -> bool:
    """Say whether a time limit, as SHOW prints it, is none that a busy server keeps within: 1ms and 9s are."""
    unit = limit.lstrip("0123456789")
    return unit == "ms" or (unit == "s" and int(limit[:-1]) < SHORT)


def lifted_limits(session: psycopg.Connection[tuple[Any, ...]]) -> str:
    """Return PGOPTIONS for programs that are to work in this session's database, "" if they need none.

    pg_dump lifts the time limits of its session itself, after some statements (pg_dump.c, setup_connection), and
    pg_dumpall never does. Only where the session needed it, too: a connection pooler may refuse any option.
    """
    options = unlimited(session.info.server_version)
    return options if options in session.info.get_parameters().get("options", "") else ""


def parameters(connection: Connection) -> dict[str, Any]:
    """Return all parameters of a session, the password too, so that nothing inherited fills a gap."""
    params: dict[str, Any] = {**_neutral(), "application_name": "restorable", **connection.params,
                              "client_encoding": "UTF8"}
    if connection.password is not None:
        params["password"] = connection.password
    return params


def explained_error(connection: Connection, pgconn: Any) -> RestorableError:
    """Return why a replication session did not come about."""
    text = pgconn.error_message.decode(errors="replace")
    if "start walsender" in text or "REPLICATION attribute" in text:
        who = connection.params.get("user", "the operating system's user")
        words = connection.mask(" ".join(text.split()))
        return ConfigError(f"user {who!r} may not open a replication session: {words}",
                           hint=f"Run `ALTER ROLE {who} REPLICATION;` on the server.", code="connect.no_replication")
    return _explained(connection, "replication", driver().OperationalError(text, pgconn=pgconn))


def open_maintenance(connection: Connection) -> psycopg.Connection[tuple[Any, ...]]:
    """Open the database that is asked for facts of the server: the set one, or postgres, or template1."""
    if "dbname" in connection.params:
        return open_database(connection, connection.maintenance_database)
    try:
        return open_database(connection, "postgres")
    except NotFound:
        return open_database(connection, "template1")


def quote_ident(name: str) -> str:
    """Return a name as SQL always reads it back: "a""b"."""
    return '"' + name.replace('"', '""') + '"'


def _reset(session: psycopg.Connection[tuple[Any, ...]]) -> dict[str, str]:
    """Reset what the database's and role's own settings may have bent; return what they were.

    The first statement calls no function: until the path is ours, any name may be somebody else's.
    """
    session.execute("SET search_path TO pg_catalog, pg_temp")
    version = session.info.server_version
    wanted = [(name, value) for since, name, value in SETTINGS if version >= since]
    rows = ", ".join(f"('{name}', '{value}')" for name, value in wanted)
    # the inner query gives a row its old value before the outer one sets the new one
    before = session.execute(
        "SELECT name, before, pg_catalog.set_config(name, value, false)"
        "  FROM (SELECT name, value, pg_catalog.current_setting(name) AS before"
        f"          FROM (VALUES {rows}) AS wanted (name, value) OFFSET 0) AS s").fetchall()
    if version >= LIMITS["transaction_timeout"]:
        session.execute(_ALONE)
    return {name: old for name, old, _new in before}


def _neutral() -> dict[str, str]:
    """Return an explicit default for every libpq keyword which the process's environment would fill.

    libpq reads a variable, or the service PGSERVICE names, only for what the conninfo leaves out
    (libpq-envars.html); an empty text counts as given. Connection.of has already read what is wanted.
    """
    neutral: dict[str, str] = {}
    for option in driver().pq.Conninfo.get_defaults():
        key = option.keyword.decode()
        name = KEYWORDS.get(key) or (option.envvar or b"").decode()
        filled = name in os.environ or ("PGSERVICE" in os.environ and key in _REDIRECTING)
        if key != "service" and name and filled:
            neutral[key] = (option.compiled or b"").decode()
    if "sslcertmode" in neutral:
        neutral["sslcertmode"] = "allow"
    if "user" in neutral:
        neutral["user"] = pwd.getpwuid(os.geteuid()).pw_name
    return neutral


def _words(error: BaseException) -> str:
    """Return an error's text as one line."""
    said = re.sub(r"\n\s*(?=\S)", "; ", without_rows(str(error)).strip())
    words = re.sub(r"^connection (?:is bad|failed): ", "", " ".join(said.split()))
    # libpq's advice is a question; the hint of the error says it, too
    return re.sub(r"; Is the server running[^;?]*\?", "", words)


def _explained(connection: Connection, dbname: str, error: Any) -> RestorableError:
    words = connection.mask(_words(error))
    who = connection.params.get("user", "the operating system's user")
    where = f"{connection.params.get('host', 'the default host')}:{connection.params.get('port', '5432')}"
    if f'database "{dbname}" does not exist' in str(error):
        return NotFound(f"database {dbname!r} does not exist on {where}", code="connect.no_database",
                        hint="List the databases with `psql -l` and correct the name.")
    if _DATABASE in words:
        return ConfigError(f"database {dbname!r} takes no connections", code="connect.no_connections",
                           hint="Exclude it, or run `ALTER DATABASE … ALLOW_CONNECTIONS true`; if it is just being "
                                "dropped, run this again when it is gone.")
    if _BUSY.search(words):
        return Unavailable(f"server {where} takes no session now: {words}", code="connect.busy",
                           hint="Wait until it is up or has a free connection slot, then run again.")
    if _PASSWORD.search(words) or getattr(error.pgconn, "needs_password", False):
        return ConfigError(f"server {where} does not accept the password of {who!r}: {words}",
                           code="connect.password",
                           hint="Set connection.password_file to a 0600 file with the right password.")
    missing = _NO_ROLE.search(words)
    if missing:
        return ConfigError(f"server {where} has no role {missing[1]!r}: {words}", code="connect.rejected",
                           hint=f"Correct connection.user, or run `CREATE ROLE {quote_ident(missing[1])} LOGIN` there.")
    if _REJECTED.search(words):
        return ConfigError(f"server {where} rejects {who!r}: {words}", code="connect.rejected",
                           hint="Correct user and sslmode, or add a line for it to the server's pg_hba.conf.")
    if _SETTING.search(words):
        inherited = "service" in words and "service" not in connection.params
        return ConfigError(f"connection settings cannot be used: {words}", code="connect.settings",
                           hint="Unset the environment variable PGSERVICE, which libpq reads whatever is set."
                           if inherited else "Correct the named connection setting.")
    return Unavailable(f"server {where} cannot be reached: {words}", code="connect.unreachable",
                       hint="Check that it runs (`pg_isready`), and connection.host and connection.port.")
