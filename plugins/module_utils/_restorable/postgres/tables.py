# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Which relations a dump holds, and how a row of each becomes a number."""
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Iterable, NamedTuple, Sequence

from ..model.server import Selection
from .patterns import matching_tables

if TYPE_CHECKING:
    import psycopg

# pg_dump.c: selectDumpableNamespace leaves the system's schemas out, processExtensionTables dumps an extension's
# configuration tables, with a filter where the extension gives one. FirstNormalObjectId is 16384.
_RELATIONS = """
WITH config AS (
  SELECT x.oid, x.condition FROM pg_extension AS e, unnest(e.extconfig, e.extcondition) AS x (oid, condition)
), member AS (
  SELECT objid AS oid FROM pg_depend WHERE classid = 'pg_class'::regclass AND deptype = 'e'
)
SELECT c.oid, format('%I.%I', n.nspname, c.relname), c.relkind::text, n.nspname ~ '^pg_' OR
       n.nspname = 'information_schema', member.oid IS NOT NULL, config.condition, own.refobjid,
       c.relpersistence = 'u' AND pg_is_in_recovery()
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN member ON member.oid = c.oid LEFT JOIN config ON config.oid = c.oid
  LEFT JOIN pg_depend AS own ON own.classid = 'pg_class'::regclass AND own.objid = c.oid AND own.objsubid = 0
       AND own.refclassid = 'pg_class'::regclass AND own.deptype = 'i' AND own.refobjsubid > 0 AND c.relkind = 'S'
 WHERE c.relkind IN ('r', 'p', 'f', 'm', 'v', 'S') AND c.relpersistence <> 't'
   AND (n.nspname !~ '^pg_' OR n.nspname = 'pg_catalog') AND (c.oid >= 16384 OR n.nspname !~ '^(pg_|information_)')
 ORDER BY 2
"""

# Types whose hash follows from the value alone. Not among them, on purpose: what hashes its catalogue number, which a
# restore changes (enums, reg*, aclitem), what calls different values equal (interval: 1 mon = 30 days, citext,
# nondeterministic collations) and all types of extensions, whose hash functions are not ours to run.
_PLAIN = """
bool bytea char name int2 int4 int8 text oid float4 float8 numeric date time timetz timestamp timestamptz uuid bpchar
varchar inet cidr macaddr macaddr8 jsonb pg_lsn xid8 int4range int8range numrange daterange tsrange tstzrange
int4multirange int8multirange nummultirange datemultirange tsmultirange tstzmultirange
"""

# Of the commonest of them the function is called by its name, which costs a third less than a record of them does. A
# fixed list: what is hashed by name must not depend on the server's version, or one version's dump would seem to
# differ from what another restored. All are there since 11 (hashfunc.c and the types' own files).
_BY_NAME = {
    "int2": "hashint2extended", "int4": "hashint4extended", "int8": "hashint8extended", "float8": "hashfloat8extended",
    "numeric": "hash_numeric_extended", "text": "hashtextextended", "varchar": "hashtextextended",
    "bpchar": "hashbpcharextended", "uuid": "uuid_hash_extended", "timestamp": "timestamp_hash_extended",
    "jsonb": "jsonb_hash_extended",
}

# By name, since a child table's columns may change their order with a restore. A stored generated column belongs to it,
# although pg_dump leaves its values out: the restore computes them anew, with functions that may have been redefined
# since. Left out are virtual ones, which no row holds, and what follows from tableoid, which no restore can keep.
_COLUMNS = """
WITH RECURSIVE root (oid, type) AS (
  SELECT oid, oid FROM pg_type WHERE typtype <> 'd'
  UNION ALL SELECT t.oid, r.type FROM pg_type AS t JOIN root AS r ON r.oid = t.typbasetype WHERE t.typtype = 'd'
), plain AS (
  SELECT r.oid, t.typname::text AS name FROM root AS r JOIN pg_type AS t ON t.oid = r.type
   WHERE t.typnamespace = 'pg_catalog'::regnamespace AND t.typname = ANY (string_to_array('{plain}', ' '))
), arrays AS (
  SELECT r.oid FROM root AS r JOIN pg_type AS t ON t.oid = r.type JOIN pg_type AS e ON e.typarray = t.oid
   WHERE e.oid IN (SELECT oid FROM plain)
)
SELECT a.attrelid, quote_ident(a.attname), CASE WHEN p.oid IS NOT NULL THEN 'plain'
       WHEN a.atttypid IN (SELECT oid FROM arrays) THEN 'array' ELSE 'text' END, coalesce(p.name, ''),
       NOT coalesce(l.collisdeterministic, true)
  FROM pg_attribute AS a LEFT JOIN pg_collation AS l ON l.oid = a.attcollation
  LEFT JOIN plain AS p ON p.oid = a.atttypid
 WHERE a.attrelid = ANY ('{{{oids}}}'::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
   AND (a.attgenerated = '' OR a.attgenerated = 's' AND NOT EXISTS (
        SELECT FROM pg_attrdef AS d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum
           AND pg_get_expr(d.adbin, d.adrelid) ~ '[[:<:]]tableoid[[:>:]]'))
 ORDER BY a.attrelid, a.attname COLLATE "C"
"""


