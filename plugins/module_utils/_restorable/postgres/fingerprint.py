# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Take the fingerprint of a database: rows, sequences, large objects and definitions, all of one snapshot.

Every function takes a session of connect.open_database (search_path pg_catalog, row_security off, ISO dates, UTC,
extra_float_digits 3, no time limits), idle or in a REPEATABLE READ READ ONLY transaction. Work is done in batches
inside of savepoints that are rolled back: locks on indexes and TOAST tables are given back with each, so that
thousands of tables never fill the server's lock table, while the transaction's snapshot and own locks stay.
"""
from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Callable, Iterable, Iterator, Mapping, Sequence

from ..errors import ConfigError, ToolFailed, Unavailable
from ..model.fingerprint import Fingerprint, LargeObjects, Range, TableDigest
from ..model.row_data import one_line
from ..model.server import Selection
from .connect import driver
from .inventory import take_objects, volatile_objects
from .large_objects import take_large_objects
from .tables import Relation, list_tables, row_expressions

if TYPE_CHECKING:
    import psycopg

MOVING = "fingerprint.moving"
BATCH = 100                        # small tables in one statement
SMALL = 1 << 22                    # bytes on disk up to which a table is small

# Two workers at most beside the leader: pg_dump and the compressor want the processors too.
_PARALLEL = ("SET LOCAL max_parallel_workers_per_gather = {workers}; SET LOCAL parallel_setup_cost = 0;"
             " SET LOCAL parallel_tuple_cost = 0; SET LOCAL min_parallel_table_scan_size = '4MB'")


def take(session: psycopg.Connection[tuple[Any, ...]], selection: Selection, level: str, *,
         parallel: int = 1, check: Callable[[], None] | None = None) -> Fingerprint:
    """Return the fingerprint of what pg_dump dumps of this database under this selection.

    parallel is the number of extra workers for big tables. check runs once all definitions are read. Raises
    ConfigError for rows that may not be read, ToolFailed with the server's words otherwise, Unavailable if the session
    was lost.
    """
    if level == "none":
        return Fingerprint("none")
    with _transaction(session), explained("the catalogue"):
        relations = list_tables(session, selection)
        objects, told = take_objects(session, relations)
        if check:
            check()
        tables = take_rows(session, [each for each in relations if each.has_rows], level, parallel=parallel)
        sequences = take_sequences(session, relations)
        with explained("the large objects"):
            large = take_large_objects(session, level)
    return Fingerprint(level, tables, sequences, large, {key: (text,) for key, text in objects.items()},
                       (*_not_covered(relations), *told))


def take_later(session: psycopg.Connection[tuple[Any, ...]], selection: Selection) -> Fingerprint:
    """Return the sequences and definitions that obey no snapshot, as they are now, for Fingerprint.widened.

    Use it on an idle session, or in a younger transaction than the dump's, after the dump has ended.
    """
    with _transaction(session), explained("the catalogue"):
        relations = list_tables(session, selection)
        objects = volatile_objects(session, relations)
        return Fingerprint("counts", {}, take_sequences(session, relations), LargeObjects(),
                           {key: (text,) for key, text in objects.items()})


def take_rows(session: psycopg.Connection[tuple[Any, ...]], tables: Sequence[Relation], level: str, *,
              parallel: int = 1) -> dict[str, TableDigest]:
    """Return rows and digest of each table: big ones alone and first, small ones a hundred at a time."""
    sizes = dict(session.execute("SELECT c.oid, pg_table_size(c.oid) FROM pg_class AS c WHERE c.oid = ANY"
                                 f" ('{_array(each.oid for each in tables)}'::oid[])").fetchall())
    digests: dict[str, TableDigest] = {}
    by_size = sorted(tables, key=lambda each: sizes.get(each.oid) or 0, reverse=True)
    big = [each for each in by_size if (sizes.get(each.oid) or 0) > SMALL]
    small = sorted(by_size[len(big):], key=lambda each: each.identity)
    for batch in [[each] for each in big] + [small[at:at + BATCH] for at in range(0, len(small), BATCH)]:
        with session.transaction(force_rollback=True), explained(_some(batch)):
            if len(batch) == 1:
                session.execute(_PARALLEL.format(workers=parallel))
            digests.update(_digests(session, batch, level))
    return {each.identity: digests[each.identity] for each in tables}


def take_sequences(session: psycopg.Connection[tuple[Any, ...]], relations: Iterable[Relation]) -> dict[str, Range]:
    """Return the next value of each sequence that is dumped, as a range of one."""
    wanted = [each for each in relations if each.kind == "S" and each.data]
    found: dict[str, Range] = {}
    for at in range(0, len(wanted), BATCH):
        batch = wanted[at:at + BATCH]
        with session.transaction(force_rollback=True), explained(_some(batch)):
            rows = session.execute(" UNION ALL ".join(
                f"SELECT {n}, CASE WHEN is_called THEN last_value::numeric + seqincrement ELSE last_value END"
                f" FROM {each.identity}, pg_catalog.pg_sequence WHERE seqrelid = {each.oid}"
                for n, each in enumerate(batch))).fetchall()
        found.update((batch[n].identity, (int(value), int(value))) for n, value in rows)
    return {each.identity: found[each.identity] for each in wanted}


def _digests(session: psycopg.Connection[tuple[Any, ...]], batch: Sequence[Relation],
             level: str) -> Iterator[tuple[str, TableDigest]]:
    expressions: Mapping[int, str] = row_expressions(session, [each.oid for each in batch]) if level == "full" else {}
    method = "hash" if session.info.server_version >= 140000 else "text"
    rows = session.execute(" UNION ALL ".join(
        f"SELECT {n}, pg_catalog.count(*), pg_catalog.sum({expressions.get(each.oid, 'NULL::bigint')})::text"
        f" FROM ONLY {each.identity}" for n, each in enumerate(batch))).fetchall()
    for n, count, digest in rows:
        if batch[n].oid in expressions:
            yield batch[n].identity, TableDigest(count, digest or "0", method)
        else:
            yield batch[n].identity, TableDigest(count)


@contextmanager
def _transaction(session: psycopg.Connection[tuple[Any, ...]]) -> Iterator[None]:
    """Stay in the caller's transaction, or hold one of our own, which changes nothing."""
    if session.info.transaction_status != driver().pq.TransactionStatus.IDLE:
        yield
        return
    session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    try:
        yield
    finally:
        if not session.closed:
            session.execute("ROLLBACK")


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Raise the server's error as one that tells the reader what to do; what is being read, in words."""
    errors = driver().errors
    try:
        yield
    except errors.InsufficientPrivilege as error:
        words = one_line(error)
        if "row-level security" in words:
            raise ConfigError(f"rows may not be read for the fingerprint: {words}", code="dump.row_security",
                              hint="Run `ALTER ROLE … BYPASSRLS`, or dump as a superuser or the tables' owner."
                              ) from error
        raise ConfigError(f"{what} may not be read for the fingerprint: {words}", code="dump.privilege",
                          hint="Grant the named right, or `GRANT pg_read_all_data TO …` on version 14 and newer."
                          ) from error
    except (errors.AdminShutdown, errors.CrashShutdown, errors.SerializationFailure) as error:
        raise Unavailable(f"fingerprint of {what} was interrupted: {one_line(error)}",
                          hint="Read the server's log, then run again.", code="fingerprint.interrupted") from error
    except driver().Error as error:
        if _moved(error):
            raise Unavailable(f"{what} moved while the fingerprint was taken: {one_line(error)}",
                              hint="Something was dropped at that moment; run again.", code=MOVING) from error
        lost = not getattr(error, "sqlstate", None)
        words = one_line(error)
        raise (Unavailable if lost else ToolFailed)(
            f"fingerprint of {what} failed: {words}", code="fingerprint.interrupted" if lost else "fingerprint.failed",
            hint="Read the server's words; `fingerprint: none` dumps without a fingerprint.") from error


