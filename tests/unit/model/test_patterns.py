# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pg_dump's table patterns as regular expressions."""
from __future__ import annotations

import pytest

from _restorable.errors import ConfigError
from _restorable.model.patterns import NamePattern, parse_pattern


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
    ('"a[]"', [r"^(a\[\])$"]),
    ("a$b", [r"^(a\$b)$"]),
    ('"a$b"', [r"^(a\$b)$"]),
    ("a[]", [r"^(a\[])$"]),
    ("log_[0-9]+", ["^(log_[0-9]+)$"]),
    ('FOO"BAR"BAZ', ["^(fooBARbaz)$"]),
    ("MÖBEL", ["^(mÖbel)$"]),
    ("50%", ["^(50%)$"]),
])
def test_a_pattern_means_what_psql_says(pattern, parts):
    assert parse_pattern(pattern) == NamePattern(parts[-1], parts[0] if len(parts) > 1 else None)


def test_a_pattern_of_three_parts_begins_with_the_plain_name_of_a_database():
    assert parse_pattern('Shop."S".t*') == NamePattern("^(t.*)$", "^(S)$", "shop")


@pytest.mark.parametrize("pattern", ["", "a.b.c.d"])
def test_a_pattern_that_can_mean_nothing_is_refused_by_its_text(pattern):
    with pytest.raises(ConfigError, match=repr(pattern)):
        parse_pattern(pattern)