@dataclass(frozen=True)
class Relation:
    """A table, partitioned table, foreign table, materialized view, view or sequence of a database."""

    oid: int
    identity: str                  # as PostgreSQL quotes it: public."Odd Name"
    kind: str                      # pg_class.relkind: r p f m v S
    definition: bool               # pg_dump writes its definition
    data: bool                     # pg_dump writes its rows, a sequence's value, or a view's REFRESH
    why: str = ""                  # why definition or rows are left out, in words

    @property
    def has_rows(self) -> bool:
        """Say whether pg_dump writes TABLE DATA of it."""
        return self.data and self.kind == "r"


def list_tables(session: psycopg.Connection[tuple[Any, ...]], selection: Selection) -> list[Relation]:
    """Return every relation of the database, saying of each whether pg_dump dumps its definition and its data."""
    excluded = matching_tables(session, selection.exclude_tables)
    no_data = matching_tables(session, selection.exclude_table_data)
    return [_judged(row, excluded, no_data) for row in session.execute(_RELATIONS).fetchall()]


def _judged(row: Sequence[Any], excluded: set[int], no_data: set[int]) -> Relation:
    oid, identity, kind, system, member, condition, identity_of, absent = row
    content = kind in ("r", "S")
    if system:
        return Relation(oid, identity, kind, False, False, "in a schema of the system")
    if oid in excluded or identity_of in excluded:
        return Relation(oid, identity, kind, False, False, "excluded")
    if member:
        dumped = content and condition == "" and oid not in no_data
        return Relation(oid, identity, kind, False, dumped, "" if dumped else "belongs to an extension")
    if absent and content:
        # pg_dump.c, setup_connection: what is unlogged cannot be read during recovery, so its rows are left out
        return Relation(oid, identity, kind, True, False, "unlogged on a standby")
    if oid in no_data:
        return Relation(oid, identity, kind, True, False, "data excluded" if content else "")
    why = {"f": "foreign table", "m": "materialized view"}.get(kind, "")
    return Relation(oid, identity, kind, True, content or kind == "m", why)


def row_expressions(session: psycopg.Connection[tuple[Any, ...]], oids: Iterable[int]) -> dict[int, str]:
    """Return the SQL expression that turns a row of each table into a bigint; a table without columns has none.

    A row is its columns sorted by name, each hashed with its place as the seed, so that two columns that swap their
    values show. Columns of rarer types are hashed together, as a record. Arrays are joined by their dimensions, which
    their hash leaves out; whatever cannot be hashed as it is goes as the text form of one inner row, which calls type
    output functions only, never a cast that a user made. Equal hashes hide what PostgreSQL calls equal: -0 and 0, 1.0
    and 1.00.
    """
    plain = " ".join(_PLAIN.split())
    columns: dict[int, list[_Column]] = {}
    for oid, *column in session.execute(_COLUMNS.format(plain=plain, oids=",".join(map(str, oids)))).fetchall():
        columns.setdefault(oid, []).append(_Column(*column))
    hashed = session.info.server_version >= 140000
    return {oid: _hash(found) if hashed else _hash_of_text(found) for oid, found in columns.items()}


class _Column(NamedTuple):
    name: str                      # quoted
    form: str                      # plain, array or text: what it is hashed as
    type: str                      # the plain type's own name, also of a domain over it
    collated: bool                 # its collation calls different texts equal

    def value(self) -> str:
        return f'{self.name} COLLATE pg_catalog."C"' if self.collated else self.name


def _hash(columns: Sequence[_Column]) -> str:
    hashes, members = [], []
    for place, column in enumerate(columns, 1):
        function = _BY_NAME.get(column.type)
        if function:
            hashes.append(f"coalesce(pg_catalog.{function}({column.value()}, {place}), -{place})")
        elif column.form != "text":
            members.append(column.value())
        if column.form == "array":
            members.append(f"pg_catalog.array_dims({column.name})")
    texts = [column.name for column in columns if column.form == "text"]
    if texts:
        members.append(f"ROW({', '.join(texts)})::pg_catalog.text")
    if members:
        hashes.append(f"pg_catalog.hash_record_extended(ROW({', '.join(members)}), 0)")
    return mixed(" OPERATOR(pg_catalog.#) ".join(hashes))


def mixed(hashed: str) -> str:
    """Return SQL that hashes a row's hash once more.

    Columns' hashes are added up (hash_record_extended, rowtypes.c) or joined by exclusive or, and sums of such numbers
    change little or not at all if two rows swap their values of one column. A hash of the constant 0 that takes the
    number as its seed mixes all 64 bits of it (hash_bytes_uint32_extended, hashfn.c).
    """
    return f"pg_catalog.hashint4extended(0, {hashed})"


def _hash_of_text(columns: Sequence[_Column]) -> str:
    # PostgreSQL 13 has no hash of records.
    return f"pg_catalog.hashtextextended(ROW({', '.join(column.name for column in columns)})::pg_catalog.text, 0)"
