# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The inventory's queries for relations and what stands on them.

Each query returns (oid, subid, identity, definition, owner, grants, parents): the object's row in its catalogue, its
name as PostgreSQL quotes it, owner and grants where the kind has them, and the oids of the relations and types it
stands on. Nothing in a definition may change with a faithful restore: no oids, no column numbers, no order that
pg_dump does not keep. The columns are those of the system catalogues' chapter of the manual (catalogs.html).
"""
from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One kind of object: how its catalogue is asked.

    volatile: PostgreSQL prints the definition of the present, not of the snapshot (ruleutils.c reads the caches).
    """

    name: str
    catalog: str
    sql: str
    volatile: bool = False


def listed(acl: str) -> str:
    """Return SQL that prints an acl: each grantee's privileges sorted, * for a grant option, and the grantor."""
    return f"""(
SELECT coalesce(string_agg(line, '; ' ORDER BY line), 'nobody') FROM (
  SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END || ': ' || string_agg(
         privilege_type || CASE WHEN is_grantable THEN '*' ELSE '' END, ', ' ORDER BY privilege_type) || ' by ' ||
         quote_ident(pg_get_userbyid(grantor)) AS line
    FROM aclexplode({acl}) GROUP BY grantee, grantor) AS g)"""


def grants(acl: str, kind: str, owner: str) -> str:
    """Return SQL that prints an acl, or NULL for one that gives what a new object of that kind and owner gives."""
    return f"CASE WHEN {acl} IS NOT NULL THEN nullif({listed(acl)}, {listed(f'acldefault({kind}, {owner})')}) END"


def options(column: str) -> str:
    """Return SQL that prints an array of name=value sorted."""
    return f"(SELECT string_agg(o, ', ' ORDER BY o) FROM unnest({column}) AS o)"


# what is digested; convert_to validates, and in a database without an encoding any byte is valid
_BYTES = "CASE getdatabaseencoding() WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END"


def hidden_options(column: str) -> str:
    """Return SQL that prints options with a digest in the place of each value, which may be a password."""
    return (f"(SELECT string_agg(split_part(o, '=', 1) || ' sha256:' || left(encode(sha256(convert_to(o, {_BYTES})),"
            f" 'hex'), 16), ', ' ORDER BY o) FROM unnest({column}) AS o)")


POPULATED = "populated"            # whether a materialized view was filled; pg_dump has it refreshed then
USER = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
NAME = "format('%I.%I', n.nspname, c.relname)"
_TABLE = "JOIN pg_class AS c ON c.oid = {of} JOIN pg_namespace AS n ON n.oid = c.relnamespace"
_ENABLED = "CASE {column} WHEN 'O' THEN '' WHEN 'D' THEN ' disabled' WHEN 'R' THEN ' on replica' ELSE ' always' END"


def relations(version: int) -> list[Kind]:
    """Return the kinds of relations, columns and everything that stands on a relation."""
    return [*_classes(), *_columns(version), *_on_relations(), *_links(version)]


def _classes() -> list[Kind]:
    table = f"""
SELECT c.oid, 0, {NAME}, concat_ws('; ',
       CASE c.relpersistence WHEN 'u' THEN 'unlogged' ELSE 'permanent' END,
       'partitioned by ' || pg_get_partkeydef(c.oid), 'of type ' || nullif(c.reloftype, 0)::regtype::text,
       'access method ' || quote_ident(a.amname),
       'server ' || quote_ident(s.srvname), 'options ' || {hidden_options('f.ftoptions')},
       'with ' || {options('c.reloptions')}, 'toast with ' || {options('t.reloptions')},
       CASE c.relreplident WHEN 'd' THEN NULL WHEN 'n' THEN 'replica identity nothing' WHEN 'f' THEN
            'replica identity full' ELSE 'replica identity ' || (SELECT quote_ident(x.relname) FROM pg_index AS i
            JOIN pg_class AS x ON x.oid = i.indexrelid WHERE i.indrelid = c.oid AND i.indisreplident) END,
       CASE WHEN c.relrowsecurity THEN 'row security' END, CASE WHEN c.relforcerowsecurity THEN 'forced' END,
       CASE WHEN NOT EXISTS (SELECT FROM pg_inherits AS h WHERE h.inhrelid = c.oid) OR c.relispartition THEN
            'columns ' || (SELECT string_agg(quote_ident(k.attname), ', ' ORDER BY k.attnum) FROM pg_attribute AS k
              WHERE k.attrelid = c.oid AND k.attnum > 0 AND NOT k.attisdropped) END),
       c.relowner, {grants('c.relacl', "'r'", 'c.relowner')}, ARRAY[c.oid]
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace LEFT JOIN pg_am AS a ON a.oid = c.relam
  LEFT JOIN pg_class AS t ON t.oid = c.reltoastrelid LEFT JOIN pg_foreign_table AS f ON f.ftrelid = c.oid
  LEFT JOIN pg_foreign_server AS s ON s.oid = f.ftserver
 WHERE {USER} AND c.relkind IN """
    view = f"""
SELECT c.oid, 0, {NAME}, concat_ws('; ', 'access method ' || quote_ident(a.amname),
       'with ' || {options('c.reloptions')}, pg_get_viewdef(c.oid)), c.relowner,
       {grants('c.relacl', "'r'", 'c.relowner')}, ARRAY[c.oid]
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace LEFT JOIN pg_am AS a ON a.oid = c.relam
 WHERE {USER} AND c.relkind = """
    sequence = f"""
SELECT c.oid, 0, {NAME}, concat_ws(' ', CASE c.relpersistence WHEN 'u' THEN 'unlogged' END,
       format_type(s.seqtypid, NULL), 'start', s.seqstart, 'increment', s.seqincrement, 'min', s.seqmin,
       'max', s.seqmax, 'cache', s.seqcache, CASE WHEN s.seqcycle THEN 'cycle' END), c.relowner,
       {grants('c.relacl', "'s'", 'c.relowner')}, ARRAY[c.oid] || ARRAY(
       SELECT d.refobjid FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
          AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'i' AND d.refobjsubid > 0)
  FROM pg_sequence AS s JOIN pg_class AS c ON c.oid = s.seqrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE {USER}"""
    return [Kind("table", "pg_class", table + "('r', 'p')"), Kind("foreign_table", "pg_class", table + "('f')"),
            Kind("view", "pg_class", view + "'v'", True), Kind("materialized_view", "pg_class", view + "'m'", True),
            Kind("sequence", "pg_class", sequence),
            Kind(POPULATED, "", f"""
SELECT c.oid, 0, {NAME}, CASE WHEN c.relispopulated THEN 'yes' ELSE 'no' END, NULL, NULL, ARRAY[c.oid]
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE {USER} AND c.relkind = 'm'""")]


