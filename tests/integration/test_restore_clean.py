# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `--clean` and `--cascade` drop: the chosen relation and no other, and nothing that would not come back."""
from __future__ import annotations

import pytest

from _restorable.errors import NotFound, Refused
from _restorable.model.choice import choose
from _restorable.ports import RestoreOptions
from _restorable.postgres.folder import tar_folder
from _restorable.postgres.restore import PgTarget
from kit import shop as kit
from kit.command import Command

NEWLINE, SPACE = '"a\nb"', '"a b"'
LOOKALIKES = (f"CREATE TABLE {SPACE} (x int)", f"INSERT INTO {SPACE} VALUES (1)",
              f"CREATE TABLE {NEWLINE} (x int PRIMARY KEY)", f"INSERT INTO {NEWLINE} VALUES (2)")
SHOP = ("CREATE TABLE s (id int PRIMARY KEY, note text)", "INSERT INTO s VALUES (1, 'x')",
        "CREATE TABLE part (id int) PARTITION BY RANGE (id)", "CREATE TABLE lines (id int, s int)",
        "CREATE VIEW known AS SELECT * FROM s")
# each was made after the backup, and would be gone for good
MADE_SINCE = {
    "VIEW public later_view": "CREATE VIEW later_view AS SELECT * FROM s",
    "VIEW public second": "CREATE VIEW second AS SELECT * FROM known",
    "FUNCTION public f()": "CREATE FUNCTION f() RETURNS SETOF s LANGUAGE sql AS 'SELECT * FROM s'",
    "FK CONSTRAINT public lines fk": "ALTER TABLE lines ADD CONSTRAINT fk FOREIGN KEY (s) REFERENCES s",
    "TABLE public child": "CREATE TABLE child () INHERITS (s)",
    "policy p on public.lines": "CREATE POLICY p ON lines USING (s IN (SELECT id FROM s))",
    "table column public.lines.whole": "ALTER TABLE lines ADD COLUMN whole s",
    "PUBLICATION TABLE public pub s": "CREATE PUBLICATION pub FOR TABLE s",
}


def backed_up(server, database, folder, *statements):
    server.sql(*statements, database=database)
    shop = Command(folder, {"shop": {"connection": server.settings, "bin_dir": server.bin_dir,
                                     "jobs": {"dump": {"databases": [database], "globals": False}}}})
    assert shop("backup").status == 0
    shop.sql = lambda *text: server.sql(*text, database=database)
    shop.restore = lambda *words: shop("restore", "--database", database, *words)
    return shop


@pytest.fixture
def lookalikes(server, database, tmp_path):
    """A backup of two tables whose names are printed alike, and newer rows in one of them."""
    shop = backed_up(server, database, tmp_path, *LOOKALIKES)
    shop.sql(f"UPDATE {SPACE} SET x = 99")
    return shop


@pytest.fixture
def shop(server, database, tmp_path):
    return backed_up(server, database, tmp_path, *SHOP)


def test_a_table_with_a_newline_leaves_the_one_with_a_space_alone(lookalikes):
    lookalikes.sql(f"DROP TABLE {NEWLINE}", f"GRANT SELECT ON {SPACE} TO PUBLIC")
    ran = lookalikes.restore("--table", NEWLINE, "--clean")
    assert (ran.status, ran.err) == (0, "")
    assert lookalikes.sql(f"SELECT x FROM {SPACE}") == [(99,)]
    assert lookalikes.sql(f"SELECT x FROM {NEWLINE}") == [(2,)]
    assert lookalikes.sql(f"SELECT relacl IS NULL FROM pg_class WHERE oid = '{SPACE}'::regclass") == [(False,)]


def test_a_table_with_a_newline_that_stands_is_replaced_and_no_other(lookalikes):
    lookalikes.sql(f"UPDATE {NEWLINE} SET x = 98")
    refused = lookalikes.restore("--table", NEWLINE)
    assert (refused.status, "exists in database" in refused.err) == (4, True)
    assert lookalikes.restore("--table", NEWLINE, "--clean").status == 0
    assert lookalikes.sql(f"SELECT x FROM {SPACE}") == [(99,)]
    assert lookalikes.sql(f"SELECT x FROM {NEWLINE}") == [(2,)]


def test_a_table_with_a_space_is_the_one_that_comes_back(lookalikes):
    lookalikes.sql(f"DROP TABLE {SPACE}")
    assert lookalikes.restore("--table", SPACE).status == 0
    assert lookalikes.sql(f"SELECT x FROM {SPACE}") == [(1,)]


def test_a_name_is_not_taken_for_one_that_is_printed_alike(server, database):
    server.sql(*LOOKALIKES[2:], 'CREATE SCHEMA "x\ny"', 'CREATE TABLE "x\ny".t (a int)', database=database)
    target = PgTarget.to(server.settings, bin_dir=server.bin_dir)
    dump = kit.dump(server, database, "--format=custom")
    with pytest.raises(NotFound, match="'a b'"):
        target.restore(database, kit.chunks(dump), RestoreOptions(tables=("a b",), clean=True))
    server.sql('CREATE SCHEMA "x y"', 'CREATE TABLE "x y".new (a int)', database=database)
    with pytest.raises(NotFound, match="'x y'"):
        target.restore(database, kit.chunks(dump), RestoreOptions(schemas=("x y",), clean=True, cascade=True))
    target.restore(database, kit.chunks(dump), RestoreOptions(schemas=("x\ny",), clean=True, cascade=True))
    assert target.standing(database, [("x y", "new"), ("x\ny", "t")]) == ["x\ny.t", "x y.new"]


