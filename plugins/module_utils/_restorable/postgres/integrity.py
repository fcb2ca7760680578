# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Check that a restored database is sound inside: heap, indexes, constraints, checksums, collations."""
from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Callable, Iterator, Sequence

from ..model.row_data import one_line
from .connect import driver

if TYPE_CHECKING:
    import psycopg

    Session = psycopg.Connection[tuple[Any, ...]]

Row = tuple[str, str, str]         # check, ok | failed | not_run, detail
SHOWN = 5                          # findings that one detail names
BATCH = 500                        # relations that one statement checks; a server has room for some 6,400 locks

_INVALID = """
SELECT indexrelid::regclass::text FROM pg_index WHERE NOT (indisvalid AND indisready AND indislive) ORDER BY 1
"""

_FOREIGN_KEYS = "SELECT count(*), count(*) FILTER (WHERE NOT convalidated) FROM pg_constraint WHERE contype = 'f'"

# https://www.postgresql.org/docs/current/amcheck.html: btree only, not those of other sessions' temporary tables.
_BTREES = """
SELECT c.oid, c.oid::regclass::text
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


def check_integrity(open_session: Callable[[], AbstractContextManager[Session]], *, may_install: bool) -> list[Row]:
    """Run every check and return a row for each; may_install allows to add the extension amcheck for it."""
    with open_session() as session:
        return [_indexes(session), _foreign_keys(session), *_amcheck(session, open_session, may_install),
                _checksums(session), _collations(session)]


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


def _amcheck(session: Session, open_session: Callable[[], AbstractContextManager[Session]],
             may_install: bool) -> list[Row]:
    """Check indexes and tables side by side in two sessions, for each check keeps one processor busy."""
    schema, why = _amcheck_schema(session, may_install)
    if not schema:
        return [("amcheck", "not_run", why)]
    try:
        with open_session() as beside, ThreadPoolExecutor(1) as pool:
            heaps = pool.submit(_heaps, beside, schema)
            return [_btrees(session, schema), heaps.result()]
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
    indexes = session.execute(_BTREES).fetchall()
    # checkunique came with version 1.4, PostgreSQL 17
    unique = bool(session.execute("SELECT FROM pg_proc WHERE proname = 'bt_index_check' AND pronargs = 3").fetchall())
    check = (f"SELECT {schema}.bt_index_check(t.oid::regclass, true{', i.indisunique' if unique else ''})"
             " FROM unnest(%s::oid[]) t(oid) JOIN pg_index i ON i.indexrelid = t.oid")
    bad = [f"{name}: {found}" for name, found in _checked(session, indexes, check) if isinstance(found, str)]
    if bad:
        return "amcheck indexes", "failed", f"{len(bad)} of {len(indexes)}: {'; '.join(bad[:SHOWN])}"
    return "amcheck indexes", "ok", f"{len(indexes)} btree indexes match their tables"


def _heaps(session: Session, schema: str) -> Row:
    if session.info.server_version < 140000:
        return "amcheck heap", "not_run", "verify_heapam came with PostgreSQL 14"
    heaps = session.execute(_HEAPS).fetchall()
    check = ("SELECT t.oid::regclass::text, h.blkno, h.offnum, h.msg"
             f" FROM unnest(%s::oid[]) t(oid), LATERAL {schema}.verify_heapam(t.oid::regclass) h LIMIT {SHOWN}")
    bad: list[str] = []
    for name, found in _checked(session, heaps, check):
        bad += [f"{name}: {found}"] if isinstance(found, str) else [
            f"{table} block {block} tuple {offset}: {words}" for table, block, offset, words in found]
    if bad:
        return "amcheck heap", "failed", "; ".join(bad[:SHOWN])
    return "amcheck heap", "ok", f"{len(heaps)} tables are sound"


def _checked(session: Session, relations: Sequence[Sequence[Any]],
             check: str) -> Iterator[tuple[str, str | list[tuple[Any, ...]]]]:
    """Run a check on relations (oid, name, …) many at a time; yield (name, error or rows), name "" for many.

    The check says of many only that one of them is bad, so that one is looked for.
    """
    for begin in range(0, len(relations), BATCH):
        batch = relations[begin:begin + BATCH]
        try:
            yield "", session.execute(check.encode(), [[row[0] for row in batch]]).fetchall()
        except driver().Error as error:
            if len(batch) == 1:
                yield str(batch[0][1]), one_line(error)
                continue
            for one in batch:
                yield from _checked(session, [one], check)


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
