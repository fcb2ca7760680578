# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Check that a restored database is sound inside: heap, indexes, constraints, checksums, collations."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..model.row_data import one_line
from .connect import driver

if TYPE_CHECKING:
    import psycopg

    Session = psycopg.Connection[tuple[Any, ...]]

Row = tuple[str, str, str]         # check, ok | failed | not_run, detail
SHOWN = 5                          # findings that one detail names

_INVALID = """
SELECT indexrelid::regclass::text FROM pg_index WHERE NOT (indisvalid AND indisready AND indislive) ORDER BY 1
"""

_FOREIGN_KEYS = "SELECT count(*), count(*) FILTER (WHERE NOT convalidated) FROM pg_constraint WHERE contype = 'f'"

# https://www.postgresql.org/docs/current/amcheck.html: btree only, not those of other sessions' temporary tables.
_BTREES = """
SELECT c.oid, c.oid::regclass::text, i.indisunique
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
 WHERE a.amname = 'btree' AND c.relkind = 'i' AND c.relpersistence <> 't' AND i.indisready AND i.indisvalid
 ORDER BY c.relpages
"""
_HEAPS = """
SELECT c.oid, c.oid::regclass::text
  FROM pg_class c JOIN pg_am a ON a.oid = c.relam
 WHERE a.amname = 'heap' AND c.relkind IN ('r', 'm', 't') AND c.relpersistence <> 't' ORDER BY c.relpages
"""

_COLLATIONS = """
SELECT 'collation ' || c.oid::regcollation, c.collversion, pg_collation_actual_version(c.oid)
  FROM pg_collation c
 WHERE c.collversion IS DISTINCT FROM pg_collation_actual_version(c.oid) AND c.collversion IS NOT NULL
"""
_DATABASE_COLLATION = """
SELECT 'database ' || datname, datcollversion, pg_database_collation_actual_version(oid)
  FROM pg_database
 WHERE datname = current_database() AND datcollversion IS NOT NULL
   AND datcollversion IS DISTINCT FROM pg_database_collation_actual_version(oid)
"""


def check_integrity(session: Session, *, may_install: bool) -> list[Row]:
    """Run every check and return a row for each; may_install allows to add the extension amcheck for it."""
    return [_indexes(session), _foreign_keys(session), *_amcheck(session, may_install), _checksums(session),
            _collations(session)]


def _indexes(session: Session) -> Row:
    invalid = [str(row[0]) for row in session.execute(_INVALID).fetchall()]
    if invalid:
        return "indexes", "failed", f"{len(invalid)} invalid: {', '.join(invalid[:SHOWN])}"
    return "indexes", "ok", "all are valid"


def _foreign_keys(session: Session) -> Row:
    """pg_restore adds every foreign key after the data, which checks all rows (sql-altertable.html)."""
    total, unchecked = session.execute(_FOREIGN_KEYS).fetchone() or (0, 0)
    said = f"{total - unchecked} were checked against all rows by the restore"
    return "foreign keys", "ok", said + (f", {unchecked} are NOT VALID as in the source" if unchecked else "")


def _amcheck(session: Session, may_install: bool) -> list[Row]:
    schema, why = _amcheck_schema(session, may_install)
    if not schema:
        return [("amcheck", "not_run", why)]
    try:
        return [_btrees(session, schema), _heaps(session, schema)]
    finally:
        if not why:
            session.execute("DROP EXTENSION amcheck")


def _amcheck_schema(session: Session, may_install: bool) -> tuple[str, str]:
    """Return amcheck's schema, quoted, and "" if it was installed only for us; or "" and why there is none."""
    found = session.execute("SELECT extnamespace::regnamespace::text FROM pg_extension"
                            " WHERE extname = 'amcheck'").fetchone()
    if found:
        return str(found[0]), "it was there"
    if not session.execute("SELECT FROM pg_available_extensions WHERE name = 'amcheck'").fetchall():
        return "", "the server's installation has no extension amcheck (package postgresql-contrib)"
    if not may_install:
        return "", "extension amcheck is not in the database"
    session.execute("CREATE EXTENSION amcheck WITH SCHEMA pg_catalog")
    return "pg_catalog", ""


def _btrees(session: Session, schema: str) -> Row:
    bad: list[str] = []
    indexes = session.execute(_BTREES).fetchall()
    # checkunique came with version 1.4, PostgreSQL 17
    unique = bool(session.execute("SELECT FROM pg_proc WHERE proname = 'bt_index_check' AND pronargs = 3").fetchall())
    for oid, name, is_unique in indexes:
        words = ", true" if unique and is_unique else ""
        try:
            session.execute(f"SELECT {schema}.bt_index_check({int(oid)}::oid::regclass, true{words})".encode())
        except driver().Error as error:
            bad.append(f"{name}: {one_line(error)}")
    if bad:
        return "amcheck indexes", "failed", f"{len(bad)} of {len(indexes)}: {'; '.join(bad[:SHOWN])}"
    return "amcheck indexes", "ok", f"{len(indexes)} btree indexes match their tables"


def _heaps(session: Session, schema: str) -> Row:
    if session.info.server_version < 140000:
        return "amcheck heap", "not_run", "verify_heapam came with PostgreSQL 14"
    bad: list[str] = []
    heaps = session.execute(_HEAPS).fetchall()
    for oid, name in heaps:
        try:
            rows = session.execute(f"SELECT blkno, offnum, msg FROM {schema}.verify_heapam({int(oid)}::oid::regclass)"
                                   f" LIMIT {SHOWN}".encode()).fetchall()
        except driver().Error as error:
            bad.append(f"{name}: {one_line(error)}")
            continue
        bad += [f"{name} block {block} tuple {offset}: {words}" for block, offset, words in rows]
    if bad:
        return "amcheck heap", "failed", "; ".join(bad[:SHOWN])
    return "amcheck heap", "ok", f"{len(heaps)} tables are sound"


def _checksums(session: Session) -> Row:
    row = session.execute("SELECT current_setting('data_checksums')").fetchone()
    if row and row[0] == "on":
        return "checksums", "ok", "every page that was read has been checked"
    return "checksums", "not_run", "the restored server has no data checksums"


def _collations(session: Session) -> Row:
    found = session.execute(_COLLATIONS).fetchall()
    if session.info.server_version >= 150000:
        found += session.execute(_DATABASE_COLLATION).fetchall()
    if found:
        said = "; ".join(f"{name} was made with version {then}, now is {now}" for name, then, now in found[:SHOWN])
        return "collations", "failed", said + ": run REINDEX, then REFRESH VERSION"
    return "collations", "ok", "the versions of all collations are current"
