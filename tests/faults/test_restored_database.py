# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A database that is restored under its own name has its own owner, grants, settings and comment again."""
from __future__ import annotations

import shutil

import pytest

from _restorable.errors import RestorableError
from kit.chain import Chain, new_folder

PROPERTIES = """SELECT pg_get_userbyid(datdba)::text, datconnlimit,
    (SELECT array_agg(a::text ORDER BY a::text)::text FROM unnest(datacl) AS a),
    (SELECT setconfig::text FROM pg_db_role_setting WHERE setdatabase = d.oid AND setrole = 0),
    shobj_description(oid, 'pg_database') FROM pg_database d WHERE datname = 'owned'"""


@pytest.fixture
def chain(pg16):
    folder = new_folder()
    pg16.sql("DROP ROLE IF EXISTS landlord", "CREATE ROLE landlord", "CREATE DATABASE owned OWNER landlord",
             "ALTER DATABASE owned SET work_mem = '7MB'", "ALTER DATABASE owned CONNECTION LIMIT 9",
             "REVOKE CONNECT ON DATABASE owned FROM PUBLIC", "COMMENT ON DATABASE owned IS 'somebody''s'")
    pg16.sql("CREATE TABLE t AS SELECT 1 AS n", database="owned")
    yield Chain(pg16, folder, databases=["owned"])
    pg16.sql("DROP DATABASE IF EXISTS owned WITH (FORCE)", "DROP ROLE landlord")
    shutil.rmtree(folder)


@pytest.mark.parametrize("form", ["custom", "directory"])
def test_a_lost_database_comes_back_with_its_properties(chain, pg16, form):
    before = pg16.sql(PROPERTIES)
    chain.taken(format=form)
    pg16.sql("DROP DATABASE owned")
    _plan, notes = chain.restore(databases=("owned",))
    assert (pg16.sql(PROPERTIES), notes) == (before, [])
    assert pg16.sql("SELECT n FROM t", database="owned") == [(1,)]


def test_a_replaced_database_has_the_properties_of_the_backup(chain, pg16):
    before = pg16.sql(PROPERTIES)
    chain.taken()
    pg16.sql("ALTER DATABASE owned RESET work_mem", "ALTER DATABASE owned OWNER TO postgres",
             "COMMENT ON DATABASE owned IS NULL")
    _plan, notes = chain.restore(databases=("owned",), replace=True)
    assert (pg16.sql(PROPERTIES), notes) == (before, [])


def test_a_restore_under_another_name_says_what_it_leaves_out(chain, pg16):
    chain.taken()
    _plan, notes = chain.restore(databases=("owned",), into="guest")
    pg16.sql("DROP DATABASE guest")
    assert notes == ["the properties of database 'owned' (owner, grants, settings, comment) were not restored"]


def test_a_restore_that_fails_leaves_no_database(chain, pg16):
    pg16.sql("CREATE ROLE passing", "GRANT CONNECT ON DATABASE owned TO passing")
    chain.taken()
    pg16.sql("DROP DATABASE owned", "DROP ROLE passing")
    with pytest.raises(RestorableError, match="passing"):
        chain.restore(databases=("owned",))
    assert pg16.sql("SELECT count(*) FROM pg_database WHERE datname = 'owned'") == [(0,)]


def test_a_plain_dump_says_that_it_lacks_them_and_is_proven_all_the_same(chain):
    manifest = chain.taken(format="plain")
    assert any("owner, grants, settings and comment" in each for each in manifest.not_covered)
    evidence = chain.drill()
    assert (evidence.verdict, [each for each in evidence.checks if each.result == "failed"]) == ("passed", [])
    assert any("database current" in each for each in evidence.notes)


LOCALE = """SELECT pg_encoding_to_char(encoding)::text, datlocprovider::text, {}::text, datcollate::text, datctype::text
    FROM pg_database WHERE datname = '{}'"""


@pytest.fixture
def localized(servers, folder):
    """A function that makes a database with a locale provider on a major's server and returns server and chain."""
    made = []

    def make(major, options):
        server = servers.of(major)
        made.append(server)
        server.sql(f"CREATE DATABASE located TEMPLATE template0 {options}")
        server.sql("CREATE TABLE t AS SELECT 1 AS n", database="located")
        return server, Chain(server, folder, databases=["located"])
    yield make
    for server in made:
        server.sql("DROP DATABASE IF EXISTS located WITH (FORCE)", "DROP DATABASE IF EXISTS guest WITH (FORCE)")


@pytest.mark.parametrize("form", ["custom", "plain"])
@pytest.mark.parametrize(("major", "column", "options"), [
    (15, "daticulocale", "LOCALE_PROVIDER icu ICU_LOCALE 'de-AT'"),
    (15, "daticulocale", "LC_COLLATE 'C' LC_CTYPE 'C'"),
    (18, "datlocale", "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"),
])
def test_a_database_keeps_its_locale_provider_under_another_name(localized, major, column, options, form):
    server, chain = localized(major, options)
    before = server.sql(LOCALE.format(column, "located"))
    chain.taken(format=form)
    chain.restore(databases=("located",), into="guest")
    assert server.sql(LOCALE.format(column, "guest")) == before
    chain.restore(databases=("located",), replace=True)
    assert server.sql(LOCALE.format(column, "located")) == before
    assert server.sql("SELECT n FROM t", database="located") == [(1,)]


def test_a_libc_database_stays_one_on_a_server_whose_default_is_icu(localized):
    server, chain = localized(15, "LC_COLLATE 'C' LC_CTYPE 'C'")
    server.sql("CREATE DATABASE template0_icu TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en'",
               "ALTER DATABASE template0 RENAME TO template0_libc", "ALTER DATABASE template0_icu RENAME TO template0",
               "UPDATE pg_database SET datcollversion = NULL WHERE datname = 'template0'")  # as initdb does
    try:
        chain.taken()
        chain.restore(databases=("located",), into="guest")
        assert server.sql(LOCALE.format("daticulocale", "guest")) == [("UTF8", "c", None, "C", "C")]
    finally:
        server.sql("DROP DATABASE template0", "ALTER DATABASE template0_libc RENAME TO template0")
