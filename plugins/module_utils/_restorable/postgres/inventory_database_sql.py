# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The inventory's queries for what belongs to a whole database; columns as in inventory_sql."""
from __future__ import annotations

from .inventory_sql import Kind, grants, hidden_options, listed

THIS = "current"                   # the name of the database itself, which a restore may change
_NONE = "NULL, NULL, ARRAY[]::oid[]"
_OURS = "{of} >= 16384"            # FirstNormalObjectId (transam.h): below it, initdb made it


def database_objects(version: int, superuser: bool) -> list[Kind]:
    """Return the kinds that have no schema; subscriptions are for superusers, in pg_dump as here."""
    return [*_database(version), *_extensions(), *_foreign(), *_languages(), *_events(version),
            *(_subscriptions() if superuser else [])]


def _database(version: int) -> list[Kind]:
    provider = "concat_ws(' ', 'provider', d.datlocprovider, {locale})" if version >= 150000 else "NULL"
    provider = provider.format(locale="d.datlocale" if version >= 170000 else "d.daticulocale")
    kinds = [
        Kind("database", "pg_database", f"""
SELECT d.oid, 0, '{THIS}', concat_ws('; ', 'encoding ' || pg_encoding_to_char(d.encoding), 'collate ' || d.datcollate,
       'ctype ' || d.datctype, {provider}, 'connection limit ' || nullif(d.datconnlimit, -1), CASE WHEN d.datistemplate
       THEN 'template' END), d.datdba, {grants('d.datacl', "'d'", 'd.datdba')}, ARRAY[]::oid[]
  FROM pg_database AS d WHERE d.datname = current_database()"""),
        Kind("database_setting", "", f"""
SELECT 0, 0, split_part(o, '=', 1) || CASE s.setrole WHEN 0 THEN '' ELSE ' of role ' ||
       quote_ident(pg_get_userbyid(s.setrole)) END, substr(o, strpos(o, '=') + 1), {_NONE}
  FROM pg_db_role_setting AS s JOIN pg_database AS d ON d.oid = s.setdatabase, unnest(s.setconfig) AS o
 WHERE d.datname = current_database()"""),
        Kind("default_privileges", "pg_default_acl", f"""
SELECT a.oid, 0, concat_ws(' ', 'of', quote_ident(pg_get_userbyid(a.defaclrole)), 'for', CASE a.defaclobjtype WHEN 'r'
       THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas'
       ELSE a.defaclobjtype::text END, 'in ' || quote_ident(n.nspname)), {listed('a.defaclacl')}, {_NONE}
  FROM pg_default_acl AS a LEFT JOIN pg_namespace AS n ON n.oid = a.defaclnamespace"""),
    ]
    if version >= 150000:
        kinds.append(Kind("collation_version", "", f"""
SELECT 0, 0, '{THIS}', d.datcollversion, {_NONE} FROM pg_database AS d
 WHERE d.datname = current_database() AND d.datcollversion IS NOT NULL"""))
    return kinds


def _extensions() -> list[Kind]:
    return [
        Kind("extension", "pg_extension", f"""
SELECT e.oid, 0, quote_ident(e.extname), 'in schema ' || quote_ident(n.nspname), {_NONE}
  FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace"""),
        Kind("extension_version", "", f"""
SELECT e.oid, 0, quote_ident(e.extname), e.extversion, {_NONE} FROM pg_extension AS e"""),
        Kind("system_grants", "", _system("pg_class", "rel", "'r'", "c.oid::regclass", "c.relkind NOT IN ('S', 'c')")),
        Kind("system_grants", "", _system("pg_class", "rel", "'s'", "c.oid::regclass", "c.relkind = 'S'")),
        Kind("system_grants", "", _system("pg_proc", "pro", "'f'", "c.oid::regprocedure", "true")),
    ]


def _system(catalog: str, short: str, kind: str, name: str, where: str) -> str:
    """Return the query of what was granted on the system's and extensions' own objects since they were made.

    What initdb and CREATE EXTENSION granted is in pg_init_privs; pg_dump writes what differs from that, and nothing
    of information_schema (pg_dump.c, selectDumpableNamespace).
    """
    acl, owner = f"c.{short}acl", f"c.{short}owner"
    return f"""
SELECT 0, 0, {name}::text, {listed(acl)}, {_NONE}
  FROM {catalog} AS c LEFT JOIN pg_init_privs AS i ON i.objoid = c.oid AND i.classoid = '{catalog}'::regclass
       AND i.objsubid = 0
 WHERE {where} AND {acl} IS NOT NULL AND (c.{short}namespace = 'pg_catalog'::regnamespace OR c.oid IN (
       SELECT d.objid FROM pg_depend AS d WHERE d.classid = '{catalog}'::regclass AND d.deptype = 'e'))
   AND {listed(acl)} <> {listed(f'coalesce(i.initprivs, acldefault({kind}, {owner}))')}"""


