# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts grow so that 5 TB fits into 10,000 of them, and memory stays what it was as long as it can."""
from __future__ import annotations

from _restorable.model.part_sizes import LARGEST_PART, MIB, MOST_PARTS, at_once, part_size

FIVE_TB = 5 * 1024 ** 4


def test_five_terabytes_fit_into_the_parts_that_s3_takes():
    assert sum(part_size(number, 8 * MIB) for number in range(1, MOST_PARTS + 1)) > FIVE_TB
    assert max(part_size(number, 8 * MIB) for number in range(1, MOST_PARTS + 1)) <= LARGEST_PART


def test_the_first_eight_gigabytes_need_no_larger_parts():
    assert {part_size(number, 8 * MIB) for number in range(1, 1001)} == {8 * MIB}
    assert part_size(1001, 8 * MIB) == 16 * MIB


def test_parts_never_grow_over_what_s3_takes():
    assert part_size(MOST_PARTS, 4096 * MIB) == LARGEST_PART


def test_larger_parts_are_fewer_at_once():
    assert [at_once(size * MIB, 8 * MIB, 8) for size in (8, 16, 32, 64, 128)] == [8, 4, 2, 1, 1]
