# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions on real servers: what is reset, what is refused, what is said."""
from __future__ import annotations

import pytest

from _restorable.errors import ConfigError, NotFound, Unavailable
from _restorable.postgres.cluster import PgCluster
from _restorable.postgres.connect import SETTINGS, open_database, open_maintenance
from _restorable.postgres.parameters import Connection

SCRAM = "local all postgres trust\nlocal all all scram-sha-256\n"
PASSWORD = "p:a\\s's w%rd"

# A function that shadows one of the catalog's own, for whoever has public before pg_catalog in the path.
TRAP = """
CREATE FUNCTION public.set_config(text, text, boolean) RETURNS text LANGUAGE plpgsql AS
$$ BEGIN INSERT INTO public.trapped VALUES (current_user); RETURN 'trapped'; END $$
"""


def of(server, **settings):
    return Connection.of({**server.settings, **settings}, {})


def failure_of(kind, connection, database="postgres"):
    with pytest.raises(kind) as caught:
        open_database(connection, database)
    return caught.value


def test_a_databases_own_settings_are_reset(server, database):
    server.sql(*(f"ALTER DATABASE {database} SET {name} = {value}" for name, value in (
        ("statement_timeout", "'10s'"), ("lock_timeout", "1"), ("search_path", "public, pg_catalog"),
        ("DateStyle", "'German'"), ("TimeZone", "'Asia/Kathmandu'"), ("row_security", "on"), ("jit", "on"),
        ("default_transaction_read_only", "on"), ("bytea_output", "'escape'"), ("extra_float_digits", "-5"),
        ("client_encoding", "'LATIN1'"), ("default_transaction_isolation", "'serializable'"))))
    with open_database(of(server), database) as session:
        for since, name, value in SETTINGS:
            if session.info.server_version >= since:
                assert session.execute(f"SHOW {name}").fetchone()[0].lower() == value.lower(), name
        assert session.execute("SHOW search_path").fetchone()[0] == "pg_catalog, pg_temp"


def test_a_hostile_database_does_not_run_its_code_as_us(server, database):
    server.sql("CREATE TABLE public.trapped (who text)", TRAP, "SET search_path = public, pg_catalog",
               database=database)
    server.sql(f"ALTER DATABASE {database} SET search_path = public, pg_catalog")
    assert server.sql("SELECT set_config('a.b', 'c', false)", database=database) == [("trapped",)]
    server.sql("DELETE FROM public.trapped", database=database)
    with open_database(of(server), database) as session:
        session.execute("SELECT set_config('a.b', 'c', false)")
    assert server.sql("SELECT * FROM public.trapped", database=database) == []


def test_the_process_environment_redirects_nothing(server, database, monkeypatch, tmp_path):
    (tmp_path / "services").write_text("[evil]\nhost=/evil\nport=1\nuser=evil\noptions=-c work_mem=77MB\n")
    for name, value in (("PGHOST", "/evil"), ("PGPORT", "1"), ("PGUSER", "evil"), ("PGPASSWORD", "evil"),
                        ("PGSERVICE", "evil"), ("PGSERVICEFILE", str(tmp_path / "services")),
                        ("PGOPTIONS", "-c work_mem=77MB"), ("PGSSLMODE", "verify-full"), ("PGCONNECT_TIMEOUT", "x")):
        monkeypatch.setenv(name, value)
    with open_database(of(server), database) as session:
        assert session.execute("SELECT current_user::text, current_setting('work_mem')").fetchone() == (
            "postgres", "4MB")


@pytest.mark.parametrize("name", ["host=evil", "postgres://evil/x", "it's", "a \"b\"", "new\nline", "50%", "Möbel 🙂"])
def test_a_database_may_have_any_name(server, name):
    quoted = '"' + name.replace('"', '""') + '"'
    server.sql(f"CREATE DATABASE {quoted} TEMPLATE template0")
    try:
        with open_database(of(server), name) as session:
            assert session.execute("SELECT current_database()::text").fetchone() == (name,)
    finally:
        server.sql(f"DROP DATABASE {quoted}")


def test_a_missing_database_is_not_found(server):
    error = failure_of(NotFound, of(server), "nowhere")
    assert error.code == "connect.no_database"
    assert "'nowhere'" in error.message