def _moved(error: BaseException) -> bool:
    """Say whether a definition was asked of what is gone: such functions read the catalogue as it is now."""
    errors = driver().errors
    return isinstance(error, (errors.UndefinedTable, errors.UndefinedObject, errors.UndefinedFunction,
                              errors.InvalidSchemaName)) or (
        isinstance(error, errors.InternalError_)
        and ("cache lookup failed" in str(error) or "could not open relation with OID" in str(error)))


def _not_covered(relations: Sequence[Relation]) -> Iterator[str]:
    """Say what pg_dump leaves out, one line for each reason."""
    words = {("f", "foreign table"): "rows of foreign tables",
             ("m", "materialized view"): "contents of materialized views, which a restore computes anew",
             ("r", "belongs to an extension"): "rows of tables that belong to an extension",
             ("r", "in a schema of the system"): "tables in a schema of the system",
             ("r", "unlogged on a standby"): "rows of unlogged tables, which a standby does not have",
             ("S", "unlogged on a standby"): "values of unlogged sequences, which a standby does not have",
             ("r", "data excluded"): "rows of tables whose data is excluded"}
    for (kind, why), what in words.items():
        found = [each for each in relations if each.kind == kind and each.why == why]
        if found:
            yield f"{what}: {_some(found)}"
    excluded = [each for each in relations if each.why == "excluded" and each.kind != "S"]
    if excluded:
        yield f"excluded relations: {_some(excluded)}"


def _some(relations: Sequence[Relation]) -> str:
    names = [each.identity for each in relations[:5]]
    return ", ".join(names) + (f" and {len(relations) - 5} more" if len(relations) > 5 else "")


def _array(oids: Iterable[int]) -> str:
    return "{" + ",".join(map(str, oids)) + "}"
