# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A source that changes during the dump: what is dumped is one moment, and the drill finds no difference."""
from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import datetime, timezone

import pytest

from _restorable.errors import Unavailable
from _restorable.model.retained import retained
from kit.chain import Chain, failed, programs
from kit.servers import MAJORS

BANK = (
    "CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL, note text DEFAULT 'x')",
    "INSERT INTO account SELECT g, 0 FROM generate_series(1, 2000) g",
    "CREATE TABLE history (id serial PRIMARY KEY, account int REFERENCES account, delta int)",
    "CREATE TABLE tally (only_one boolean PRIMARY KEY DEFAULT true, total int)", "INSERT INTO tally VALUES (true, 0)",
    "CREATE SEQUENCE ticket INCREMENT 5", "CREATE VIEW rich AS SELECT * FROM account WHERE balance > 100",
    "CREATE FUNCTION fee(a int) RETURNS int LANGUAGE sql AS 'SELECT a + 0'",
    "CREATE TABLE lent (id int) PARTITION BY RANGE (id)",
    "CREATE TABLE lent_1 PARTITION OF lent FOR VALUES FROM (0) TO (1000)",
)

# Each writer repeats its own until it is stopped; {n} counts.
WRITERS = (
    ("BEGIN", "UPDATE account SET balance = balance + {n} % 7 WHERE id = 1 + {n} % 2000",
     "INSERT INTO history (account, delta) VALUES (1 + {n} % 2000, {n} % 7)",
     "UPDATE tally SET total = total + {n} % 7", "COMMIT"),
    ("SELECT nextval('ticket')", "DELETE FROM history WHERE id % 3 = 0 AND id < (SELECT max(id) FROM history) - 100",
     "INSERT INTO lent VALUES ({n} % 1000)", "SELECT lo_unlink(lo_from_bytea(0, 'brief'))"),
    ("CREATE TABLE fleeting_{n} (id serial PRIMARY KEY, a int)", "INSERT INTO fleeting_{n} (a) VALUES (1)",
     "CREATE INDEX ON fleeting_{n} (a)", "CREATE VIEW fleeting_view_{n} AS SELECT * FROM fleeting_{n}",
     "DROP TABLE fleeting_{n} CASCADE"),
    ("CREATE TABLE lasting_{n} AS SELECT {n} AS a", "CREATE INDEX account_{n} ON account (note, balance)",
     "CREATE TABLE truncated_{n} (a int)", "TRUNCATE truncated_{n}", "COMMENT ON TABLE lasting_{n} IS 'n {n}'",
     "CREATE SCHEMA space_{n}", "CREATE TYPE space_{n}.kind AS ENUM ('a', 'b')",
     "GRANT SELECT ON lasting_{n} TO PUBLIC"),
)


class Load:
    """Sessions that write until the block ends."""

    def __init__(self, server, database):
        self._server, self._database = server, database
        self._stop = threading.Event()
        self.rounds = [0] * len(WRITERS)
        self._threads = [threading.Thread(target=self._write, args=(each,)) for each in range(len(WRITERS))]

    def __enter__(self):
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_error):
        self._stop.set()
        for each in self._threads:
            each.join()

    def _write(self, number):
        n = 0
        with self._server.connect(self._database) as session:
            while not self._stop.wait(0.003 if number < 2 else 0.02):
                n += 1
                for statement in WRITERS[number]:
                    session.execute(statement.format(n=n))
                self.rounds[number] = n


@pytest.mark.parametrize("major", MAJORS)
def test_a_busy_source_causes_no_false_alarm(servers, folder, major):
    server = servers.of(major)
    forms = ("custom", "directory", "plain") if major == 16 else ("custom", "custom")
    server.sql("CREATE DATABASE bank TEMPLATE template0")
    try:
        server.sql(*BANK, database="bank")
        # pg_dump begins half a second after the snapshot, so that much has changed in between
        slow = programs(server, folder, pg_dump='sleep 0.5; exec $REAL "$@"')
        chain = Chain(server, folder, databases=["bank"], bin_dir=slow)
        with Load(server, "bank") as load:
            sets = [(form, chain.taken(format=form), list(load.rounds)) for form in forms]
        assert all(load.rounds)
        for before, after in zip(sets, sets[1:]):
            assert all(one < other for one, other in zip(before[2], after[2]))
        balanced = [{"sql": "SELECT (SELECT sum(balance) FROM account) = (SELECT total FROM tally)", "name": "balance"}]
        for form, manifest, _rounds in sets:
            evidence = chain.drill(str(manifest.id), checks=balanced)
            assert (form, evidence.verdict, failed(evidence)) == (form, "passed", [])
    finally:
        server.sql("DROP DATABASE bank WITH (FORCE)")


class LateFingerprint:
    """A Cluster whose fingerprint begins only after pg_dump has ended and its sequences have moved on."""

    def __init__(self, cluster, move):
        self._cluster, self._move = cluster, move

    def __getattr__(self, name):
        return getattr(self._cluster, name)

    @contextmanager
    def session(self, *names, **options):
        with self._cluster.session(*names, **options) as session:
            dumped = threading.Event()
            stream, fingerprint = session.stream, session.fingerprint

            def to_its_end(*words):
                yield from stream(*words)
                dumped.set()

            def late(level):
                assert dumped.wait(60)
                self._move()
                return fingerprint(level)

            session.stream, session.fingerprint = to_its_end, late
            yield session