def _columns(version: int) -> list[Kind]:
    compression = "'compression ' || nullif(a.attcompression::text, '')" if version >= 140000 else "NULL"
    return [Kind("column", "pg_class", f"""
SELECT a.attrelid, a.attnum, format('%I.%I.%I', n.nspname, c.relname, a.attname), concat_ws(' ',
       format_type(a.atttypid, a.atttypmod), CASE WHEN a.attcollation <> t.typcollation THEN 'collate ' ||
       a.attcollation::regcollation::text END, CASE WHEN a.attnotnull THEN 'not null' END,
       CASE a.attidentity WHEN 'a' THEN 'identity always' WHEN 'd' THEN 'identity by default' END,
       CASE a.attgenerated WHEN '' THEN 'default ' WHEN 's' THEN 'generated stored ' ELSE 'generated virtual ' END ||
       pg_get_expr(d.adbin, d.adrelid),
       CASE WHEN a.attstorage <> t.typstorage THEN 'storage ' || a.attstorage::text END, {compression},
       'statistics ' || nullif(a.attstattarget, -1), 'with ' || {options('a.attoptions')},
       'options ' || {hidden_options('a.attfdwoptions')}), NULL, {grants('a.attacl', "'c'", 'c.relowner')},
       ARRAY[c.oid]
  FROM pg_attribute AS a {_TABLE.format(of='a.attrelid')} JOIN pg_type AS t ON t.oid = a.atttypid
  LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE {USER} AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
  """, True)]


