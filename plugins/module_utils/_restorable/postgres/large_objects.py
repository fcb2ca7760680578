# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Count and digest large objects in constant memory, whether or not the catalogue itself may be read."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..model.fingerprint import LargeObjects
from .tables import mixed

if TYPE_CHECKING:
    import psycopg

BATCH = 1000                       # objects that are read in one statement

# A restore writes zeros where the source had a hole, so pages count without their trailing zeros, and none if nothing
# is left. The size keeps what that drops. rtrim of bytea came with version 14; before, both ends lose their zeros.
_DIRECT = """
WITH sized AS (
  SELECT m.oid, coalesce(max(p.pageno::int8 * {block} + octet_length(p.data)), 0) AS size
    FROM pg_largeobject_metadata AS m LEFT JOIN pg_largeobject AS p ON p.loid = m.oid GROUP BY m.oid
)
SELECT count(*), coalesce(sum(size), 0)::text, coalesce(sum({identity}), 0)::text FROM sized
"""
_PAGES = """
SELECT coalesce(sum({hash}), 0)::text
  FROM (SELECT loid AS oid, pageno, {trim}(data, '\\x00'::bytea) AS data FROM pg_largeobject) AS p WHERE data <> ''
"""
# lo_lseek64 to the end tells the size (SEEK_END is 2); 262144 is INV_READ of libpq-fs.h.
_SOME = """
WITH sized AS MATERIALIZED (
  SELECT m.oid, lo_lseek64(lo_open(m.oid, 262144), 0, 2) AS size
    FROM (SELECT oid FROM pg_largeobject_metadata WHERE oid::int8 > {last} ORDER BY oid LIMIT {limit}) AS m
), pages AS (
  SELECT oid, i::int4 AS pageno, {trim}(lo_get(oid, i * {block}, {block}), '\\x00'::bytea) AS data
    FROM sized, generate_series(0, (size - 1) / {block}) AS i
)
SELECT count(*), coalesce(sum(size), 0)::text, max(oid::int8), coalesce(sum({identity}), 0)::text,
       (SELECT coalesce(sum({hash}), 0)::text FROM pages WHERE data <> '')
  FROM sized
"""


def take_large_objects(session: psycopg.Connection[tuple[Any, ...]], level: str) -> LargeObjects:
    """Return count, bytes and digest; on level counts, bytes and digest are None.

    pg_largeobject is for superusers; a dump by another role reads each object with the lo functions, and so does this,
    to the same digest. The server refuses an object that the role may not read, as it refuses pg_dump.
    """
    row = session.execute("SELECT count(*), has_table_privilege('pg_largeobject', 'SELECT'),"
                          " current_setting('block_size')::int / 4 FROM pg_largeobject_metadata").fetchone()
    count, readable, block = row or (0, False, 2048)
    if level != "full" or not count:
        return LargeObjects(count, None if count else 0, None)
    hashed = session.info.server_version >= 140000
    parts = {
        "block": block, "hash": _hash("oid::oid, pageno::int4, data", hashed),
        "identity": _hash("oid::oid, size::int8", hashed), "trim": "rtrim" if hashed else "btrim",
    }
    return _directly(session, parts) if readable else _by_function(session, parts)


def _directly(session: psycopg.Connection[tuple[Any, ...]], parts: dict[str, Any]) -> LargeObjects:
    with session.transaction(force_rollback=True):
        row = session.execute(_DIRECT.format(**parts)).fetchone() or (0, "0", "0")
        pages = session.execute(_PAGES.format(**parts)).fetchone() or ("0",)
    return LargeObjects(row[0], int(row[1]), f"{row[2]}:{pages[0]}")


def _by_function(session: psycopg.Connection[tuple[Any, ...]], parts: dict[str, Any]) -> LargeObjects:
    count = size = identity = pages = last = 0
    while True:
        with session.transaction(force_rollback=True):     # gives the descriptors back
            row = session.execute(_SOME.format(last=last, limit=BATCH, **parts)).fetchone()
        if not row or not row[0]:
            return LargeObjects(count, size, f"{identity}:{pages}")
        count, size, last = count + row[0], size + int(row[1]), row[2]
        identity, pages = identity + int(row[3]), pages + int(row[4])


def _hash(members: str, hashed: bool) -> str:
    if hashed:
        return mixed(f"hash_record_extended(ROW({members}), 0)")
    return f"hashtextextended(ROW({members})::text, 0)"
