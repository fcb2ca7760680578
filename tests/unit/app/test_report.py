# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports are plain values: JSON takes them as they are, whatever an operation returns."""
from __future__ import annotations

import json
from datetime import datetime, timezone

from hypothesis import given
from hypothesis import strategies as st

from _restorable.app.report import plain, refused_prune_report
from _restorable.errors import Refused
from _restorable.model.catalogue import Backup, Catalogue
from _restorable.model.naming import BackupId
from _restorable.model.policy import Policy
from _restorable.model.retention import Candidate, plan_prune
from kit.memory_store import MemoryStore

NOW = datetime(2026, 11, 20, 3, tzinfo=timezone.utc)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.datetimes(timezones=st.just(timezone.utc))
    | st.just(BackupId(NOW, "dump")) | st.binary(),
    lambda inner: (st.lists(inner, max_size=3) | st.tuples(inner)
                   | st.dictionaries(st.text() | st.integers(), inner, max_size=3)), max_leaves=10)


@given(VALUES)
def test_a_plain_value_is_json(value):
    assert json.loads(json.dumps(plain(value))) == plain(value)


def test_a_refused_plan_is_reported_with_sizes_and_guards():
    ids = [BackupId(NOW.replace(day=day), "dump") for day in range(1, 10)]
    plan = plan_prune([Candidate(each, 7) for each in ids], Policy.of({"last": 1}), NOW)
    catalogue = Catalogue("shop", tuple(Backup(each, 7, True) for each in ids))
    told = refused_prune_report(Refused("x", details={"plans": [(MemoryStore("local"), catalogue, plan)]}))
    row = told["repositories"][0]
    assert (row["repository"], len(row["kept"]), len(row["dropped"]), row["freed"]) == ("local", 3, 6, 42)
    assert row["refusals"][0]["code"] == "prune.too_many" and not row["deleted"]


def test_another_refusal_has_no_plan_to_report():
    assert refused_prune_report(Refused("the marker is missing")) == {}
