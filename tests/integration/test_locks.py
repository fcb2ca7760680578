# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Locks come before the snapshot, and whoever stands in the way is named."""
from __future__ import annotations

import threading
import time
from contextlib import closing, contextmanager

import psycopg
import pytest

from _restorable.errors import ConfigError, Unavailable
from _restorable.model.server import Selection
from _restorable.postgres import locks
from _restorable.postgres.connect import open_database
from _restorable.postgres.locks import lock_and_export
from _restorable.postgres.parameters import Connection


@contextmanager
def locked(server, database, selection=None, lock_timeout=10.0, **settings):
    """Give (session, snapshot) of a database."""
    with closing(open_database(Connection.of({**server.settings, **settings}, {}), database)) as session:
        yield session, lock_and_export(session, selection or Selection(), lock_timeout=lock_timeout)


@contextmanager
def writing(server, database, *statements):
    """Hold a transaction that ran statements; it commits half a second after somebody began to wait for it."""
    with server.connect(database) as session:
        session.execute("BEGIN")
        for statement in statements:
            session.execute(statement)

        def commit_late():
            for _attempt in range(200):
                time.sleep(0.05)
                if server.sql("SELECT count(*) FROM pg_locks WHERE NOT granted")[0][0]:
                    break
            session.execute("COMMIT")
        thread = threading.Thread(target=commit_late)
        thread.start()
        try:
            yield session
        finally:
            thread.join()


def rows(session, table):
    return session.execute(f"SELECT count(*) FROM public.{table}").fetchone()[0]


@pytest.mark.parametrize("change", ["TRUNCATE t", "ALTER TABLE t ALTER a TYPE bigint"])
def test_the_snapshot_is_younger_than_every_lock(server, database, change):
    server.sql("CREATE TABLE t (a int)", "INSERT INTO t SELECT generate_series(1, 100)", database=database)
    with writing(server, database, change, "INSERT INTO t SELECT generate_series(1, 50)"):
        with locked(server, database) as (session, snapshot):
            assert rows(session, "t") == (50 if change.startswith("TRUNCATE") else 150)
            with server.connect(database) as other:
                other.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
                other.execute(f"SET TRANSACTION SNAPSHOT '{snapshot.name}'")
                assert rows(other, "t") == rows(session, "t")


def test_a_snapshot_before_the_lock_would_find_the_table_empty(server, database):
    """The trap itself, so that the test above is known to be able to fail."""
    server.sql("CREATE TABLE t (a int)", "INSERT INTO t SELECT generate_series(1, 100)", database=database)
    with writing(server, database, "TRUNCATE t", "INSERT INTO t SELECT generate_series(1, 50)"):
        with server.connect(database) as session:
            session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            session.execute("SELECT 1")
            session.execute("LOCK TABLE t IN ACCESS SHARE MODE")
            assert rows(session, "t") == 0


def test_a_table_dropped_or_replaced_before_its_lock_is_no_failure(server, database):
    server.sql("CREATE TABLE a (a int)", "CREATE TABLE b (a int)", "CREATE TABLE c (a int)", database=database)
    with writing(server, database, "DROP TABLE a", "DROP TABLE b", "CREATE VIEW b AS SELECT 1",
                 "CREATE TABLE d (a int)",
                 "INSERT INTO d VALUES (1)"):
        with locked(server, database) as (session, snapshot):
            assert snapshot.tables == 2
            assert rows(session, "d") == 1


def test_a_table_made_between_the_list_and_the_snapshot_is_locked_too(server, database, monkeypatch):
    server.sql("CREATE TABLE a (a int)", database=database)
    after_the_list = iter(["CREATE TABLE late (a int)"])
    lock = locks._lock

    def racing(session, tables):
        server.sql(*(statement for statement in [next(after_the_list, None)] if statement), database=database)
        lock(session, tables)
    monkeypatch.setattr(locks, "_lock", racing)
    with locked(server, database) as (session, snapshot):
        assert snapshot.tables == 2
        held = session.execute("SELECT relation::regclass::text FROM pg_locks WHERE pid = pg_backend_pid()"
                               " AND mode = 'AccessShareLock' AND relation > 16383 ORDER BY 1").fetchall()
    assert held == [("public.a",), ("public.late",)]


def test_a_late_table_that_is_rewritten_before_its_lock_starts_everything_again(server, database, monkeypatch):
    calls = []
    lock = locks._lock

    def racing(session, tables):
        calls.append([table.name for table in tables])
        if len(calls) == 1:
            server.sql("CREATE TABLE late (a int)", "INSERT INTO late VALUES (1)", database=database)
        if len(calls) == 2:
            server.sql("TRUNCATE late", "INSERT INTO late VALUES (2), (3)", database=database)
        lock(session, tables)
    monkeypatch.setattr(locks, "_lock", racing)
    with locked(server, database) as (session, _snapshot):
        assert rows(session, "late") == 2
    assert calls == [[], ["late"], ["late"]]


def test_tables_that_never_rest_are_given_up_in_the_end(server, database, monkeypatch):
    lock = locks._lock
    numbers = iter(range(1000))

    def racing(session, tables):
        server.sql(f"CREATE TABLE late{next(numbers)} (a int)", database=database)
        for table in tables:
            server.sql(f"TRUNCATE {table}", database=database)
        lock(session, tables)
    monkeypatch.setattr(locks, "_lock", racing)
    with pytest.raises(Unavailable) as caught:
        with locked(server, database):
            pass
    assert caught.value.code == "dump.tables_moving"


