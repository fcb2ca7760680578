# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings are read strictly: each error names the path and the value."""
from __future__ import annotations

import pytest

from _restorable.errors import ConfigError
from _restorable.model.reading import Reader, duration


def wrong(call, *arguments, **options) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        call(*arguments, **options)
    return caught.value


@pytest.mark.parametrize("body", [None, [], "text", 7])
def test_what_is_no_mapping_is_named(body):
    assert wrong(Reader, body, "clusters.shop").message == f"clusters.shop is {body!r}, not a mapping"


def test_an_absent_value_and_null_are_the_default():
    reader = Reader({"jobs": None}, "dump")
    assert reader.number("jobs", 4) == reader.number("other", 4) == 4


@pytest.mark.parametrize("value", ["4", 4.0, True, [4]])
def test_a_number_is_a_whole_number_and_no_boolean(value):
    error = wrong(Reader({"jobs": value}, "dump").number, "jobs", 1)
    assert error.message == f"dump.jobs is {value!r}" and error.hint == "It must be a whole number."


@pytest.mark.parametrize("value", [0, 65, -1])
def test_a_number_keeps_its_bounds(value):
    error = wrong(Reader({"jobs": value}, "dump").number, "jobs", 1, least=1, most=64)
    assert error.hint == "It must be at least 1 and at most 64."


@pytest.mark.parametrize("value", ["yes", "true", 1, 0])
def test_a_flag_is_not_guessed(value):
    assert wrong(Reader({"globals": value}, "dump").flag, "globals", True).hint == "It must be true or false."


def test_a_choice_names_all_words():
    error = wrong(Reader({"format": "tar"}, "dump").choice, "format", "custom", ("custom", "plain"))
    assert error.hint == "It must be one of custom, plain."


@pytest.mark.parametrize("value", ["app", ["app", 7], [""], {"app": 1}])
def test_texts_are_a_list_of_texts(value):
    assert wrong(Reader({"databases": value}, "dump").texts, "databases").hint == "It must be a list of texts."


def test_an_unknown_key_is_named_with_the_nearest_known_one():
    reader = Reader({"formt": "plain"}, "dump")
    reader.text("format")
    assert wrong(reader.done).message == "dump.formt is not a known setting"
    assert wrong(reader.done).hint == "Did you mean format?"


def test_an_unknown_key_like_no_other_is_told_all_known_ones():
    reader = Reader({7: "plain"}, "dump")
    reader.text("format"), reader.text("jobs")
    assert wrong(reader.done).hint == "Known keys are format, jobs."


@pytest.mark.parametrize(("value", "seconds"), [
    (90, 90), (0, 0), (1.5, 1.5), ("90", 90), ("90s", 90), ("15m", 900), ("24h", 86400), ("7d", 604800),
    ("2w", 1209600), ("1.5 h", 5400)])
def test_a_duration_has_a_unit_or_is_seconds(value, seconds):
    assert duration(value, "max_age") == seconds


@pytest.mark.parametrize("value", ["", "h", "-1h", -1, "1y", "1h30m", True, None, [1], "1 hour", "٣h"])
def test_what_is_no_duration_is_named(value):
    assert wrong(duration, value, "dump.max_age").message == f"dump.max_age is {value!r}"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_duration_is_a_real_length(value):
    assert "dump.max_age is" in wrong(duration, value, "dump.max_age").message
