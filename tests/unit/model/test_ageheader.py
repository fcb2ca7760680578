# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Headers of age files: round trips, and where their end is seen. The public vectors force the malformed ones."""
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from _restorable.model.ageheader import (
    INTRO,
    LONGEST,
    BadHeader,
    Stanza,
    covered_by_mac,
    end_of_header,
    parse_header,
    raw64,
)

words = some.from_regex(r"[!-~]{1,70}", fullmatch=True)
stanzas = some.lists(some.builds(Stanza, words, some.lists(words, max_size=3).map(tuple), some.binary(max_size=200)),
                     min_size=1, max_size=4).map(tuple)


@given(stanzas, some.binary(min_size=32, max_size=32), some.binary(max_size=50))
def test_a_header_comes_back_and_its_end_is_found(wanted, mac, payload):
    data = covered_by_mac(wanted) + b" " + raw64(mac).encode() + b"\n"
    assert end_of_header(data + payload) == len(data)
    assert not any(end_of_header(data[:cut]) for cut in range(len(data)))
    found = parse_header(data)
    assert (found.stanzas, found.mac, found.covered + b" ") == (wanted, mac, data[:-44])


@pytest.mark.parametrize(("data", "why"), [
    (b"PGDMP", "does not begin"), (b"age-encryption.org/v2\n", "version is 'v2'"),
    (INTRO + b"-> " + b"x" * LONGEST, "no end within")])
def test_what_cannot_become_a_header_is_refused_at_once(data, why):
    with pytest.raises(BadHeader, match=why):
        end_of_header(data)


def test_a_header_for_nobody_is_none():
    with pytest.raises(BadHeader, match="nobody"):
        parse_header(INTRO + b"--- " + b"A" * 43 + b"\n")
