# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The inventory of what belongs to no database: roles, memberships, their settings, tablespaces, parameter grants."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .inventory_sql import grants, listed, options

if TYPE_CHECKING:
    import psycopg

_ROLE = "r.rolname !~ '^pg_'"
_NAME = "quote_ident(r.rolname)"

_ROLES = f"""
SELECT 'role ' || {_NAME}, concat_ws(' ', CASE WHEN rolsuper THEN 'superuser' END, CASE WHEN NOT rolinherit THEN
       'noinherit' END, CASE WHEN rolcreaterole THEN 'createrole' END, CASE WHEN rolcreatedb THEN 'createdb' END,
       CASE WHEN rolcanlogin THEN 'login' ELSE 'nologin' END, CASE WHEN rolreplication THEN 'replication' END, CASE
       WHEN rolbypassrls THEN 'bypassrls' END, 'connection limit ' || nullif(rolconnlimit, -1), 'valid until ' ||
       rolvaliduntil) FROM pg_roles AS r WHERE {_ROLE}
UNION ALL
SELECT 'comment role ' || {_NAME}, d.description FROM pg_shdescription AS d JOIN pg_roles AS r ON r.oid = d.objoid
 WHERE d.classoid = 'pg_authid'::regclass AND {_ROLE}
UNION ALL
SELECT 'label role ' || {_NAME}, string_agg(l.provider || ': ' || l.label, '; ' ORDER BY l.provider)
  FROM pg_shseclabel AS l JOIN pg_roles AS r ON r.oid = l.objoid
 WHERE l.classoid = 'pg_authid'::regclass AND {_ROLE} GROUP BY r.rolname
UNION ALL
SELECT 'role_setting ' || split_part(o, '=', 1) || ' on role ' || {_NAME}, substr(o, strpos(o, '=') + 1)
  FROM pg_db_role_setting AS s JOIN pg_roles AS r ON r.oid = s.setrole, unnest(s.setconfig) AS o
 WHERE s.setdatabase = 0 AND {_ROLE}
"""

# A SCRAM verifier is salted at random, so its digest gives nothing away; that of an md5 one would help to guess.
_PASSWORDS = f"""
SELECT 'role_password ' || {_NAME}, CASE WHEN rolpassword IS NULL THEN 'none' WHEN rolpassword ~ '^SCRAM' THEN
       'sha256:' || encode(sha256(convert_to(rolpassword, 'UTF8')), 'hex') ELSE 'md5' END
  FROM pg_authid AS r WHERE {_ROLE}
"""

_MEMBERS = f"""
SELECT format('membership %s in %I', {_NAME}, g.rolname) || {{grantor}}, concat_ws(' ', 'member', CASE WHEN
       m.admin_option THEN 'admin' END, {{options}})
  FROM pg_auth_members AS m JOIN pg_roles AS r ON r.oid = m.member JOIN pg_roles AS g ON g.oid = m.roleid
  LEFT JOIN pg_roles AS b ON b.oid = m.grantor WHERE {_ROLE}
"""

# The location is not compared: a server that is restored into has its own.
_TABLESPACES = f"""
SELECT 'tablespace ' || quote_ident(t.spcname), concat_ws('; ', 'owner ' || quote_ident(pg_get_userbyid(t.spcowner)),
       'with ' || {options('t.spcoptions')}, 'grants ' || {grants('t.spcacl', "'t'", 't.spcowner')})
  FROM pg_tablespace AS t WHERE t.spcname !~ '^pg_'
"""

_PARAMETERS = f"SELECT 'parameter_grants ' || p.parname, {listed('p.paracl')} FROM pg_parameter_acl AS p"


def take_globals(session: psycopg.Connection[tuple[Any, ...]]) -> dict[str, str]:
    """Return {"role app": "login", "membership app in readers granted by postgres": "member", …}.

    Passwords appear as digests, and not at all to a role that may not read them. Reads what pg_dumpall
    --globals-only writes (pg_dumpall.c); settings of ALTER ROLE ALL are not among that.
    """
    version = session.info.server_version
    granted = ("CASE WHEN m.inherit_option THEN 'inherit' END, CASE WHEN m.set_option THEN 'set' END"
               if version >= 160000 else "NULL")
    # Before version 16 the grantor of a membership meant nothing and could be a role that is gone.
    grantor = "' granted by ' || quote_ident(b.rolname)" if version >= 160000 else "''"
    queries = [_ROLES, _MEMBERS.format(options=granted, grantor=grantor), _TABLESPACES]
    if version >= 150000:
        queries.append(_PARAMETERS)
    readable = session.execute("SELECT has_table_privilege('pg_authid', 'SELECT')").fetchone()
    if readable and readable[0]:
        queries.append(_PASSWORDS)
    return {key: text for sql in queries for key, text in session.execute(sql).fetchall()}
