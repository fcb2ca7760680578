# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Know whether the definitions that nobody can lock are still those of the snapshot.

PostgreSQL prints functions, views, domain checks and statistics as they are now, whatever snapshot asks (ruleutils.c).
pg_dump of a function that was dropped or replaced since its snapshot ends with status 0 and an archive that mixes both
moments, or that no server can restore (measured with 16). pg_dump reads all definitions before it writes its first
byte, so what has not moved by then is whole. A role that was dropped since is printed as its number in the privileges
that the snapshot still shows (acl.c, aclitemout).
"""
from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Callable, Collection, Iterator

from ..errors import RestorableError, Unavailable
from .connect import open_database
from .parameters import Connection

if TYPE_CHECKING:
    import psycopg

POLL = 0.02                        # seconds between two looks into the folder of a directory dump

# xmin tells a row that was replaced. FirstNormalObjectId is 16384; what comes with the server does not move.
_DEFINITIONS = """
SELECT 'function', p.oid, p.xmin::text, format('%I.%I', n.nspname, p.proname)
  FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE p.oid >= 16384 AND n.nspname !~ '^pg_temp'
UNION ALL SELECT 'view', r.oid, r.xmin::text, format('%I.%I', n.nspname, c.relname)
  FROM pg_rewrite AS r JOIN pg_class AS c ON c.oid = r.ev_class JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE r.oid >= 16384 AND c.relpersistence <> 't'
UNION ALL SELECT 'domain check', oid, xmin::text, quote_ident(conname)
  FROM pg_constraint WHERE contypid <> 0 AND oid >= 16384
UNION ALL SELECT 'statistics', oid, xmin::text, quote_ident(stxname) FROM pg_statistic_ext WHERE oid >= 16384
"""
_ROLES = "SELECT quote_ident(rolname) FROM pg_roles"


class Definitions:
    """The definitions of a snapshot, read in its own transaction."""

    def __init__(self, holder: psycopg.Connection[tuple[Any, ...]], connection: Connection, database: str,
                 roles: Collection[str]) -> None:
        self._connection, self._database, self._roles = connection, database, roles
        self._then = set(holder.execute(_DEFINITIONS).fetchall())

    def check(self) -> None:
        """Raise Unavailable("dump.moving") if one of them, or a role that the database names, was dropped or replaced.

        Any thread may call it.
        """
        if not self._then and not self._roles:
            return
        with open_database(self._connection, self._database) as session:
            moved = self._then.difference(session.execute(_DEFINITIONS).fetchall())
            gone = set(self._roles).difference(name for (name,) in session.execute(_ROLES))
        moved.update(("role", 0, "", name) for name in gone)
        if moved:
            kind, _oid, _xmin, name = min(moved)
            more = f" and {len(moved) - 1} more definitions" if len(moved) > 1 else ""
            raise Unavailable(f"{kind} {name}{more} changed just as the dump began", code="dump.moving",
                              hint="Run again when whoever changes it is done.")


@contextmanager
def at_first_file(folder: str, check: Callable[[], None]) -> Iterator[None]:
    """Run check beside the block as soon as a file lies in folder, or when the block ends; raise what it raised."""
    over = threading.Event()
    found: list[RestorableError] = []

    def watch() -> None:
        while not over.wait(POLL):
            if os.path.isdir(folder) and os.listdir(folder):
                break
        try:
            check()
        except RestorableError as error:
            found.append(error)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    if found:
        raise found[0]
