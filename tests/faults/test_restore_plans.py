# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a restore refuses what would fail, and says what else would be lost and whether the backup is proven."""
from __future__ import annotations

import json

import pytest

from _restorable.errors import Damaged, NotFound
from kit.chain import flipped

FORMS = ["custom", "directory"]


@pytest.fixture(params=FORMS)
def viewed(chain, shop, pg16, request):
    """A chain with one backup of a database in which a view and a foreign key depend on the table customer."""
    pg16.sql("CREATE VIEW named AS SELECT name FROM customer", database=shop)
    chain.taken(format=request.param)
    return chain


@pytest.mark.parametrize(("wish", "code", "message", "hint"), [
    ({"tables": ("itme",)}, "restore.no_table", "'itme'", "Did you mean public.item"),
    ({"tables": ("public.item", "sales.item")}, "restore.no_table", "'sales.item'", "Did you mean public.item"),
    ({"schemas": ("sales",)}, "restore.no_schema", "'sales'", "It holds public"),
    ({"tables": ("item",), "schemas": ("slaes",)}, "restore.no_schema", "'slaes'", "It holds public"),
])
@pytest.mark.parametrize("into", ["", "elsewhere"])
def test_what_the_backup_does_not_hold_is_refused_by_the_plan(viewed, shop, fails, wish, code, message, hint, into):
    for dry_run in (True, False):
        with fails(viewed, code, message, hint) as caught:
            viewed.restore(databases=(shop,), into=into, dry_run=dry_run, **wish)
        assert isinstance(caught.value, NotFound)


def test_a_damaged_table_of_contents_is_no_missing_table(chain, shop):
    chain.taken(compression={"method": "none"})
    [path] = [path for path in chain.objects(chain.ids()[0]) if path.suffix == ".dump"]
    path.write_bytes(path.read_bytes().replace(b"customer", b"custodes"))
    with pytest.raises(Damaged, match="SHA-256"):
        chain.restore(databases=(shop,), tables=("customer",), into="other", dry_run=True)
    flipped(path, "first")
    with pytest.raises(Damaged, match="SHA-256"):
        chain.restore(databases=(shop,), tables=("customer",), into="other", dry_run=True)


def test_a_table_that_others_depend_on_is_refused_by_the_plan_and_they_are_named(viewed, shop, fails):
    with fails(viewed, "restore.dependents", "VIEW public named", "FK CONSTRAINT public item item_customer_fkey",
               "set cascade"):
        viewed.restore(databases=(shop,), tables=("customer",), clean=True, dry_run=True)


def test_what_cascade_drops_is_named_and_refused_if_it_would_not_come_back(viewed, shop, pg16, fails):
    pg16.sql("CREATE VIEW later AS SELECT id FROM customer", database=shop)
    with fails(viewed, "restore.dependents_lost", "VIEW public later", "pg_dump --schema-only"):
        viewed.restore(databases=(shop,), tables=("customer",), clean=True, cascade=True, dry_run=True)
    pg16.sql("DROP VIEW later", database=shop)
    plan, _notes = viewed.restore(databases=(shop,), tables=("customer",), clean=True, cascade=True, dry_run=True)
    assert plan.steps[0].notes == (
        "cascade drops FK CONSTRAINT public item item_customer_fkey, which the backup brings back as it was",
        "cascade drops VIEW public named, which the backup brings back as it was")
    viewed.restore(databases=(shop,), tables=("customer",), clean=True, cascade=True)
    assert pg16.sql("SELECT to_regclass('named')::text", database=shop) == [("named",)]


def test_what_else_comes_back_with_a_lost_table_is_told(viewed, shop, pg16):
    pg16.sql("DROP TABLE customer CASCADE", database=shop)
    plan, _notes = viewed.restore(databases=(shop,), tables=("customer",), dry_run=True)
    [note] = plan.steps[0].notes
    assert note == "brings back, if they are gone: VIEW public named, FK CONSTRAINT public item item_customer_fkey"


def test_a_schema_whose_tables_stand_is_refused_by_the_plan(viewed, shop, fails):
    with fails(viewed, "restore.table_exists", "public.customer exists"):
        viewed.restore(databases=(shop,), schemas=("public",), dry_run=True)


def test_the_plan_says_whether_the_backup_is_proven(good, shop):
    def planned(*words):
        status, out, err = good.run("restore", "--dry-run", "--database", shop, "--into", "other", *words)
        assert status == 0, err
        return out
    assert f"not proven: it was never drilled; `restorable --config {good.config()} drill 2" in planned()
    good.drill()
    assert "proven by a drill on 20" in planned()
    good.drill(checks=[{"sql": "SELECT 1", "database": shop, "expect": 2, "name": "wrong"}])
    assert "NOT proven: its drill on" in planned()
    assert "note: the last drill of backup" in planned()
    body = json.loads(planned("--json"))
    assert (body["verdict"], body["proof"][:10], body["leftovers"]) == ("failed", "NOT proven", [])


def test_a_table_without_its_database_is_refused_with_the_command_for_each_that_has_it(viewed, shop, pg16, fails):
    [only] = viewed.ids()
    with fails(viewed, "restore.partial", "public.item", f"`restorable restore {only} --database {shop} --table "
               "public.item`"):
        viewed.restore(tables=("public.item",), dry_run=True)
    pg16.sql(f"CREATE DATABASE {shop}_2 TEMPLATE {shop}", f"CREATE DATABASE {shop}_3 TEMPLATE template0")
    try:
        both = viewed.taken(databases=[shop, f"{shop}_2", f"{shop}_3"]).id
        command = f"`restorable restore {both} --database {shop}"
        with fails(viewed, "restore.partial", f"{command} --table item` or {command}_2 --table item`."):
            viewed.restore(backup=str(both), tables=("item",))
        with fails(viewed, "restore.partial", f"None of the databases {shop}, {shop}_2, {shop}_3"):
            viewed.restore(backup=str(both), schemas=("sales",))
    finally:
        pg16.sql(f"DROP DATABASE {shop}_2", f"DROP DATABASE {shop}_3")
