# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from _restorable.model.text import display_width, human_age, human_bytes, human_duration, table, visible


@pytest.mark.parametrize(("count", "text"), [
    (0, "0 B"), (1, "1 B"), (999, "999 B"), (1000, "1.0 kB"), (1234567890, "1.2 GB"), (9_949_999, "9.9 MB"),
    (9_950_000, "10 MB"), (34_600_000, "35 MB"), (999_400_000, "999 MB"), (999_500_000, "1.0 GB"), (-2500, "-2.5 kB"),
    (7 * 10 ** 20, "700 EB"), (1500.5, "1.5 kB"),
])
def test_sizes_are_decimal(count, text):
    assert human_bytes(count) == text


@pytest.mark.parametrize(("seconds", "text"), [
    (0, "0.0s"), (0.44, "0.4s"), (9.94, "9.9s"), (9.96, "10s"), (59.4, "59s"), (59.6, "1m00s"), (192.3, "3m12s"),
    (3599.4, "59m59s"), (3599.6, "1h00m"), (18120, "5h02m"), (86399, "1d00h"), (273600, "3d04h"), (-90, "-1m30s"),
    (timedelta(hours=5), "5h00m"),
])
def test_durations_have_two_units(seconds, text):
    assert human_duration(seconds) == text


@given(st.floats(0, 1e9))
def test_no_duration_has_sixty_of_a_unit(seconds):
    assert not re.search(r"(?<!\d)60[sm]|[1-9]d24h", human_duration(seconds))


@given(st.integers(0, 10 ** 21))
def test_no_size_has_a_thousand_of_a_unit(count):
    assert float(human_bytes(count).split()[0]) < 1000 or count > 999 * 10 ** 18


def test_an_age_lies_behind_or_ahead():
    now = datetime(2026, 11, 20, 3, 0, tzinfo=timezone.utc)
    assert human_age(now - timedelta(seconds=192), now) == "3m12s ago"
    assert human_age(now + timedelta(hours=5, minutes=2), now) == "in 5h02m"


def test_a_sentence_between_the_rows_of_a_table_widens_no_column():
    assert table([["not proven: it was never drilled"], ["add", "app"], ["replace", "b"]]) == [
        "not proven: it was never drilled", "add      app", "replace  b"]


def test_a_table_is_aligned_and_has_no_trailing_blanks():
    assert table([["ID", "SIZE", "STATE"], ["a-long-id", "1.2 GB", "ok"], ["b", "12 B", ""]], "<>") == [
        "ID           SIZE  STATE",
        "a-long-id  1.2 GB  ok",
        "b            12 B",
    ]


def test_wide_and_combining_characters_count_as_a_terminal_shows_them():
    assert [display_width(line) for line in table([["データ", "x"], ["u\u0308ber", "x"], ["plain", "x"]])] == [9, 9, 9]


@pytest.mark.parametrize(("rows", "lines"), [
    ([], []), ([[]], [""]), ([["a\nb", "c"]], ["a b  c"]), ([["a"], ["b", "c"]], ["a", "b  c"])])
def test_odd_tables(rows, lines):
    assert table(rows) == lines


@pytest.mark.parametrize(("text", "shown"), [
    ("plain ü", "plain ü"), ("a\nb", "a\\nb"), ("\x1b[31mred", "\\x1b[31mred"), ("\x9b31m", "\\x9b31m"),
    ("bell\x07, tab\t", "bell\\x07, tab\\t")])
def test_control_characters_are_spelled_out(text, shown):
    assert visible(text) == shown


def test_a_name_in_a_table_cannot_colour_it():
    assert table([["\x1b[31mRED\nerror: no", "1 kB"]]) == ["\\x1b[31mRED error: no  1 kB"]
