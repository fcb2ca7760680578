# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of findings: the newest one counts, and a later one is named later whatever the clock says."""
from __future__ import annotations

from datetime import datetime, timezone

import pytest

from _restorable.model.finding import damaged_since, finding_name, parse_finding

NOW = datetime(2026, 11, 21, 3, tzinfo=timezone.utc)


@pytest.mark.parametrize("damaged", [True, False])
def test_a_name_is_read_as_it_was_written(damaged):
    assert parse_finding(finding_name(NOW, (), damaged=damaged)) == (NOW, damaged)


def test_a_later_finding_counts_under_a_clock_that_stands():
    names: list[str] = []
    for damaged in (True, False, True):
        names.append(finding_name(NOW, names, damaged=damaged))
        assert (damaged_since(names) is not None) == damaged
    assert len(set(names)) == 3


@pytest.mark.parametrize("name", ["verify.dump.zst", "verify.missing.json", "verify.20261399T000000Z.damaged.json"])
def test_another_objects_name_is_no_finding(name):
    assert parse_finding(name) is None
