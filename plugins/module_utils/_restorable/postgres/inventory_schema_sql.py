# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The inventory's queries for schemas, types, functions, operators and text search; columns as in inventory_sql."""
from __future__ import annotations

from .inventory_sql import USER, Kind, grants

_SPACE = "JOIN pg_namespace AS n ON n.oid = {of}"
_NOT_ARRAY = "NOT EXISTS (SELECT FROM pg_type AS e WHERE e.typarray = t.oid)"


def schema_objects(version: int) -> list[Kind]:
    """Return the kinds that live in schemas and are no relations, and schemas themselves."""
    return [*_schemas(), *_types(version), *_routines(), *_operators(), *_locales(version), *_text_search()]


def _schemas() -> list[Kind]:
    return [Kind("schema", "pg_namespace", f"""
SELECT n.oid, 0, quote_ident(n.nspname), 'schema', n.nspowner, {grants('n.nspacl', "'n'", 'n.nspowner')}, ARRAY[]::oid[]
  FROM pg_namespace AS n WHERE {USER}""")]


def _types(version: int) -> list[Kind]:
    multirange = "'multirange ' || nullif(r.rngmultitypid, 0)::regtype::text" if version >= 140000 else "NULL"
    name = "format('%I.%I', n.nspname, t.typname)"
    rest = f"t.typowner, {grants('t.typacl', chr(39) + 'T' + chr(39), 't.typowner')}, ARRAY[]::oid[]"
    collation = "CASE WHEN {of} NOT IN (0, {default}) THEN 'collate ' || {of}::regcollation::text END"
    domain = collation.format(of="t.typcollation", default="b.typcollation")
    attribute = collation.format(of="a.attcollation", default="b.typcollation")
    return [
        Kind("type", "pg_type", f"""
SELECT t.oid, 0, {name}, CASE WHEN NOT t.typisdefined THEN 'shell' WHEN t.typtype = 'e' THEN 'enum ' ||
       coalesce((SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum AS e
       WHERE e.enumtypid = t.oid), '') WHEN t.typtype = 'c' THEN 'composite ' || coalesce((SELECT string_agg(
       quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute AS a WHERE a.attrelid = t.typrelid
       AND NOT a.attisdropped), '') ELSE concat_ws(' ', 'base', t.typinput::regproc, t.typoutput::regproc,
       t.typreceive::regproc, t.typsend::regproc, t.typmodin::regproc, t.typmodout::regproc, t.typanalyze::regproc,
       t.typlen, t.typbyval, t.typalign, t.typstorage, t.typcategory, t.typispreferred, t.typdelim, t.typdefault,
       t.typcollation) END, {rest}
  FROM pg_type AS t {_SPACE.format(of='t.typnamespace')} LEFT JOIN pg_class AS c ON c.oid = t.typrelid
 WHERE {USER} AND {_NOT_ARRAY} AND (t.typtype IN ('e', 'b') OR NOT t.typisdefined OR t.typtype = 'c'
   AND c.relkind = 'c')""", True),
        Kind("type", "pg_type", f"""
SELECT t.oid, 0, {name}, concat_ws(' ', 'range of', format_type(r.rngsubtype, NULL), 'operator class', (SELECT
       quote_ident(o.opcname) FROM pg_opclass AS o WHERE o.oid = r.rngsubopc), 'collate ' ||
       nullif(r.rngcollation, 0)::regcollation::text, 'canonical', r.rngcanonical, 'difference', r.rngsubdiff,
       {multirange}), {rest}
  FROM pg_range AS r JOIN pg_type AS t ON t.oid = r.rngtypid {_SPACE.format(of='t.typnamespace')} WHERE {USER}"""),
        Kind("domain", "pg_type", f"""
SELECT t.oid, 0, {name}, concat_ws(' ', format_type(t.typbasetype, t.typtypmod), {domain}, CASE WHEN t.typnotnull THEN
       'not null' END, 'default ' || coalesce(pg_get_expr(t.typdefaultbin, 0), t.typdefault)), {rest}
  FROM pg_type AS t {_SPACE.format(of='t.typnamespace')} JOIN pg_type AS b ON b.oid = t.typbasetype
 WHERE {USER} AND t.typtype = 'd'""", True),
        Kind("constraint", "pg_constraint", f"""
SELECT k.oid, 0, format('%I on %I.%I', k.conname, n.nspname, t.typname), pg_get_constraintdef(k.oid), NULL, NULL,
       ARRAY[t.oid]
  FROM pg_constraint AS k JOIN pg_type AS t ON t.oid = k.contypid {_SPACE.format(of='t.typnamespace')}
 WHERE {USER}""", True),
        Kind("attribute", "pg_class", f"""
SELECT a.attrelid, a.attnum, format('%I.%I.%I', n.nspname, t.typname, a.attname), concat_ws(' ',
       format_type(a.atttypid, a.atttypmod), {attribute}), NULL, NULL, ARRAY[t.oid]
  FROM pg_type AS t {_SPACE.format(of='t.typnamespace')} JOIN pg_class AS c ON c.oid = t.typrelid
  JOIN pg_attribute AS a ON a.attrelid = c.oid JOIN pg_type AS b ON b.oid = a.atttypid
 WHERE {USER} AND c.relkind = 'c' AND NOT a.attisdropped"""),
    ]


