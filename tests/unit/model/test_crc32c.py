# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CRC-32C: known sums, and the same sum however the bytes are cut."""
from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from _restorable.model.crc32c import Crc32c

# RFC 3720, B.4, and the usual check value; as four bytes in a little-endian memory
KNOWN = [(b"", "00000000"), (b"123456789", "839206e3"), (bytes(32), "aa36918a"), (b"\xff" * 32, "43aba862"),
         (bytes(range(32)), "4e79dd46")]


def digest(*pieces: bytes) -> str:
    found = Crc32c()
    for piece in pieces:
        found.update(piece)
    return found.hexdigest()


@pytest.mark.parametrize(("data", "expected"), KNOWN)
def test_known_sums(data, expected):
    assert digest(data) == expected


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=1, max_size=97), st.integers(1, 300), st.integers(1, 9000))
def test_the_sum_does_not_depend_on_the_cuts(seed, times, cut):
    data = seed * times
    small = digest(*(data[place:place + 100] for place in range(0, len(data), 100)))
    assert digest(data) == small == digest(data[:cut], data[cut:])