def test_the_blocker_is_named(server, database):
    server.sql('CREATE TABLE "Big one" (a int)', database=database)
    with server.connect(database, application_name="migration 7") as blocker:
        blocker.execute("BEGIN")
        blocker.execute('LOCK TABLE "Big one"')
        with pytest.raises(Unavailable) as caught:
            with locked(server, database, lock_timeout=0.2):
                pass
        error = caught.value
        assert error.code == "dump.lock_timeout"
        for word in ('public."Big one"', str(blocker.info.backend_pid), "user postgres", "'migration 7'",
                     "idle in transaction since 20"):
            assert word in error.message
        assert f"pg_terminate_backend({blocker.info.backend_pid})" in error.hint
        blocker.execute("ROLLBACK")


def test_a_prepared_transaction_that_blocks_is_told(empty_server):
    server = empty_server(16, config={"max_prepared_transactions": "2"})
    server.sql("CREATE TABLE t (a int)", "BEGIN", "LOCK TABLE t", "PREPARE TRANSACTION 'left over'")
    with pytest.raises(Unavailable, match="public.t by a prepared transaction"):
        with locked(server, "postgres", lock_timeout=0.2):
            pass
    server.sql("ROLLBACK PREPARED 'left over'")


def test_two_thousand_tables_are_locked_in_few_round_trips(server, database, monkeypatch):
    server.sql("DO $$ BEGIN FOR i IN 1..2000 LOOP EXECUTE format('CREATE TABLE t%s (a int)', i); END LOOP; END $$",
               database=database)
    sent, execute = [], psycopg.Connection.execute

    def counted(session, query, *more, **options):
        sent.append(query)
        return execute(session, query, *more, **options)

    monkeypatch.setattr(psycopg.Connection, "execute", counted)
    with locked(server, database) as (_session, snapshot):
        assert snapshot.tables == 2000
    assert 2 < len(sent) < 40


def test_a_full_lock_table_is_a_setting_to_mend(empty_server):
    server = empty_server(16, config={"max_locks_per_transaction": "10", "max_connections": "5",
                                      "max_wal_senders": "0", "max_worker_processes": "0"})
    for start in range(0, 5000, 50):
        server.sql(f"DO $$ BEGIN FOR i IN {start}..{start + 49} LOOP EXECUTE format('CREATE TABLE t%s (a int)', i);"
                   " END LOOP; END $$")
    with pytest.raises(ConfigError) as caught:
        with locked(server, "postgres"):
            pass
    assert caught.value.code == "dump.lock_table_full"
    assert "5000 tables, max_locks_per_transaction is 10" in caught.value.message


def test_an_excluded_table_is_not_waited_for(server, database):
    server.sql("CREATE SCHEMA s", "CREATE TABLE s.log_1 (a int)", "CREATE TABLE log_1 (a int)",
               'CREATE TABLE "Log" (a int)',
               database=database)
    with server.connect(database) as blocker:
        blocker.execute("BEGIN")
        blocker.execute('LOCK TABLE s.log_1, log_1, "Log"')
        with locked(server, database, Selection(exclude_tables=("*.log_*", '"Log"')), 0.2) as (_session, snapshot):
            assert snapshot.tables == 0
        # without a schema a pattern means what the search_path shows, so s.log_1 is still dumped
        with pytest.raises(Unavailable, match=r"s\.log_1"):
            with locked(server, database, Selection(exclude_tables=("log_*", '"Log"')), 0.2):
                pass
        blocker.execute("ROLLBACK")


@pytest.fixture
def reader(server):
    """A role that may log in and nothing else."""
    server.sql("DROP ROLE IF EXISTS lock_reader", "CREATE ROLE lock_reader LOGIN")
    yield "lock_reader"
    server.sql("DROP ROLE IF EXISTS lock_reader")


def refusal(server, database, selection=None):
    with pytest.raises(ConfigError) as caught:
        with locked(server, database, selection, user="lock_reader"):
            pass
    return caught.value


def test_a_table_that_may_not_be_read_is_named_with_the_grant(server, database, reader):
    server.sql("CREATE TABLE secret (a int)", "CREATE TABLE open (a int)", "GRANT SELECT ON open TO lock_reader",
               database=database)
    error = refusal(server, database)
    assert error.code == "dump.privilege"
    assert "user lock_reader may not read public.secret" in error.message
    assert "GRANT SELECT ON public.secret TO lock_reader;" in error.hint
    assert "pg_read_all_data" in error.hint
    server.sql("DROP OWNED BY lock_reader", database=database)


def test_a_schema_that_may_not_be_used_is_named_with_the_grant(server, database, reader):
    server.sql("CREATE SCHEMA s", "CREATE TABLE s.t (a int)", "GRANT SELECT ON s.t TO lock_reader", database=database)
    error = refusal(server, database)
    assert "GRANT USAGE ON SCHEMA s TO lock_reader;" in error.hint
    server.sql("DROP OWNED BY lock_reader", database=database)


def test_rows_hidden_by_a_policy_are_told_before_the_dump(server, database, reader):
    server.sql("CREATE TABLE t (a int)", "ALTER TABLE t ENABLE ROW LEVEL SECURITY", "GRANT SELECT ON t TO lock_reader",
               database=database)
    error = refusal(server, database)
    assert error.code == "dump.row_security"
    assert "public.t" in error.message
    with locked(server, database, Selection(exclude_table_data=("t",)), user="lock_reader") as (_session, snapshot):
        assert snapshot.tables == 1
    server.sql("ALTER ROLE lock_reader BYPASSRLS")
    with locked(server, database, user="lock_reader") as (_session, snapshot):
        assert snapshot.tables == 1
    server.sql("DROP OWNED BY lock_reader", database=database)


def test_a_pattern_that_is_none_is_named(server, database):
    with pytest.raises(ConfigError, match=r"'log_\['"):
        with locked(server, database, Selection(exclude_tables=("log_[",))):
            pass
