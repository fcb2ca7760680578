# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What two fingerprints differ in, told once each."""
from __future__ import annotations

import pytest

from _restorable.model.deparsed import same_meaning
from _restorable.model.differences import compare, compare_globals, incomparable
from _restorable.model.fingerprint import Fingerprint, LargeObjects, TableDigest


def structure(**objects):
    return Fingerprint("full", objects={key: (text,) for key, text in objects.items()})


def keyed(*keys):
    return Fingerprint("full", objects=dict.fromkeys(keys, ("definition",)))


def told(found):
    return [(each.kind, each.name, each.problem) for each in found if not each.note]


def data(level="full", **tables):
    return Fingerprint(level, {name: TableDigest(*digest) for name, digest in tables.items()})


def test_equal_fingerprints_differ_in_nothing():
    same = Fingerprint("full", {"t": TableDigest(1, "5", "hash")}, {"s": (1, 1)}, LargeObjects(1, 1, "1:1"),
                       {"table t": ("x",)})
    assert compare(same, same) == []


def test_what_hangs_on_a_lost_table_is_counted_and_not_listed():
    on_it = ["column public.t.a", "index public.i on public.t", "constraint c on public.t", "owner table public.t",
             "comment index public.i on public.t", "grants column public.t.a", "publication_table public.t in pub"]
    [only] = compare(keyed("table public.t", "table public.t2", *on_it), keyed("table public.t2"))
    assert (only.kind, only.name, only.problem) == ("table", "public.t", "lost")
    assert only.actual == "absent, with 7 that hang on it"


def test_a_lost_schema_speaks_for_its_tables():
    keys = ['schema "a.b"', 'table "a.b".t', 'column "a.b".t."c.d"', 'view "a.b".v', "table public.t"]
    assert told(compare(keyed(*keys), keyed("table public.t"))) == [("schema", '"a.b"', "lost")]


def test_an_index_that_alone_is_lost_is_told_with_its_table():
    keys = ["table public.t", "index public.i on public.t", "comment index public.i on public.t"]
    assert told(compare(keyed(*keys), keyed(keys[0]))) == [("index", "public.i on public.t", "lost")]


def test_rows_of_a_lost_table_are_not_missed_twice():
    before = Fingerprint("full", {"public.t": TableDigest(5)}, {"public.s": (1, 1)},
                         objects={"table public.t": ("x",), "sequence public.s": ("y",)})
    assert told(compare(before, Fingerprint("full"))) == [("sequence", "public.s", "lost"),
                                                          ("table", "public.t", "lost")]


def test_a_schema_public_that_the_source_had_dropped_is_a_note():
    assert told(compare(keyed(), keyed("schema public", "owner schema public", "comment schema public"))) == []


@pytest.mark.parametrize("before, after, problem", [
    ((5, "1", "hash"), (6, "1", "hash"), "rows"),
    ((5, "1", "hash"), (5, "2", "hash"), "content"),
    ((0, None, "count"), (1, None, "count"), "rows"),
])
def test_rows_are_compared_by_number_and_then_by_digest(before, after, problem):
    assert told(compare(data(t=before), data(t=after))) == [("table", "t", problem)]


def test_digests_made_in_two_ways_tell_nothing_and_are_named():
    before, after = data(t=(5, "1", "text"), u=(0, None, "count")), data(t=(5, "1", "hash"), u=(0, None, "count"))
    assert (compare(before, after), incomparable(before, after), incomparable(after, after)) == ([], ["t"], [])


def test_counts_are_compared_without_digests():
    assert compare(data("counts", t=(5, None, "count")), data("full", t=(5, "1", "hash"))) == []


def test_level_none_compares_nothing():
    assert compare(Fingerprint("none"), data(t=(5, "1", "hash"))) == []


@pytest.mark.parametrize("bounds, value, fine", [
    ((3, 3), 3, True), ((3, 3), 4, False), ((3, 9), 9, True), ((3, 9), 2, False), ((None, None), -7, True),
])
def test_a_sequence_must_lie_where_the_dump_may_have_seen_it(bounds, value, fine):
    found = compare(Fingerprint("full", sequences={"s": bounds}), Fingerprint("full", sequences={"s": (value, value)}))
    assert bool(found) is not fine


