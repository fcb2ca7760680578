# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of sealed WAL tell for whom it is sealed, and which of several forms is valid."""
from __future__ import annotations

import pytest

from _restorable.model.wal_naming import parse_wal_key
from _restorable.model.wal_sealing import generation_of, generations, is_sealed_for, rekeyed_key, sealed_suffix, valid

STEM = f"shop/wal/00000001/0000000100000000/000000010000000000000003-{'ab' * 16}"
KEYS = ("age1old", "age1safe")


def stored(suffix, stem=STEM):
    found = parse_wal_key(stem + suffix, 7)
    assert found is not None and found.suffix == suffix
    return found


@pytest.mark.parametrize("packed", [".zst", ""])
def test_a_name_tells_its_keys_in_any_order_and_no_others(packed):
    mine = stored(sealed_suffix(packed, KEYS))
    assert is_sealed_for(mine, KEYS) and is_sealed_for(mine, KEYS[::-1])
    assert not is_sealed_for(mine, KEYS[:1]) and not is_sealed_for(mine, ())
    assert mine.suffix.startswith(packed) and mine.suffix.endswith(".age")


@pytest.mark.parametrize("suffix", [".zst.age", ".age", ".zst", "", ".zst.r1.age", ".zst.odd.age"])
def test_a_name_that_tells_no_keys_is_sealed_for_nobody_that_is_known(suffix):
    assert not is_sealed_for(stored(suffix), KEYS)


@pytest.mark.parametrize(("suffix", "generation"), [
    ("", 0), (".zst", 0), (".zst.age", 0), (".zst.k0a1b2c3d.age", 0), (".zst.r1.k0a1b2c3d.age", 1),
    (".r12.k0a1b2c3d.age", 12)])
def test_each_rekey_makes_the_next_generation_under_the_same_stem(suffix, generation):
    mine = stored(suffix)
    assert generation_of(mine) == generation
    again = parse_wal_key(rekeyed_key(mine, KEYS))
    assert (again.name, again.digest, generation_of(again)) == (mine.name, mine.digest, generation + 1)
    assert is_sealed_for(again, KEYS) and (".zst" in again.suffix) == (".zst" in suffix)


def test_of_several_forms_the_latest_generation_is_valid_and_files_stay_apart():
    other = STEM.replace("03-", "04-")
    listing = [stored(".zst.age"), stored(".zst.k0a1b2c3d.age"), stored(".zst.r10.k0a1b2c3d.age"),
               stored(".zst.r9.k0a1b2c3d.age"), stored(".zst", other)]
    assert [each.suffix for each in valid(listing)] == [".zst.r10.k0a1b2c3d.age", ".zst"]
    assert [len(forms) for forms in generations(listing)] == [4, 1]
