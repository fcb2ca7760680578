# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles and tablespaces that come and go while a set is dumped: what is committed restores."""
from __future__ import annotations

from contextlib import contextmanager

import pytest

from _restorable.errors import ConfigError, Unavailable
from kit.chain import Chain, failed

ONE, TWO = "roles_one", "roles_two"


class Changing:
    """A Cluster in which SQL runs in a database just before the second one is locked."""

    def __init__(self, cluster, change):
        self._cluster, self._change = cluster, change

    def __getattr__(self, name):
        return getattr(self._cluster, name)

    @contextmanager
    def session(self, database, *names, **options):
        if database == TWO:
            self._change()
        with self._cluster.session(database, *names, **options) as session:
            yield session


@pytest.fixture
def changing(servers, folder):
    """A function that returns a chain over two databases: as the second one is dumped, SQL runs in one of them."""
    server = servers.of(16)

    def make(*statements, database, **dump):
        chain = Chain(server, folder, databases=[ONE, TWO], **dump)
        chain.wrap_cluster = lambda cluster: Changing(cluster, lambda: server.sql(*statements, database=database))
        return chain
    server.sql(*(f"CREATE DATABASE {name} TEMPLATE template0" for name in (ONE, TWO)))
    server.sql("CREATE TABLE t AS SELECT 1 AS a", database=ONE)
    yield make
    server.sql(*(f"DROP DATABASE {name} WITH (FORCE)" for name in (ONE, TWO)),
               "DROP ROLE IF EXISTS late", 'DROP ROLE IF EXISTS "Gone ""too"""', "DROP ROLE IF EXISTS idle",
               "DROP TABLESPACE IF EXISTS aside")


@pytest.mark.parametrize("fingerprint", ["full", "none"])
def test_a_role_that_is_made_between_two_dumps_is_in_the_set(changing, fingerprint):
    chain = changing("CREATE ROLE late", "CREATE TABLE lately (a int)", "ALTER TABLE lately OWNER TO late",
                     database=TWO, fingerprint=fingerprint)
    chain.taken()
    evidence = chain.drill(checks=[{"sql": "SELECT tableowner = 'late' FROM pg_tables WHERE tablename = 'lately'",
                                    "database": TWO}])
    assert failed(evidence) == []
    assert evidence.verdict == ("passed" if fingerprint == "full" else "incomplete")


def test_a_role_that_a_dump_names_and_that_is_dropped_since_is_in_the_set_without_rights(changing):
    chain = changing('REASSIGN OWNED BY "Gone ""too""" TO postgres', 'DROP OWNED BY "Gone ""too"""',
                     'DROP ROLE "Gone ""too"""', "DROP ROLE idle", database=ONE)
    chain.server.sql('CREATE ROLE "Gone ""too""" LOGIN SUPERUSER', "CREATE ROLE idle",
                     'ALTER TABLE t OWNER TO "Gone ""too"""', database=ONE)
    manifest = chain.taken()
    [told] = [each for each in manifest.not_covered if "dropped" in each]
    assert told.startswith('role "Gone ""too""" was dropped during the backup')
    assert ONE in told
    evidence = chain.drill(checks=[
        {"sql": "SELECT tableowner = 'Gone \"too\"' FROM pg_tables WHERE tablename = 't'", "database": ONE},
        {"sql": "SELECT NOT rolcanlogin AND NOT rolsuper FROM pg_roles WHERE rolname ~ '^Gone'", "database": ONE},
        {"sql": "SELECT count(*) = 0 FROM pg_roles WHERE rolname = 'idle'", "database": ONE}])
    assert (evidence.verdict, failed(evidence)) == ("passed", [])
    assert [note for note in evidence.notes if "Gone" in note] == []


def test_a_set_whose_tablespace_was_dropped_meanwhile_is_not_committed(changing):
    chain = changing("ALTER TABLE t SET TABLESPACE pg_default", "DROP TABLESPACE aside", database=ONE)
    chain.server.sql("SET allow_in_place_tablespaces = on", "CREATE TABLESPACE aside LOCATION ''",
                     "ALTER TABLE t SET TABLESPACE aside", database=ONE)
    with pytest.raises(Unavailable, match=f"tablespace aside was dropped during the backup, .*{ONE}") as caught:
        chain.back_up()
    assert caught.value.code == "dump.moving"
    assert "run again" in caught.value.hint
    assert chain.ids() == []
    chain.wrap_cluster = lambda cluster: cluster
    manifest = chain.taken()           # the next run finds a server at rest
    assert chain.drill(str(manifest.id)).verdict == "passed"


class Dropping:
    """A Cluster whose role is dropped while the globals are dumped, as often as it is there."""

    def __init__(self, cluster, change):
        self._cluster, self._change = cluster, change

    def __getattr__(self, name):
        return getattr(self._cluster, name)

    def dump_globals(self):
        chunks = self._cluster.dump_globals()

        def dumped():
            yield from chunks
            self._change()
        return dumped()


def test_a_role_that_is_dropped_just_as_the_globals_are_dumped_is_met_with_another_attempt(changing):
    chain = changing("SELECT 1", database=ONE)
    chain.server.sql("CREATE ROLE late", "ALTER TABLE t OWNER TO late", database=ONE)
    drop = ("ALTER TABLE t OWNER TO postgres", "DROP ROLE IF EXISTS late")
    chain.wrap_cluster = lambda cluster: Dropping(cluster, lambda: chain.server.sql(*drop, database=ONE))
    manifest = chain.taken()
    assert [each for each in manifest.not_covered if "role late was dropped" in each]
    assert {path.name for path in chain.objects(manifest.id)} == {
        "manifest.json", *(item.name for item in manifest.items)}
    evidence = chain.drill()
    assert (evidence.verdict, failed(evidence)) == ("passed", [])


def test_the_right_to_read_passwords_is_asked_for_before_the_first_database_is_dumped(changing):
    chain = changing("SELECT 1 / 0", database=TWO)     # nothing comes so far
    chain.server.sql("CREATE ROLE late LOGIN")
    chain.own["connection"]["user"] = "late"
    with pytest.raises(ConfigError, match="'late' may not read the roles' passwords"):
        chain.back_up()
    assert chain.ids() == []
