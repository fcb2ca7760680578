# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which entries bring back a table, on tables of contents recorded from pg_restore 15, 16 and 18."""
from __future__ import annotations

import pathlib

import pytest

from _restorable.errors import ConfigError, NotFound
from _restorable.model.choice import choose, split_name
from _restorable.model.toc import parse_toc

RECORDED = pathlib.Path(__file__).parent / "recorded"
pytestmark = pytest.mark.parametrize("major", [15, 16, 18])


def recorded(major: int):
    return parse_toc((RECORDED / f"toc-{major}.txt").read_text())


def chosen(major: int, *tables: str, schemas=()) -> list[str]:
    toc = recorded(major)
    by_id = {entry.id: str(entry) for entry in toc.entries}
    return [by_id[each] for each in choose(toc, tables, schemas).ids]


def test_a_table_comes_with_everything_that_belongs_to_it(major):
    assert sorted(chosen(major, "public.orders")) == sorted([
        "TABLE public orders", "TABLE DATA public orders", "SEQUENCE public orders_id_seq",
        "SEQUENCE SET public orders_id_seq", "CONSTRAINT public orders orders_pkey", "INDEX public orders_total",
        "STATISTICS public orders_stat", "RULE public orders orders_rule", "TRIGGER public orders orders_touch",
        "FK CONSTRAINT public orders orders_customer_fkey", "ROW SECURITY public orders", "POLICY public orders p_app",
        "COMMENT public TABLE orders", "COMMENT public COLUMN orders.total", "COMMENT public INDEX orders_total",
        "COMMENT public CONSTRAINT orders_pkey ON orders", "COMMENT public TRIGGER orders_touch ON orders",
        "COMMENT public POLICY p_app ON orders", "ACL public TABLE orders", "ACL public COLUMN orders.total"])


def test_a_serial_column_comes_with_its_sequence_its_value_its_default_and_its_grants(major):
    assert {"SEQUENCE public customers_id_seq", "SEQUENCE OWNED BY public customers_id_seq",
            "SEQUENCE SET public customers_id_seq", "ACL public SEQUENCE customers_id_seq",
            "DEFAULT public customers id"} <= set(chosen(major, "customers"))


def test_a_name_that_begins_alike_is_another_table(major):
    assert not any("orders x" in each for each in chosen(major, "orders"))
    assert chosen(major, "orders x") == ["TABLE public orders x", "TABLE DATA public orders x"]


def test_foreign_keys_of_others_and_lost_views_and_publications_are_tried_later(major):
    toc = recorded(major)
    later = choose(toc, ["orders"]).later
    assert [each.what for each in later] == ["VIEW public big", "MATERIALIZED VIEW public mv",
                                             "FK CONSTRAINT sales lines lines_order_id_fkey",
                                             "PUBLICATION TABLE public pub orders"]
    by_id = {entry.id: str(entry) for entry in toc.entries}
    assert [by_id[each] for each in later[1].ids] == ["MATERIALIZED VIEW public mv",
                                                      "MATERIALIZED VIEW DATA public mv"]


def test_partitions_come_with_their_parent(major):
    found = chosen(major, "public.events")
    assert {"TABLE public events_2025", "TABLE sales events_2026", "TABLE DATA sales events_2026",
            "TABLE ATTACH sales events_2026", "INDEX ATTACH sales events_2026_body_idx",
            "INDEX public events_body", "CONSTRAINT sales events_2026 events_2026_pkey"} <= set(found)


def test_a_partition_alone_is_attached_after_its_indexes_are_there(major):
    found = chosen(major, "public.events_2025")
    assert "TABLE public events" not in found
    assert found.index("TABLE ATTACH public events_2025") > found.index("INDEX public events_2025_body_idx")
    assert found.index("TABLE ATTACH public events_2025") > found.index(
        "CONSTRAINT public events_2025 events_2025_pkey")


def test_a_child_by_inheritance_stays_out_and_keeps_its_own_default(major):
    assert chosen(major, "typed_parent") == ["TABLE public typed_parent", "TABLE DATA public typed_parent"]
    assert "DEFAULT public child b" in chosen(major, "child")


def test_a_schema_comes_whole(major):
    found = chosen(major, schemas=["sales"])
    assert {"SCHEMA sales", "TYPE sales state", "TABLE sales lines", "TABLE DATA sales lines",
            "FK CONSTRAINT sales lines lines_order_id_fkey"} <= set(found)
    assert not any(" public " in each for each in found)


@pytest.mark.parametrize("name", ["public.order", "sales.orders", "nothing"])
def test_a_table_that_is_not_there_is_named_with_what_is_near(major, name):
    with pytest.raises(NotFound, match=f"table '{name}' is not in the backup") as caught:
        choose(recorded(major), [name])
    assert ("It holds" in caught.value.hint, "public.orders" in caught.value.hint) == (True, True)
    with pytest.raises(NotFound, match="schema 'shop'"):
        choose(recorded(major), schemas=["shop"])


@pytest.mark.parametrize(("text", "expected"), [
    ("orders", (None, "orders")), ("public.Orders", ("public", "Orders")), ('"a.b".c', ("a.b", "c")),
    ('public."x ""y"""', ("public", 'x "y"')), ("new\nline", (None, "new\nline"))])
def test_names_are_split_at_the_dot_outside_of_quotes(major, text, expected):
    assert split_name(text) == expected


@pytest.mark.parametrize("text", ["", ".", "a.", ".b", "a.b.c", 'a"b', '"a'])
def test_what_is_no_name_is_refused(major, text):
    with pytest.raises(ConfigError, match="is not valid"):
        split_name(text)
