# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""How large the parts of a multipart upload are when nobody knows yet how much will come. Pure.

S3 takes 10,000 parts of 5 MiB to 5 GiB. Parts of one size that lets 5 TB through would need half a gigabyte of memory
each, for the smallest dump too; so the size doubles with every 1,000 parts, and fewer parts are under way at once.
"""
from __future__ import annotations

MIB = 1024 * 1024
MOST_PARTS = 10_000
LARGEST_PART = 5 * 1024 * MIB
STEP = 1_000                           # parts of one size

# 8 MiB: 1,000 parts are 8 GiB, 2,000 are 24 GiB, 4,000 are 120 GiB, 9,600 are 6.4 TB


def part_size(number: int, base: int) -> int:
    """Return the size in bytes of a part, the first of which has number 1 and size base."""
    return min(base << ((number - 1) // STEP), LARGEST_PART)


def at_once(size: int, base: int, parallel: int) -> int:
    """Return how many parts of a size may be under way, so that they need no more memory than parallel ones of base."""
    return max(1, parallel * base // size)
