# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Ask a server for its facts."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import ConfigError, Unavailable
from ..model.server import Database, Server
from .connect import driver

if TYPE_CHECKING:
    import psycopg

OLDEST = 130000                    # what an older server lacks was never tried

# Role 10 is the one initdb made (pg_authid.dat, BOOTSTRAP_SUPERUSERID).
_FACTS = """
SELECT current_setting('server_version_num')::int, current_setting('server_version'), pg_is_in_recovery(),
       current_user::text, coalesce((SELECT rolsuper FROM pg_roles WHERE rolname = current_user), false),
       (SELECT rolname::text FROM pg_roles WHERE oid = 10),
       ARRAY(SELECT spcname::text FROM pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global') ORDER BY spcname)
"""

# -2 marks a database whose DROP was interrupted; it takes no connections (DATCONNLIMIT_INVALID_DB, pg_database.h).
# A size may be asked by whoever may connect or read all statistics (functions-admin.html, pg_database_size).
_DATABASES = """
SELECT datname::text,
       CASE WHEN has_database_privilege(oid, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'USAGE')
            THEN coalesce(pg_database_size(oid), 0) ELSE 0 END,
       datallowconn AND datconnlimit <> -2, datistemplate, pg_encoding_to_char(encoding)::text,
       coalesce(datcollate::text, ''), coalesce(datctype::text, ''), {provider}
  FROM pg_database ORDER BY datname
"""

# From which version on a database's locale has which columns (the chapters pg_database of each manual).
_PROVIDERS = (
    (170000, "datlocprovider::text, coalesce(datlocale::text, ''), coalesce(daticurules::text, '')"),
    (160000, "datlocprovider::text, coalesce(daticulocale::text, ''), coalesce(daticurules::text, '')"),
    (150000, "datlocprovider::text, coalesce(daticulocale::text, ''), ''"),
    (0, "'c', '', ''"),
)


def ask_server(session: psycopg.Connection[tuple[Any, ...]]) -> Server:
    """Return the facts of the server behind a session that open_maintenance made.

    Databases that take no connections are listed too, so that a set can say that it lacks them. A size that
    may not be asked is 0. Raises ConfigError for a server that is too old or hides its system identifier.
    """
    facts = session.execute(_FACTS).fetchone() or ()
    number, version, recovering, user, is_superuser, bootstrap, tablespaces = facts
    if number < OLDEST:
        raise ConfigError(f"server version {version} is older than {OLDEST // 10000}, the oldest supported",
                          hint="Upgrade the server, or back it up with its own pg_dump.", code="server.too_old")
    return Server(version_num=number, version=version.split()[0], system_identifier=_identifier(session, user),
                  bootstrap_user=bootstrap, user=user, is_superuser=is_superuser, in_recovery=recovering,
                  databases=_databases(session), tablespaces=tuple(tablespaces))


def _identifier(session: psycopg.Connection[tuple[Any, ...]], user: str) -> str:
    try:
        row = session.execute("SELECT system_identifier::text FROM pg_control_system()").fetchone()
    except driver().errors.InsufficientPrivilege:
        raise ConfigError(f"user {user!r} may not ask for the server's system identifier",
                          hint="Run `GRANT EXECUTE ON FUNCTION pg_catalog.pg_control_system() TO "
                               f"{user};` in the maintenance database.", code="server.no_identifier") from None
    return str(row[0]) if row else ""


def _databases(session: psycopg.Connection[tuple[Any, ...]]) -> tuple[Database, ...]:
    errors = driver().errors
    number = session.info.server_version
    query = _DATABASES.format(provider=next(columns for since, columns in _PROVIDERS if number >= since))
    for _attempt in range(5):
        try:
            rows = session.execute(query.encode()).fetchall()
        except (errors.UndefinedDatabase, errors.UndefinedObject):
            continue                   # one was dropped while its size was asked
        return tuple(Database(*row) for row in rows)
    raise Unavailable("databases are dropped while they are listed", code="server.databases_moving",
                      hint="Run again when no databases are being dropped.")
