# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Chosen tables into a new database bring what they need, and a new database has a name that PostgreSQL keeps."""
from __future__ import annotations

import pytest

from _restorable.errors import ConfigError, ToolFailed

STATE = (
    "CREATE SCHEMA sales", "CREATE TYPE sales.state AS ENUM ('new', 'paid')",
    "CREATE DOMAIN sales.euro AS numeric(9, 2)",
    "CREATE FUNCTION sales.stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.note := ''seen''; RETURN NEW; END'",
    "CREATE SEQUENCE sales.number START 100",
    ("CREATE TABLE sales.bill (id int PRIMARY KEY DEFAULT nextval('sales.number'), customer int REFERENCES customer,"
     " state sales.state, total sales.euro, note text)"),
    "CREATE TRIGGER stamped BEFORE INSERT ON sales.bill FOR EACH ROW EXECUTE FUNCTION sales.stamp()",
    "CREATE VIEW sales.open AS SELECT * FROM sales.bill WHERE state = 'new'",
    "INSERT INTO sales.bill (customer, state, total) SELECT min(id), 'new', 5 FROM customer",
)


@pytest.fixture
def billed(chain, shop, pg16):
    pg16.sql(*STATE, database=shop)
    chain.taken()
    yield chain
    pg16.sql("DROP DATABASE IF EXISTS elsewhere")


@pytest.mark.parametrize("wish", [{"tables": ("sales.bill",)}, {"schemas": ("sales",)}])
def test_chosen_tables_come_into_a_new_database_with_what_they_need(billed, shop, pg16, wish):
    plan, notes = billed.restore(databases=(shop,), into="elsewhere", dry_run=True, **wish)
    [step] = plan.steps
    chosen = "sales.bill" if "tables" in wish else "schema sales"
    assert (step.action, step.detail) == ("create", f"a new database with {chosen} only")
    assert step.notes == (
        "stays out, for it needs what was not chosen: FK CONSTRAINT sales bill bill_customer_fkey",)
    plan, notes = billed.restore(databases=(shop,), into="elsewhere", **wish)
    [note] = notes
    assert note.startswith("FK CONSTRAINT sales bill bill_customer_fkey was not restored: ")
    pg16.sql("INSERT INTO sales.bill (state) VALUES ('paid')", database="elsewhere")
    assert pg16.sql("SELECT id, state::text, note FROM sales.bill ORDER BY id", database="elsewhere") == [
        (100, "new", "seen"), (101, "paid", "seen")]


def test_both_ends_of_a_foreign_key_come_with_it(billed, shop, pg16):
    plan, notes = billed.restore(databases=(shop,), into="elsewhere", tables=("sales.bill", "customer"))
    assert (plan.steps[0].notes, notes) == ((), [])
    assert pg16.sql("SELECT conname::text FROM pg_constraint WHERE contype = 'f'", database="elsewhere") == [
        ("bill_customer_fkey",)]


def test_a_view_without_its_table_says_what_to_choose_and_leaves_no_database(billed, shop, pg16):
    with pytest.raises(ToolFailed, match="sales.bill") as caught:
        billed.restore(databases=(shop,), into="elsewhere", tables=("sales.open",))
    assert "something that was not chosen" in caught.value.hint
    assert pg16.sql("SELECT FROM pg_database WHERE datname ~ 'elsewhere'") == []


@pytest.mark.parametrize(("into", "message"), [
    ("template1", "of which every new database is a copy"), ("template0", "of which every new database is a copy"),
    ("x" * 64, "64 bytes long; PostgreSQL would cut it"), ("ü" * 32, "64 bytes long; PostgreSQL would cut it")])
def test_a_name_that_no_new_database_can_have_is_refused(billed, shop, pg16, into, message):
    before = pg16.sql("SELECT datname::text FROM pg_database ORDER BY 1")
    for dry_run in (True, False):
        with pytest.raises(ConfigError, match=message):
            billed.restore(databases=(shop,), into=into, replace=True, dry_run=dry_run)
    assert pg16.sql("SELECT datname::text FROM pg_database ORDER BY 1") == before
    assert pg16.sql("SELECT FROM pg_class WHERE relname = 'customer'", database="template1") == []
