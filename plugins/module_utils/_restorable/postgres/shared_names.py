# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The roles and tablespaces that a dump of one database names, as its snapshot shows them.

They belong to the whole server, so they can be gone before the globals are dumped. Owners, privileges, policies and
default privileges are in pg_shdepend (dependency.c, recordDependencyOnOwner and updateAclDependencies), settings of
a role in one database are not.
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..model.server import SharedNames

if TYPE_CHECKING:
    import psycopg

_ROLES = """
WITH here AS (SELECT oid FROM pg_database WHERE datname = current_database())
SELECT quote_ident(r.rolname) FROM pg_roles AS r
 WHERE r.rolname !~ '^pg_' AND (r.oid IN (
       SELECT d.refobjid FROM pg_shdepend AS d, here WHERE d.refclassid = 'pg_authid'::regclass
          AND (d.dbid = here.oid OR d.dbid = 0 AND d.classid = 'pg_database'::regclass AND d.objid = here.oid))
    OR r.oid IN (SELECT s.setrole FROM pg_db_role_setting AS s, here WHERE s.setdatabase = here.oid)
    OR r.oid IN (SELECT d.datdba FROM pg_database AS d, here WHERE d.oid = here.oid))
"""

_TABLESPACES = """
SELECT quote_ident(t.spcname) FROM pg_tablespace AS t
 WHERE t.spcname !~ '^pg_' AND (t.oid IN (SELECT reltablespace FROM pg_class)
    OR t.oid IN (SELECT dattablespace FROM pg_database WHERE datname = current_database()))
"""


def shared_names(session: psycopg.Connection[tuple[Any, ...]]) -> SharedNames:
    """Return what the session's database names of the server's roles and tablespaces, quoted as SQL wants it."""
    roles, tablespaces = ([name for (name,) in session.execute(sql)] for sql in (_ROLES, _TABLESPACES))
    return SharedNames(frozenset(roles), frozenset(tablespaces))
