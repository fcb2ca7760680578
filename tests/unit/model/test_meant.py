# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which word was probably meant."""
from __future__ import annotations

import pytest

from _restorable.model.meant import did_you_mean


@pytest.mark.parametrize(("word", "how", "asked"), [
    ("backpu", {}, "Did you mean backup?"), ("zzzz", {}, ""), ("bakp", {"alike": 0.95}, ""),
    ("listt", {"form": "`restorable {}`"}, "Did you mean `restorable list`?")])
def test_the_nearest_word_is_asked_for_and_no_other(word, how, asked):
    assert did_you_mean(word, ["list", "backup"], **how) == asked
