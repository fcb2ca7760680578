# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A restored database that is not what was dumped: one thing after another is damaged between restore and comparison.

All of it in one drill, since each damage has an object of its own; each is named, and what is whole is not.
"""
from __future__ import annotations

import os
import shutil
from contextlib import contextmanager

import pytest

from kit.chain import Chain, failed, new_folder

MADE = (
    "CREATE TABLE changed (a int, b text)", "CREATE TABLE deleted (a int)", "CREATE TABLE doubled (a int)",
    "CREATE TABLE retyped (a int)", "CREATE TABLE blanked (a text)", "CREATE TABLE gone (a int)",
    "INSERT INTO changed SELECT g, 'text ' || g FROM generate_series(1, 300) g",
    "INSERT INTO deleted SELECT generate_series(1, 300)", "INSERT INTO doubled VALUES (1), (1), (2)",
    "INSERT INTO blanked VALUES (''), ('x')", "INSERT INTO gone VALUES (1)",
    "CREATE TABLE whole (id int PRIMARY KEY, a int CHECK (a > 0))", "INSERT INTO whole VALUES (1, 1)",
    "CREATE TABLE marked (id int PRIMARY KEY, a int CONSTRAINT small CHECK (a < 9), b int)",
    "ALTER TABLE marked ADD CONSTRAINT linked FOREIGN KEY (b) REFERENCES whole",
    "CREATE INDEX marked_b ON marked (b)", "INSERT INTO marked VALUES (1, 1, 1)",
    "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE FUNCTION answer() RETURNS int LANGUAGE sql AS 'SELECT 42'",
    "CREATE TRIGGER touched BEFORE UPDATE ON marked FOR EACH ROW EXECUTE FUNCTION touch()",
    "COMMENT ON TABLE marked IS 'with a mark'", "GRANT SELECT ON marked TO PUBLIC",
    "CREATE VIEW seen AS SELECT a FROM marked", "CREATE SEQUENCE counted", "SELECT setval('counted', 1000)",
    "CREATE SEQUENCE lost_count", "SELECT lo_from_bytea(4711, 'large'), lo_from_bytea(4712, 'object')",
    "CREATE COLLATION plain (locale = 'C')",
)

DAMAGES = {
    "a changed row": ("UPDATE changed SET b = 'test 7' WHERE a = 7", "L4 data bent: table public.changed content"),
    "a deleted row": ("DELETE FROM deleted WHERE a = 7", "L4 data bent: table public.deleted rows"),
    "a duplicate for another": ("UPDATE doubled SET a = 2 WHERE ctid = '(0,1)'",
                                "L4 data bent: table public.doubled content"),
    "a NULL for nothing": ("UPDATE blanked SET a = NULL WHERE a = ''", "L4 data bent: table public.blanked content"),
    "a lost table": ("DROP TABLE gone", "L3 structure bent: table public.gone lost"),
    "another type": ("ALTER TABLE retyped ALTER a TYPE bigint", "L3 structure bent: column public.retyped.a changed"),
    "a lost index": ("DROP INDEX marked_b", "L3 structure bent: index public.marked_b on public.marked lost"),
    "a lost check": ("ALTER TABLE marked DROP CONSTRAINT small",
                     "L3 structure bent: constraint small on public.marked lost"),
    "a lost foreign key": ("ALTER TABLE marked DROP CONSTRAINT linked",
                           "L3 structure bent: constraint linked on public.marked lost"),
    "a lost trigger": ("DROP TRIGGER touched ON marked", "L3 structure bent: trigger touched on public.marked lost"),
    "a lost comment": ("COMMENT ON TABLE marked IS NULL", "L3 structure bent: comment table public.marked lost"),
    "a lost grant": ("REVOKE SELECT ON marked FROM PUBLIC", "L3 structure bent: grants table public.marked"),
    "a lost view": ("DROP VIEW seen", "L3 structure bent: view public.seen lost"),
    "another function": ("CREATE OR REPLACE FUNCTION answer() RETURNS int LANGUAGE sql AS 'SELECT 43'",
                         "L3 structure bent: function public.answer() changed"),
    "a sequence that fell back": ("SELECT setval('counted', 999)", "L4 data bent: sequence public.counted sequence"),
    "a lost sequence": ("DROP SEQUENCE lost_count", "L3 structure bent: sequence public.lost_count lost"),
    "a lost extension": ("DROP EXTENSION plpgsql CASCADE", "L3 structure bent: extension plpgsql lost"),
    "a lost large object": ("SELECT lo_unlink(4712)", "L4 data bent: large objects all lost"),
    "a lost collation": ("DROP COLLATION plain", "L3 structure bent: collation public.plain lost"),
}


class Bending:
    """A Scratch whose targets are damaged as soon as they are restored."""

    def __init__(self, scratch, statements):
        self._scratch, self._statements = scratch, statements

    def plan(self, major):
        return self._scratch.plan(major)

    def discard(self):
        self._scratch.discard()

    @contextmanager
    def start(self, major, bootstrap_user, *, keep_on_failure):
        with self._scratch.start(major, bootstrap_user, keep_on_failure=keep_on_failure) as target:
            yield Bent(target, self._statements)


class Bent:
    """A Target around a real one."""

    def __init__(self, target, statements):
        self._target, self._statements = target, statements

    def __getattr__(self, name):
        return getattr(self._target, name)

    def restore_staged(self, database, archive, options, *, like=None):
        import psycopg
        notes = self._target.restore_staged(database, archive, options, like=like)
        place = self._target.environment(database)
        with psycopg.connect(host=place["PGHOST"], port=place["PGPORT"], user=place["PGUSER"], dbname=database,
                             autocommit=True) as session:
            for statement in self._statements:
                session.execute(statement)
        return notes


@pytest.fixture(scope="module")
def bent(pg16):
    """The evidence of a drill in which everything was damaged, and of one in which nothing was."""
    folder = new_folder()
    pg16.sql("CREATE DATABASE bent TEMPLATE template0")
    pg16.sql(*MADE, database="bent")
    chain = Chain(pg16, folder, databases=["bent"])
    chain.taken()
    before = chain.drill()
    chain.wrap_scratch = lambda scratch: Bending(scratch, [sql for sql, _told in DAMAGES.values()])
    yield before, chain.drill()
    pg16.sql("DROP DATABASE bent")
    shutil.rmtree(folder)


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_drill_names(bent, damage):
    _before, after = bent
    assert after.verdict == "failed"
    told = DAMAGES[damage][1]
    assert any(line.startswith(told) for line in failed(after)), "\n".join(failed(after))


def test_what_is_whole_is_not_named(bent):
    before, after = bent
    assert (before.verdict, failed(before)) == ("passed", [])
    assert not any("whole" in line for line in failed(after))


def test_what_was_and_what_is_are_both_told(bent):
    [rows] = [each for each in bent[1].checks if "public.deleted rows" in each.detail]
    assert (rows.expected, rows.actual) == ("300 rows", "299 rows")
    [text] = [each for each in bent[1].checks if "column public.retyped.a" in each.detail]
    assert ("integer" in text.expected, "bigint" in text.actual) == (True, True)


@pytest.mark.parametrize("form", ["custom", "directory"])
def test_without_a_fingerprint_a_table_is_missed_whose_rows_the_archive_holds(good, form):
    good.taken(fingerprint="none", format=form)
    whole = good.drill()
    assert (whole.verdict, failed(whole)) == ("incomplete", [])
    good.wrap_scratch = lambda scratch: Bending(scratch, ["DROP TABLE item"])
    evidence = good.drill()
    [told] = failed(evidence)
    assert evidence.verdict == "failed"
    assert told.startswith("L2 tables shop_")
    assert "data of 2 tables, of which 1 are not in the restored database: public.item" in told


def test_a_lost_role_is_named(good):
    good.server.sql("CREATE ROLE lost_role")
    good.taken()
    good.wrap_scratch = lambda scratch: Bending(scratch, ["DROP ROLE lost_role"])
    evidence = good.drill()
    good.server.sql("DROP ROLE lost_role")
    assert "L3 globals: role lost_role lost" in failed(evidence)
    assert all("lost_role" in line for line in failed(evidence))


def test_a_question_of_ones_own_that_is_not_answered_as_expected_fails_the_drill(good, shop):
    evidence = good.drill(checks=[{"sql": "SELECT count(*) FROM customer", "expect": 199, "name": "customers"}])
    assert failed(evidence) == ["L6 customers: 'SELECT count(*) FROM customer' answered '200', expected '199'"]


def test_a_failed_drill_keeps_its_server_only_if_told(good):
    question = [{"sql": "SELECT 1", "expect": 2}]
    good.drill(checks=question)
    assert os.listdir(good.scratch) == []
    evidence = good.drill(checks=question, keep_on_failure=True)
    [kept] = os.listdir(good.scratch)
    assert any(kept in note and "rm -r" in note for note in evidence.notes)


def test_a_bad_backup_is_never_the_newest_good_one(good):
    [first] = good.ids()
    good.taken()
    good.wrap_scratch = lambda scratch: Bending(scratch, ["DELETE FROM item"])
    assert good.drill().verdict == "failed"
    kept = {str(row.id): row.reasons for row in good.prune(last=1, min_keep=0, min_age="0")[0].plan.rows}
    assert set(good.ids()) >= {first}, kept