def test_a_sequence_that_moves_between_the_dump_and_a_slow_fingerprint_is_no_false_alarm(servers, folder):
    server = servers.of(16)
    server.sql("CREATE DATABASE bank TEMPLATE template0")
    try:
        server.sql(*BANK, "SELECT nextval('ticket')", database="bank")
        chain = Chain(server, folder, databases=["bank"])
        chain.wrap_cluster = lambda cluster: LateFingerprint(
            cluster, lambda: server.sql("SELECT nextval('ticket') FROM generate_series(1, 9)", database="bank"))
        chain.taken()
        evidence = chain.drill()
        assert (evidence.verdict, failed(evidence)) == ("passed", [])
    finally:
        server.sql("DROP DATABASE bank WITH (FORCE)")


CHANGES = {   # made once, after the locks and the snapshot and before pg_dump begins; & where it must wait for us
    "a dropped table": "DROP TABLE history &",
    "a dropped view": "DROP VIEW rich",
    "a dropped function": "DROP FUNCTION fee",
    "a new function": "CREATE OR REPLACE FUNCTION fee(a int) RETURNS int LANGUAGE sql AS 'SELECT a + 1'",
    "a dropped schema": "DROP SCHEMA aside CASCADE",
    "a dropped role": "DROP ROLE brief",
    "a dropped grantee": "DROP OWNED BY granted; DROP ROLE granted",
}


@pytest.mark.parametrize(("change", "form"), [
    *((change, "custom") for change in CHANGES), ("a dropped function", "plain"), ("a dropped function", "directory")])
def test_what_changes_as_pg_dump_begins_is_met_with_a_new_snapshot(servers, folder, change, form):
    server = servers.of(16)
    server.sql("CREATE DATABASE bank TEMPLATE template0", "CREATE ROLE brief", "CREATE ROLE granted")
    sql, waits, _rest = CHANGES[change].partition(" &")
    once = folder / "once"
    psql = f'{server.bin_dir}/psql -h {server.folder} -U postgres -qXd bank -c "{sql}"'
    # a pipe that the change keeps open would be waited for
    change_it = (f"if mkdir {once} 2>/dev/null; then {psql} {'>/dev/null 2>&1 & sleep 0.4' if waits else '>&2'}; fi\n"
                 'exec $REAL "$@"')
    try:
        server.sql(*BANK, "CREATE SCHEMA aside", "CREATE TYPE aside.kind AS ENUM ('a')",
                   "GRANT SELECT ON account TO granted", database="bank")
        chain = Chain(server, folder, databases=["bank"], bin_dir=programs(server, folder, pg_dump=change_it),
                      format=form, fingerprint="full" if form == "custom" else "none")
        chain.taken()
        assert once.exists()
        evidence = chain.drill()
        assert (evidence.verdict, failed(evidence)) == ("passed" if form == "custom" else "incomplete", [])
    finally:
        server.sql("DROP DATABASE bank WITH (FORCE)", "DROP ROLE IF EXISTS brief", "DROP ROLE IF EXISTS granted")


class LateMove:
    """A Cluster whose first fingerprint finds, after the dump was stored, that a definition had moved."""

    def __init__(self, cluster):
        self._cluster, self.left = cluster, 1

    def __getattr__(self, name):
        return getattr(self._cluster, name)

    @contextmanager
    def session(self, *names, **options):
        with self._cluster.session(*names, **options) as session:
            session.settle = self._late(session.settle)
            yield session

    def _late(self, settle):
        def settled(found):
            if self.left:
                self.left -= 1
                raise Unavailable("function public.fee changed", code="dump.moving", hint="Wait.")
            return settle(found)
        return settled


def test_a_dump_that_was_stored_before_it_was_known_to_be_of_two_moments_is_taken_again(good):
    good.wrap_cluster = LateMove
    manifest = good.taken()
    assert {path.name for path in good.objects(manifest.id)} == {
        "manifest.json", *(item.name for item in manifest.items)}
    assert good.drill().verdict == "passed"


def test_a_source_that_never_rests_is_given_up_and_nothing_is_left(good, fails):
    def restless(cluster):
        late = LateMove(cluster)
        late.left = 1000
        return late
    good.wrap_cluster = restless
    with fails(good, "dump.moving", "public.fee"):
        good.back_up()


class Locked:
    """A Store that keeps every dump by object lock, from the moment it is stored."""

    def __init__(self, inner):
        self.inner, self.name = inner, inner.name

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def delete(self, key):
        if "/backup/" in key:
            raise retained(f"{self.name}:{key}", datetime(2099, 1, 1, tzinfo=timezone.utc))
        self.inner.delete(key)


def test_where_object_lock_keeps_the_first_attempt_the_run_ends_and_says_so(good):
    before = good.ids()
    good.wrap_cluster, good.wrap_store = LateMove, Locked
    with pytest.raises(Unavailable, match="public.fee changed; another attempt .* object lock keeps local:") as caught:
        good.back_up()
    assert caught.value.code == "dump.moving"
    assert "Run the backup again" in caught.value.hint
    assert good.ids() == before
    good.wrap_cluster, good.wrap_store = (lambda cluster: cluster), (lambda store: store)
    manifest = good.taken()            # the lock is over: the next run sweeps what was left
    assert good.ids() == [*before, str(manifest.id)]
    assert [each for row in good.list() for each in row.catalogue.orphans()] == []


def test_two_databases_of_one_set_are_each_of_one_moment(servers, folder):
    """Databases have snapshots of their own: the manifest tells the moment of each."""
    server = servers.of(16)
    server.sql("CREATE DATABASE left_one TEMPLATE template0", "CREATE DATABASE right_one TEMPLATE template0")
    try:
        manifest = Chain(server, folder, databases=["left_one", "right_one"]).taken()
        begun = [each.begun for each in manifest.databases]
        assert begun == sorted(begun)
        assert len(set(begun)) == 2
    finally:
        server.sql("DROP DATABASE left_one", "DROP DATABASE right_one")