def _routines() -> list[Kind]:
    rest = f"p.proowner, {grants('p.proacl', chr(39) + 'f' + chr(39), 'p.proowner')}, ARRAY[]::oid[]"
    source = f"FROM pg_proc AS p {_SPACE.format(of='p.pronamespace')} WHERE {USER} AND p.prokind"
    return [
        Kind("function", "pg_proc", f"SELECT p.oid, 0, p.oid::regprocedure::text, pg_get_functiondef(p.oid), {rest}"
                                    f" {source} IN ('f', 'w')", True),
        Kind("procedure", "pg_proc", f"SELECT p.oid, 0, p.oid::regprocedure::text, pg_get_functiondef(p.oid), {rest}"
                                     f" {source} = 'p'", True),
        Kind("aggregate", "pg_proc", f"""
SELECT p.oid, 0, p.oid::regprocedure::text, (SELECT concat_ws(' ', pg_get_function_result(p.oid), p.provolatile,
       p.proparallel, a.aggkind, a.aggnumdirectargs, a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn,
       a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn, a.aggfinalextra, a.aggmfinalextra,
       a.aggfinalmodify, a.aggmfinalmodify, a.aggsortop::regoperator, a.aggtranstype::regtype, a.aggtransspace,
       a.aggmtranstype::regtype, a.aggmtransspace, quote_nullable(a.agginitval), quote_nullable(a.aggminitval))
       FROM pg_aggregate AS a WHERE a.aggfnoid = p.oid), {rest} {source} = 'a'"""),
    ]


def _operators() -> list[Kind]:
    return [
        Kind("operator", "pg_operator", f"""
SELECT o.oid, 0, o.oid::regoperator::text, concat_ws(' ', o.oprcode, 'commutator', nullif(o.oprcom, 0)::regoperator,
       'negator', nullif(o.oprnegate, 0)::regoperator, 'restrict', o.oprrest, 'join', o.oprjoin, CASE WHEN
       o.oprcanmerge THEN 'merges' END, CASE WHEN o.oprcanhash THEN 'hashes' END), o.oprowner, NULL, ARRAY[]::oid[]
  FROM pg_operator AS o {_SPACE.format(of='o.oprnamespace')} WHERE {USER} AND o.oprcode <> 0"""),
        Kind("operator_class", "pg_opclass", f"""
SELECT o.oid, 0, format('%I.%I using %I', n.nspname, o.opcname, a.amname), concat_ws(' ', o.opcintype::regtype,
       'keys', nullif(o.opckeytype, 0)::regtype, 'family', (SELECT format('%I.%I', m.nspname, f.opfname)
       FROM pg_opfamily AS f JOIN pg_namespace AS m ON m.oid = f.opfnamespace WHERE f.oid = o.opcfamily),
       CASE WHEN o.opcdefault THEN 'default' END), o.opcowner, NULL, ARRAY[]::oid[]
  FROM pg_opclass AS o {_SPACE.format(of='o.opcnamespace')} JOIN pg_am AS a ON a.oid = o.opcmethod WHERE {USER}"""),
        Kind("operator_family", "pg_opfamily", f"""
SELECT f.oid, 0, format('%I.%I using %I', n.nspname, f.opfname, a.amname), concat_ws('; ', (SELECT string_agg(format(
       'operator %s %s %s', o.amopstrategy, o.amopopr::regoperator, o.amopsortfamily <> 0), ', ' ORDER BY
       o.amopstrategy, o.amopopr::regoperator::text) FROM pg_amop AS o WHERE o.amopfamily = f.oid), (SELECT string_agg(
       format('function %s (%s, %s) %s', r.amprocnum, r.amproclefttype::regtype, r.amprocrighttype::regtype,
       r.amproc::regprocedure), ', ' ORDER BY r.amprocnum, r.amproc::regprocedure::text,
       r.amproclefttype::regtype::text, r.amprocrighttype::regtype::text)
       FROM pg_amproc AS r WHERE r.amprocfamily = f.oid)), f.opfowner, NULL, ARRAY[]::oid[]
  FROM pg_opfamily AS f {_SPACE.format(of='f.opfnamespace')} JOIN pg_am AS a ON a.oid = f.opfmethod WHERE {USER}"""),
    ]