@pytest.mark.parametrize("form", ["custom", "tar", "directory"])
def test_the_outline_of_an_archive_tells_names_that_are_printed_alike(server, database, tmp_path, form):
    server.sql(*LOOKALIKES, database=database)
    if form == "directory":
        kit.dump(server, database, "--format=directory", f"--file={tmp_path}/dir")
        data = b"".join(tar_folder(str(tmp_path / "dir")))
    else:
        data = kit.dump(server, database, f"--format={form}")
    target = PgTarget.to(server.settings, bin_dir=server.bin_dir)
    toc = target.outline(kit.chunks(data), RestoreOptions(form))
    assert [each.place for each in choose(toc, [NEWLINE]).relations] == [("public", "a\nb")]
    assert [each.place for each in choose(toc, [SPACE]).relations] == [("public", "a b")]


@pytest.mark.parametrize("lost", MADE_SINCE, ids=lambda lost: lost.split(" on ")[0])
def test_what_the_backup_cannot_bring_back_is_named_and_not_dropped(shop, lost):
    shop.sql(MADE_SINCE[lost], "UPDATE s SET note = 'newer'")
    for words in (["--cascade", "--dry-run"], ["--cascade"]):
        ran = shop.restore("--table", "s", "--clean", *words)
        assert (ran.status, "does not bring back" in ran.err) == (4, True), ran
        assert lost in ran.err and "pg_dump" in ran.err and "known" not in ran.err
    assert shop.sql("SELECT note FROM s", "SELECT count(*) FROM known") == [(1,)]
    assert shop.sql("SELECT note FROM s") == [("newer",)]


def test_a_partition_that_was_made_since_is_not_dropped_with_its_parent(shop):
    shop.sql("CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (1) TO (9)", "INSERT INTO part VALUES (5)")
    ran = shop.restore("--table", "part", "--clean")
    assert (ran.status, "TABLE public part_2" in ran.err) == (4, True), ran
    assert shop.sql("SELECT id FROM part") == [(5,)]


def test_a_table_that_was_made_since_is_not_dropped_with_its_schema(server, database, tmp_path):
    shop = backed_up(server, database, tmp_path, "CREATE SCHEMA one", "CREATE TABLE one.t (a int)",
                     "CREATE FUNCTION one.f(int, text) RETURNS int LANGUAGE sql AS 'SELECT 1'",
                     "CREATE TYPE one.state AS ENUM ('new')", "CREATE DOMAIN one.d AS text",
                     "CREATE AGGREGATE one.total(int) (sfunc = int4pl, stype = int)")
    assert shop.restore("--schema", "one", "--clean", "--cascade").status == 0
    shop.sql("CREATE TABLE one.since (a int)")
    ran = shop.restore("--schema", "one", "--clean", "--cascade")
    assert (ran.status, "TABLE one since" in ran.err, "one.f" in ran.err) == (4, True, False), ran
    assert shop.sql("SELECT count(*) FROM one.since") == [(0,)]


def test_what_is_the_tables_own_is_no_dependent_and_comes_as_it_was(shop):
    shop.sql("CREATE INDEX since ON s (note)", "ALTER TABLE s ADD COLUMN extra serial, ADD CHECK (id > 0)",
             "CREATE RULE r AS ON DELETE TO s DO INSTEAD NOTHING", "CREATE STATISTICS st ON id, note FROM s",
             "CREATE POLICY p ON s USING (true)", "UPDATE s SET note = 'newer'")
    ran = shop.restore("--table", "s", "--clean", "--cascade")
    assert ran.status == 0, ran.err
    assert "cascade drops VIEW public known, which the backup brings back as it was" in ran.out
    assert shop.sql("SELECT note FROM known") == [("x",)]


def test_what_did_not_come_back_is_named_afterwards(shop):
    # the backup has the view, but not the function that is gone by now
    shop.sql("CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 1'",
             "CREATE VIEW calling AS SELECT g() FROM s")
    assert shop("backup").status == 0
    shop.sql("CREATE OR REPLACE VIEW calling AS SELECT 2 AS g FROM s", "DROP FUNCTION g()")
    ran = shop.restore("--table", "s", "--clean", "--cascade")
    assert ran.status == 0, ran.err
    assert "VIEW public calling was not restored" in ran.out + ran.err
    assert shop.sql("SELECT count(*) FROM known") == [(1,)]


def test_a_race_is_caught_before_anything_is_dropped(server, database):
    server.sql(*SHOP, database=database)
    dump = kit.dump(server, database, "--format=custom")
    server.sql(MADE_SINCE["VIEW public second"], database=database)
    target = PgTarget.to(server.settings, bin_dir=server.bin_dir)
    with pytest.raises(Refused, match="VIEW public second") as caught:
        target.restore(database, kit.chunks(dump), RestoreOptions(tables=("s",), clean=True, cascade=True))
    assert caught.value.code == "restore.dependents_lost"
