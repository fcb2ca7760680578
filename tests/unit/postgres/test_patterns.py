# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pg_dump's table patterns as regular expressions."""
from __future__ import annotations

import pytest

from _restorable.postgres.patterns import split_pattern


@pytest.mark.parametrize("pattern, parts", [
    ("orders", ["^(orders)$"]),
    ("Orders", ["^(orders)$"]),
    ('"Orders"', ["^(Orders)$"]),
    ("log_*", ["^(log_.*)$"]),
    ("log_?", ["^(log_.)$"]),
    ("sales.log_*", ["^(sales)$", "^(log_.*)$"]),
    ("*.*", ["^(.*)$", "^(.*)$"]),
    ('"a.b".c', [r"^(a\.b)$", "^(c)$"]),
    ('"a""b"', ['^(a"b)$']),
    ('"a*b"', [r"^(a\*b)$"]),
    ("a$b", [r"^(a\$b)$"]),
    ("log_[0-9]+", ["^(log_[0-9]+)$"]),
    ('FOO"BAR"BAZ', ["^(fooBARbaz)$"]),
    ("MÖBEL", ["^(mÖbel)$"]),
])
def test_a_pattern_means_what_psql_says(pattern, parts):
    assert split_pattern(pattern) == parts