@pytest.mark.parametrize("after, problem", [
    (LargeObjects(1, 9, "1:1"), "lost"), (LargeObjects(3, 9, "1:1"), "added"), (LargeObjects(2, 8, "1:1"), "content"),
    (LargeObjects(2, 9, "1:2"), "content"),
])
def test_large_objects_are_compared_by_number_size_and_digest(after, problem):
    before = Fingerprint("full", large_objects=LargeObjects(2, 9, "1:1"))
    assert told(compare(before, Fingerprint("full", large_objects=after))) == [("large objects", "all", problem)]


def test_either_definition_of_one_that_changed_during_the_dump_is_right():
    before = Fingerprint("full", objects={"view v": ("one", "two")})
    assert compare(before, structure(**{"view v": "two"})) == []
    assert told(compare(before, structure(**{"view v": "three"}))) == [("view", "v", "changed")]


def test_a_long_definition_is_shown_from_shortly_before_the_difference():
    before, after = "x" * 900 + "old", "x" * 900 + "new"
    [found] = compare(structure(**{"view v": before}), structure(**{"view v": after}))
    assert found.expected.startswith("…") and found.expected.endswith("old")
    assert found.actual.endswith("new") and len(found.actual) < 200


@pytest.mark.parametrize("kind", ["extension_version", "collation_version"])
def test_versions_that_the_target_brings_are_notes(kind):
    [found] = compare(structure(**{f"{kind} x": "1"}), structure(**{f"{kind} x": "2"}))
    assert found.note


def test_roles_that_only_the_target_has_are_notes():
    found = compare_globals({"role app": "login", "role b": "x"}, {"role app": "nologin", "role other": "y"})
    assert told(found) == [("role", "app", "changed"), ("role", "b", "lost")]
    assert [each.name for each in found if each.note] == ["other"]


def test_a_tablespace_that_the_target_has_no_room_for_is_a_note():
    [found] = compare_globals({"tablespace fast": "owner a"}, {})
    assert found.note


@pytest.mark.parametrize("kind, one, other, same", [
    ("constraint", "CHECK (((status)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[])))",
     "CHECK (((status)::text = ANY (ARRAY[('a'::character varying)::text, ('b'::character varying)::text])))", True),
    ("constraint", "CHECK ((a)::text = 'x y')", "CHECK (a = 'x  y')", False),
    ("constraint", "CHECK (a > 1)", "CHECK (a > 2)", False),
    ("constraint", "CHECK (a = 'it''s ::text')", "CHECK (a = 'it''s ')", False),
    ("column", "date default '2024-01-01'::timestamp(3) without time zone", "date default '2024-01-01'", True),
    ("column", "numeric default 1::numeric(10,2)", "numeric default 1", True),
    ("column", "text default 'a'::shop.\"Odd Type\"[]", "text default 'a'", True),
    ("view", ' SELECT "a (b)" FROM t', ' SELECT "a b" FROM t', False),
    ("comment", "a (b)", "a b", False),
    ("function", "FUNCTION f()\nAS $function$ a b $function$", "FUNCTION f()\nAS $function$ a  b $function$", False),
    ("function", "FUNCTION f(a text DEFAULT ''::text)\nAS $$ a $$", "FUNCTION f(a text DEFAULT '')\nAS $$ a $$", True),
    ("function", "FUNCTION f()\n BEGIN ATOMIC SELECT (1); END", "FUNCTION f()\n BEGIN ATOMIC SELECT 1; END", True),
])
def test_only_whitespace_parentheses_and_casts_of_printed_trees_are_forgiven(kind, one, other, same):
    assert same_meaning(kind, one, other) is same


def test_memberships_of_an_older_server_are_found_on_a_newer_one():
    older = {"membership app in reader": "member admin", "membership app in writer": "member"}
    newer = {"membership app in reader granted by postgres": "member admin inherit set",
             "membership app in writer granted by boss": "member"}
    assert compare_globals(older, newer) == []
    [lost] = compare_globals(older, {"membership app in reader granted by boss": "member admin"})
    assert (lost.kind, lost.name, lost.problem) == ("membership", "app in writer", "lost")
    [changed] = compare_globals(older, {**newer, "membership app in reader granted by postgres": "member inherit"})
    assert (changed.name, changed.expected, changed.actual) == ("app in reader", "member admin", "member")