def _locales(version: int) -> list[Kind]:
    locale = "NULL" if version < 150000 else "c.colliculocale" if version < 170000 else "c.colllocale"
    rules = "c.collicurules" if version >= 160000 else "NULL"
    name = "format('%I.%I', n.nspname, c.collname)"
    return [
        Kind("collation", "pg_collation", f"""
SELECT c.oid, 0, {name}, concat_ws(' ', 'provider', c.collprovider, c.collcollate, c.collctype, {locale}, {rules},
       CASE WHEN NOT c.collisdeterministic THEN 'nondeterministic' END), c.collowner, NULL, ARRAY[]::oid[]
  FROM pg_collation AS c {_SPACE.format(of='c.collnamespace')} WHERE {USER}"""),
        Kind("collation_version", "", f"""
SELECT c.oid, 0, {name}, c.collversion, NULL, NULL, ARRAY[]::oid[]
  FROM pg_collation AS c {_SPACE.format(of='c.collnamespace')} WHERE {USER} AND c.collversion IS NOT NULL"""),
        Kind("conversion", "pg_conversion", f"""
SELECT c.oid, 0, format('%I.%I', n.nspname, c.conname), concat_ws(' ', pg_encoding_to_char(c.conforencoding), 'to',
       pg_encoding_to_char(c.contoencoding), 'by', c.conproc, CASE WHEN c.condefault THEN 'default' END), c.conowner,
       NULL, ARRAY[]::oid[]
  FROM pg_conversion AS c {_SPACE.format(of='c.connamespace')} WHERE {USER}"""),
    ]


def _text_search() -> list[Kind]:
    name = "format('%I.%I', n.nspname, {})"
    parser = """(SELECT format('%I.%I', m.nspname, p.prsname) FROM pg_ts_parser AS p
       JOIN pg_namespace AS m ON m.oid = p.prsnamespace WHERE p.oid = c.cfgparser)"""
    template = """(SELECT format('%I.%I', m.nspname, p.tmplname) FROM pg_ts_template AS p
       JOIN pg_namespace AS m ON m.oid = p.tmplnamespace WHERE p.oid = d.dicttemplate)"""
    return [
        Kind("text_search_parser", "pg_ts_parser", f"""
SELECT p.oid, 0, {name.format('p.prsname')}, concat_ws(' ', p.prsstart, p.prstoken, p.prsend, p.prsheadline,
       p.prslextype), NULL, NULL, ARRAY[]::oid[]
  FROM pg_ts_parser AS p {_SPACE.format(of='p.prsnamespace')} WHERE {USER}"""),
        Kind("text_search_template", "pg_ts_template", f"""
SELECT p.oid, 0, {name.format('p.tmplname')}, concat_ws(' ', p.tmplinit, p.tmpllexize), NULL, NULL, ARRAY[]::oid[]
  FROM pg_ts_template AS p {_SPACE.format(of='p.tmplnamespace')} WHERE {USER}"""),
        Kind("text_search_dictionary", "pg_ts_dict", f"""
SELECT d.oid, 0, {name.format('d.dictname')}, concat_ws(' ', {template}, d.dictinitoption), d.dictowner, NULL,
       ARRAY[]::oid[]
  FROM pg_ts_dict AS d {_SPACE.format(of='d.dictnamespace')} WHERE {USER}"""),
        Kind("text_search_configuration", "pg_ts_config", f"""
SELECT c.oid, 0, {name.format('c.cfgname')}, concat_ws('; ', {parser}, (SELECT string_agg(format('%s: %s', t.alias,
       m.mapdict::regdictionary), ', ' ORDER BY t.alias, m.mapseqno) FROM pg_ts_config_map AS m JOIN
       ts_token_type(c.cfgparser) AS t ON t.tokid = m.maptokentype WHERE m.mapcfg = c.oid)), c.cfgowner, NULL,
       ARRAY[]::oid[]
  FROM pg_ts_config AS c {_SPACE.format(of='c.cfgnamespace')} WHERE {USER}"""),
    ]