def test_an_unreachable_server_is_unavailable(server, tmp_path):
    error = failure_of(Unavailable, of(server, host=str(tmp_path)))
    assert error.code == "connect.unreachable"
    # libpq's second line, a question, is neither run into the first nor ends the sentence
    assert error.message.endswith("failed: No such file or directory")


def test_an_unknown_user_is_a_setting_to_mend(server):
    error = failure_of(ConfigError, of(server, user="nobody_here"))
    assert (error.code, "no role 'nobody_here'" in error.message) == ("connect.rejected", True)
    assert 'CREATE ROLE "nobody_here" LOGIN' in error.hint


def test_a_bad_value_of_a_libpq_setting_is_a_setting_to_mend(server):
    error = failure_of(ConfigError, of(server, sslmode="maybe"))
    assert error.code == "connect.settings"
    assert "maybe" in error.message


def test_a_database_that_takes_no_connections_says_so(server, database):
    server.sql(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false")
    assert failure_of(ConfigError, of(server), database).code == "connect.no_connections"


def test_a_full_server_is_unavailable(empty_server):
    server = empty_server(16, config={"max_connections": "4", "superuser_reserved_connections": "0",
                                      "reserved_connections": "0", "max_wal_senders": "0"})
    sessions = [server.connect() for _number in range(4)]
    assert failure_of(Unavailable, of(server)).code == "connect.busy"
    for session in sessions:
        session.close()


def test_the_maintenance_database_is_template1_when_postgres_is_gone(empty_server):
    server = empty_server(16)
    server.sql("DROP DATABASE postgres", database="template1")
    with open_maintenance(of(server)) as session:
        assert session.info.dbname == "template1"


@pytest.mark.parametrize("settings, code", [({"password": "wrong-secret"}, "connect.password"),
                                            ({}, "connect.password")])
def test_a_wrong_or_missing_password_is_told_without_showing_it(empty_server, settings, code):
    server = empty_server(16, hba=SCRAM)
    server.sql("CREATE ROLE app LOGIN PASSWORD 'right'")
    error = failure_of(ConfigError, of(server, user="app", **settings))
    assert error.code == code
    assert "wrong-secret" not in str(error.as_dict())


def test_a_password_with_every_odd_sign_opens_a_session(empty_server, tmp_path):
    server = empty_server(16, hba=SCRAM)
    server.sql("CREATE ROLE app LOGIN PASSWORD 'p:a\\s''s w%rd'")
    path = tmp_path / "secret"
    path.write_text(PASSWORD + "\n")
    path.chmod(0o600)
    with open_database(of(server, user="app", password_file=str(path)), "postgres") as session:
        assert session.execute("SELECT current_user::text").fetchone() == ("app",)


def test_a_servers_facts_are_true(server, database):
    server.sql(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false")
    found = PgCluster(server.settings, environ={}).server()
    assert found.major == server.major
    assert (found.user, found.bootstrap_user, found.is_superuser, found.in_recovery) == (
        "postgres", "postgres", True, False)
    assert found.system_identifier == server.sql("SELECT system_identifier::text FROM pg_control_system()")[0][0]
    known = {each.name: each for each in found.databases}
    assert not known[database].allows_connections
    assert not known["template0"].allows_connections
    assert known["template1"].is_template
    assert known["postgres"].size > 1_000_000
    assert (known["postgres"].encoding, known["postgres"].collate, known["postgres"].ctype) == ("UTF8", "C", "C")


def test_a_plain_user_sees_what_it_may(server, database):
    server.sql("DROP ROLE IF EXISTS plain", "CREATE ROLE plain LOGIN",
               f"REVOKE CONNECT ON DATABASE {database} FROM PUBLIC")
    found = PgCluster({**server.settings, "user": "plain"}, environ={}).server()
    assert (found.user, found.is_superuser, found.bootstrap_user) == ("plain", False, "postgres")
    sizes = {each.name: each.size for each in found.databases}
    assert sizes[database] == 0
    assert sizes["postgres"] > 0


def test_a_hidden_system_identifier_is_told_with_the_grant_to_run(server):
    server.sql("DROP ROLE IF EXISTS blind", "CREATE ROLE blind LOGIN",
               "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
    try:
        with pytest.raises(ConfigError) as caught:
            PgCluster({**server.settings, "user": "blind"}, environ={}).server()
    finally:
        server.sql("GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC")
    assert "GRANT EXECUTE ON FUNCTION pg_catalog.pg_control_system() TO blind" in caught.value.hint
