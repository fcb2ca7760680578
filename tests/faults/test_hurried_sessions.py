# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A role and a database that give a statement, a transaction and a pause one millisecond: nothing of ours minds."""
from __future__ import annotations

import pytest

from _restorable.postgres.connect import open_database
from _restorable.postgres.parameters import Connection
from _restorable.postgres.tuning import unlimited
from kit.chain import Chain

NAME, USER = "hurried", "hurried_dumper"
LIMITS = ("statement_timeout", "idle_session_timeout", "idle_in_transaction_session_timeout", "lock_timeout")
OPENED = 60                        # more than one in ten of such sessions broke


def hurry(server, *whose):
    """Let every session of a role or in a database be ended before it has well begun."""
    names = (*LIMITS, "transaction_timeout") if server.major >= 17 else LIMITS
    server.sql(*(f"ALTER {each} SET {name} = 1" for each in whose for name in names))


def patient(server, database, *statements):
    """Run statements as nobody hurries; return the rows of the last."""
    with server.connect(database, options=unlimited(server.major * 10000)) as session:
        *before, last = statements
        for statement in before:
            session.execute(statement)
        cursor = session.execute(last)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture(params=[15, 18])
def server(request, servers):
    """A server with a database of a hundred tables; who dumps is a superuser of its own."""
    found = servers.of(request.param)
    found.sql(f"CREATE ROLE {USER} SUPERUSER LOGIN", f"CREATE DATABASE {NAME} TEMPLATE template0")
    found.sql(*(f"CREATE TABLE t{number} AS SELECT generate_series(1, 50) AS a" for number in range(100)),
              database=NAME)
    yield found
    found.sql(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)", f"DROP DATABASE IF EXISTS {NAME}_again WITH (FORCE)",
              f"DROP ROLE {USER}")


@pytest.mark.parametrize("whose", [f"DATABASE {NAME}", f"ROLE {USER}"])
def test_a_session_is_had_whatever_little_time_it_is_given(server, whose):
    connection = Connection.of({**server.settings, "user": USER}, {})
    hurry(server, whose)
    for _number in range(OPENED):
        with open_database(connection, NAME) as session:
            asked = "SELECT current_setting('statement_timeout'), pg_sleep(0.002)::text"
            assert session.execute(asked).fetchone() == ("0", "")


@pytest.mark.parametrize("server", [18], indirect=True)      # which has transaction_timeout
def test_no_parallel_worker_of_a_session_is_ended(server):
    hurry(server, f"DATABASE {NAME}")
    connection = Connection.of({**server.settings, "user": USER}, {})
    for _number in range(OPENED):
        with open_database(connection, NAME) as session:
            session.execute("SET debug_parallel_query = on")
            assert session.execute("SELECT count(*) FROM public.t1").fetchone() == (50,)


@pytest.mark.parametrize("form", ["custom", "directory"])
def test_backup_drill_and_restore_take_the_time_they_need(server, folder, form):
    chain = Chain(server, folder, connection={"user": USER}, databases=[NAME], format=form)
    hurry(server, f"ROLE {USER}", f"DATABASE {NAME}")
    manifest = chain.taken(exclude_table_data=["t7"])
    assert [each.tables for each in manifest.databases] == [99]      # t7 has none to compare
    question = {"database": NAME, "sql": "SELECT count(*) FROM t8, pg_sleep(0.005)", "expect": 50}
    evidence = chain.drill(checks=[question])
    assert evidence.verdict == "passed", evidence.checks
    chain.restore(databases=(NAME,), into=f"{NAME}_again")
    assert patient(server, f"{NAME}_again", "SELECT count(*) FROM t8") == [(50,)]
    patient(server, NAME, "DROP TABLE t8")
    chain.restore(databases=(NAME,), tables=("public.t8",))
    assert patient(server, NAME, "SELECT count(*) FROM t8") == [(50,)]
