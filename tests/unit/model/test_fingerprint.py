# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fingerprint as a value: its JSON, and how it widens by what moved during a dump."""
from __future__ import annotations

import json
from dataclasses import replace

import pytest

from _restorable.errors import Damaged
from _restorable.model.fingerprint import Fingerprint, LargeObjects, TableDigest

FOUND = Fingerprint(
    "full", {"public.orders": TableDigest(3, "-17", "hash"), 'public."ü"""': TableDigest(4)},
    {"public.s": (5, 5), "public.down": (9, 9)}, LargeObjects(2, 4096, "1:2"),
    {"view public.v": ("SELECT 1",), "table public.orders": ("permanent",),
     "sequence public.s": ("bigint start 1 increment 1",), "sequence public.down": ("bigint start 9 increment -1",)},
    ("rows of foreign tables: public.far",))


def later(**sequences):
    return Fingerprint("counts", sequences={f"public.{name}": value for name, value in sequences.items()})


def test_json_keeps_everything():
    assert Fingerprint.from_dict(json.loads(json.dumps(FOUND.as_dict()))) == FOUND


def test_rows_are_summed():
    assert FOUND.total_rows == 7


def test_an_unknown_format_is_refused_by_its_number():
    with pytest.raises(Damaged, match="format 2") as caught:
        Fingerprint.from_dict({**FOUND.as_dict(), "format": 2})
    assert caught.value.code == "fingerprint.unknown_format"


@pytest.mark.parametrize("change", [
    {"level": "some"}, {"extra": 1}, {"tables": {"t": [-1, None, "count"]}}, {"tables": {"t": [True, None, "count"]}},
    {"tables": {"t": [1, None, "hash"]}}, {"tables": {"t": [1, "5", "guess"]}}, {"tables": []},
    {"sequences": {"s": [1]}}, {"sequences": {"s": ["1", 2]}}, {"large_objects": [1, 2]}, {"objects": {"k": [1]}},
    {"not_covered": [None]},
])
def test_anything_malformed_is_damage(change):
    with pytest.raises(Damaged) as caught:
        Fingerprint.from_dict({**FOUND.as_dict(), **change})
    assert caught.value.code == "fingerprint.damaged"


@pytest.mark.parametrize("body", [None, [], "x", {}, {"format": 1}])
def test_what_is_no_fingerprint_is_damage(body):
    with pytest.raises(Damaged):
        Fingerprint.from_dict(body)


def test_a_sequence_that_moved_is_accepted_anywhere_on_its_way():
    assert FOUND.widened(later(s=(8, 8))).sequences["public.s"] == (5, 8)


def test_a_descending_sequence_moves_down():
    assert FOUND.widened(later(down=(4, 4))).sequences["public.down"] == (4, 9)


@pytest.mark.parametrize("moved", [{"s": (2, 2)}, {"down": (11, 11)}])
def test_a_sequence_that_was_set_back_or_cycled_has_no_bounds(moved):
    name = next(iter(moved))
    assert FOUND.widened(later(**moved)).sequences[f"public.{name}"] == (None, None)


def test_a_definition_that_changed_is_accepted_in_both_forms():
    changed = Fingerprint("counts", objects={"view public.v": ("SELECT 2",), "view public.new": ("SELECT 3",)})
    objects = FOUND.widened(changed).objects
    assert objects["view public.v"] == ("SELECT 1", "SELECT 2")
    assert "view public.new" not in objects


def test_what_did_not_move_stays_as_it_was():
    assert FOUND.widened(replace(FOUND, tables={}, level="counts")) == FOUND