def _foreign() -> list[Kind]:
    return [
        Kind("foreign_data_wrapper", "pg_foreign_data_wrapper", f"""
SELECT w.oid, 0, quote_ident(w.fdwname), concat_ws(' ', 'handler', w.fdwhandler::regproc, 'validator',
       w.fdwvalidator::regproc, {hidden_options('w.fdwoptions')}), w.fdwowner,
       {grants('w.fdwacl', "'F'", 'w.fdwowner')}, ARRAY[]::oid[]
  FROM pg_foreign_data_wrapper AS w WHERE {_OURS.format(of='w.oid')}"""),
        Kind("foreign_server", "pg_foreign_server", f"""
SELECT s.oid, 0, quote_ident(s.srvname), concat_ws(' ', 'wrapper', quote_ident(w.fdwname), 'type ' || s.srvtype,
       'version ' || s.srvversion, {hidden_options('s.srvoptions')}), s.srvowner,
       {grants('s.srvacl', "'S'", 's.srvowner')}, ARRAY[]::oid[]
  FROM pg_foreign_server AS s JOIN pg_foreign_data_wrapper AS w ON w.oid = s.srvfdw
 WHERE {_OURS.format(of='s.oid')}"""),
        Kind("user_mapping", "", f"""
SELECT m.umid, 0, format('%s on %I', CASE m.umuser WHEN 0 THEN 'PUBLIC' ELSE quote_ident(m.usename) END, m.srvname),
       concat_ws(' ', 'mapping', {hidden_options('m.umoptions')}), {_NONE} FROM pg_user_mappings AS m"""),
    ]


def _languages() -> list[Kind]:
    return [
        Kind("language", "pg_language", f"""
SELECT l.oid, 0, quote_ident(l.lanname), concat_ws(' ', l.lanplcallfoid::regproc, l.laninline::regproc,
       l.lanvalidator::regproc, CASE WHEN l.lanpltrusted THEN 'trusted' END), l.lanowner,
       {grants('l.lanacl', "'l'", 'l.lanowner')}, ARRAY[]::oid[]
  FROM pg_language AS l WHERE {_OURS.format(of='l.oid')}"""),
        Kind("transform", "pg_transform", f"""
SELECT t.oid, 0, format('for %s language %I', t.trftype::regtype, l.lanname), concat_ws(' ', 'from',
       t.trffromsql::regprocedure, 'to', t.trftosql::regprocedure), {_NONE}
  FROM pg_transform AS t JOIN pg_language AS l ON l.oid = t.trflang WHERE {_OURS.format(of='t.oid')}"""),
        Kind("cast", "pg_cast", f"""
SELECT c.oid, 0, format('(%s AS %s)', format_type(c.castsource, NULL), format_type(c.casttarget, NULL)),
       concat_ws(' ', c.castmethod, c.castcontext, nullif(c.castfunc, 0)::regprocedure), {_NONE}
  FROM pg_cast AS c WHERE {_OURS.format(of='c.oid')}"""),
        Kind("access_method", "pg_am", f"""
SELECT a.oid, 0, quote_ident(a.amname), concat_ws(' ', a.amtype, a.amhandler), {_NONE}
  FROM pg_am AS a WHERE {_OURS.format(of='a.oid')}"""),
    ]


def _events(version: int) -> list[Kind]:
    generated = "'generated ' || nullif(p.pubgencols::text, 'n')" if version >= 180000 else "NULL"
    return [
        Kind("event_trigger", "pg_event_trigger", """
SELECT e.oid, 0, quote_ident(e.evtname), concat_ws(' ', 'on', e.evtevent, 'tags', (SELECT string_agg(t, ', ' ORDER BY
       t) FROM unnest(e.evttags) AS t), 'does', e.evtfoid::regprocedure, CASE e.evtenabled WHEN 'O' THEN NULL WHEN 'D'
       THEN 'disabled' WHEN 'R' THEN 'on replica' ELSE 'always' END), e.evtowner, NULL, ARRAY[]::oid[]
  FROM pg_event_trigger AS e"""),
        Kind("publication", "pg_publication", f"""
SELECT p.oid, 0, quote_ident(p.pubname), concat_ws(' ', CASE WHEN p.puballtables THEN 'all tables' END, CASE WHEN
       p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END, CASE WHEN p.pubdelete THEN 'delete' END,
       CASE WHEN p.pubtruncate THEN 'truncate' END, CASE WHEN p.pubviaroot THEN 'via root' END, {generated}),
       p.pubowner, NULL, ARRAY[]::oid[]
  FROM pg_publication AS p"""),
    ]


def _subscriptions() -> list[Kind]:
    return [Kind("subscription", "pg_subscription", """
SELECT s.oid, 0, quote_ident(s.subname), 'of ' || (SELECT string_agg(quote_ident(p), ', ' ORDER BY p)
       FROM unnest(s.subpublications) AS p), s.subowner, NULL, ARRAY[]::oid[]
  FROM pg_subscription AS s JOIN pg_database AS d ON d.oid = s.subdbid WHERE d.datname = current_database()""")]


def large_object_objects() -> list[Kind]:
    """Return the kind of large objects, whose owners, grants and comments are part of the structure."""
    return [Kind("large_object", "pg_largeobject", f"""
SELECT m.oid, 0, m.oid::text, 'large object', m.lomowner, {grants('m.lomacl', "'L'", 'm.lomowner')}, ARRAY[]::oid[]
  FROM pg_largeobject_metadata AS m""")]


def large_object_summary() -> str:
    """Return the query that folds owners and grants of all large objects into one text, where they are many."""
    return f"""
SELECT 'owners and grants ' || coalesce(sum(hashtextextended(concat_ws(' ', m.oid, pg_get_userbyid(m.lomowner),
       {grants('m.lomacl', "'L'", 'm.lomowner')}), 0)), 0) FROM pg_largeobject_metadata AS m"""