def _on_relations() -> list[Kind]:
    on = "format('%I on %I.%I', {name}, n.nspname, c.relname)"
    return [
        # pg_dump leaves invalid indexes out, but for those of partitioned tables (pg_dump.c, getIndexes).
        Kind("index", "pg_class", f"""
SELECT i.indexrelid, 0, format('%I.%I on %I.%I', n.nspname, x.relname, n.nspname, c.relname), concat_ws('; ',
       pg_get_indexdef(i.indexrelid), CASE WHEN i.indisclustered THEN 'clustered' END, (SELECT 'statistics ' ||
       string_agg(a.attnum || ': ' || a.attstattarget, ', ' ORDER BY a.attnum) FROM pg_attribute AS a
       WHERE a.attrelid = i.indexrelid AND a.attstattarget >= 0)), NULL, NULL, ARRAY[c.oid]
  FROM pg_index AS i {_TABLE.format(of='i.indrelid')} JOIN pg_class AS x ON x.oid = i.indexrelid
 WHERE {USER} AND (i.indisvalid OR c.relkind = 'p')""", True),
        # What a partition has from its parent's foreign key is made anew by ATTACH, and named anew.
        Kind("constraint", "pg_constraint", f"""
SELECT k.oid, 0, {on.format(name='k.conname')}, pg_get_constraintdef(k.oid), NULL, NULL, ARRAY[c.oid]
  FROM pg_constraint AS k {_TABLE.format(of='k.conrelid')}
 WHERE {USER} AND k.contype <> 't' AND (k.contype <> 'f' OR k.conparentid = 0)""", True),
        Kind("trigger", "pg_trigger", f"""
SELECT t.oid, 0, {on.format(name='t.tgname')}, pg_get_triggerdef(t.oid) || {_ENABLED.format(column='t.tgenabled')},
       NULL, NULL, ARRAY[c.oid]
  FROM pg_trigger AS t {_TABLE.format(of='t.tgrelid')}
 WHERE {USER} AND NOT t.tgisinternal""", True),
        Kind("rule", "pg_rewrite", f"""
SELECT r.oid, 0, {on.format(name='r.rulename')}, pg_get_ruledef(r.oid) || {_ENABLED.format(column='r.ev_enabled')},
       NULL, NULL, ARRAY[c.oid]
  FROM pg_rewrite AS r {_TABLE.format(of='r.ev_class')}
 WHERE {USER} AND r.rulename <> '_RETURN'""", True),
        Kind("policy", "pg_policy", f"""
SELECT p.oid, 0, {on.format(name='p.polname')}, concat_ws('; ', CASE WHEN p.polpermissive THEN 'permissive' ELSE
       'restrictive' END, 'for ' || p.polcmd::text, 'to ' || (SELECT string_agg(CASE u WHEN 0 THEN 'PUBLIC' ELSE
       quote_ident(pg_get_userbyid(u)) END, ', ' ORDER BY pg_get_userbyid(u)) FROM unnest(p.polroles) AS u),
       'using ' || pg_get_expr(p.polqual, p.polrelid), 'with check ' || pg_get_expr(p.polwithcheck, p.polrelid)),
       NULL, NULL, ARRAY[c.oid]
  FROM pg_policy AS p {_TABLE.format(of='p.polrelid')} WHERE {USER}""", True),
        Kind("statistics", "pg_statistic_ext", f"""
SELECT e.oid, 0, format('%I.%I on %I.%I', m.nspname, e.stxname, n.nspname, c.relname), concat_ws('; ',
       pg_get_statisticsobjdef(e.oid), 'target ' || nullif(e.stxstattarget, -1)), e.stxowner, NULL, ARRAY[c.oid]
  FROM pg_statistic_ext AS e {_TABLE.format(of='e.stxrelid')} JOIN pg_namespace AS m ON m.oid = e.stxnamespace
 WHERE {USER}""", True),
    ]


def _links(version: int) -> list[Kind]:
    """Return what joins two objects and is lost with either: pg_dump leaves it out if one of them is excluded."""
    columns = """
       (SELECT ' (' || string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname) || ')' FROM pg_attribute AS a
         WHERE a.attrelid = p.prrelid AND a.attnum = ANY (p.prattrs)), ' where ' || pg_get_expr(p.prqual, p.prrelid)
       """ if version >= 150000 else "''"
    links = [
        Kind("inheritance", "", f"""
SELECT c.oid, 0, format('of %I.%I on %I.%I', n.nspname, c.relname, m.nspname, p.relname), concat(CASE WHEN
       i.relkind IN ('i', 'I') THEN 'attached' WHEN c.relispartition THEN 'partition ' ELSE 'child' END,
       pg_get_expr(c.relpartbound, c.oid)), NULL, NULL, ARRAY[p.oid, c.oid, x.indrelid, y.indrelid]
  FROM pg_inherits AS h JOIN pg_class AS i ON i.oid = h.inhrelid {_TABLE.format(of='h.inhrelid')}
  JOIN pg_class AS p ON p.oid = h.inhparent JOIN pg_namespace AS m ON m.oid = p.relnamespace
  LEFT JOIN pg_index AS x ON x.indexrelid = c.oid LEFT JOIN pg_index AS y ON y.indexrelid = p.oid WHERE {USER}""",
             True),
        Kind("owned_sequence", "", f"""
SELECT c.oid, 0, {NAME}, format('by %I.%I.%I', m.nspname, p.relname, a.attname), NULL, NULL, ARRAY[c.oid, p.oid]
  FROM pg_depend AS d {_TABLE.format(of='d.objid')} JOIN pg_class AS p ON p.oid = d.refobjid
  JOIN pg_namespace AS m ON m.oid = p.relnamespace JOIN pg_attribute AS a ON a.attrelid = p.oid AND
       a.attnum = d.refobjsubid
 WHERE {USER} AND d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
   AND c.relkind = 'S'"""),
        Kind("publication_table", "", f"""
SELECT p.oid, 0, format('%I.%I in %I', n.nspname, c.relname, b.pubname), concat('published', {columns}), NULL, NULL,
       ARRAY[c.oid]
  FROM pg_publication_rel AS p JOIN pg_publication AS b ON b.oid = p.prpubid {_TABLE.format(of='p.prrelid')}
 WHERE {USER}""", True),
    ]
    if version >= 150000:
        links.append(Kind("publication_schema", "", """
SELECT p.oid, 0, format('%I in %I', n.nspname, b.pubname), 'published', NULL, NULL, ARRAY[]::oid[]
  FROM pg_publication_namespace AS p JOIN pg_publication AS b ON b.oid = p.pnpubid
  JOIN pg_namespace AS n ON n.oid = p.pnnspid"""))
    return links
