# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bech32 by BIP 173's own examples and by round trips."""
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from _restorable.model.bech32 import decode, encode


@pytest.mark.parametrize("text", [
    "A12UEL5L", "a12uel5l", "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", "?1ezyfcl",
    "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs"])
def test_what_bip_173_calls_valid_is_read(text):
    prefix, data = decode(text)
    assert encode(prefix, data) == text.lower()


@pytest.mark.parametrize(("text", "why"), [
    ("pzry9x0s0muk", "separator"), ("1pzry9x0s0muk", "separator"), ("x1b4n0q5v", "no letter"), ("li1dgmt3", "short"),
    ("de1lg7wt\xff", "no letter"), ("A1G7SGD8", "checksum"), ("10a06t8", "short"), ("a12uEL5L", "mixed"),
    ("\x7f1axkwrx", "prefix"), ("a12uel5m", "checksum")])
def test_what_is_not_is_refused_with_the_reason(text, why):
    with pytest.raises(ValueError, match=why):
        decode(text)


@given(some.binary(max_size=2000), some.from_regex(r"[a-z]{1,8}", fullmatch=True))
def test_any_bytes_come_back(data, prefix):
    assert decode(encode(prefix, data)) == (prefix, data)


@given(some.binary(min_size=32, max_size=32), some.integers(0, 57), some.integers(1, 31))
def test_one_wrong_letter_is_always_found(data, place, step):
    letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    text = encode("age", data)
    place += 4
    wrong = letters[(letters.index(text[place]) + step) % 32]
    with pytest.raises(ValueError, match="checksum"):
        decode(text[:place] + wrong + text[place + 1:])
