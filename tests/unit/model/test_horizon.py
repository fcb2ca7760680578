# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How old what is kept can become, of each kind of object that the settings speak of."""
from __future__ import annotations

import pytest

from _restorable.model.horizon import horizon, horizons
from _restorable.model.policy import Policy
from _restorable.model.settings import Settings


def cluster(**own):
    return Settings.of({"repositories": {"disk": {"path": "/backups"}}, "clusters": {"shop": own}}).cluster("shop")


@pytest.mark.parametrize(("policy", "days"), [
    ({"daily": 7}, 7), ({"weekly": 4}, 35), ({"monthly": 3}, 124), ({"yearly": 1}, 732), ({"within": "60d"}, 60)])
def test_how_old_a_kept_backup_can_be(policy, days):
    assert horizon(Policy.of(policy)) == days


@pytest.mark.parametrize(("own", "found"), [
    ({}, {"backups": 124, "evidence": 400}),
    ({"retention": {"dump": {"daily": 9}, "evidence": "40d"}}, {"backups": 9, "evidence": 40}),
    ({"retention": {"base": {"weekly": 8}}}, {"backups": 124, "evidence": 400, "base backups": 63, "WAL": 63}),
    ({"retention": {"wal": {"days": 30}}}, {"backups": 124, "evidence": 400, "base backups": 124, "WAL": 30}),
    ({"wal": {"method": "push"}}, {"backups": 124, "evidence": 400, "base backups": 124, "WAL": 124})])
def test_only_what_the_settings_speak_of_is_named(own, found):
    assert horizons(cluster(**own), {}) == found


def test_the_retention_of_a_repository_counts_before_that_of_the_cluster():
    own = {"dump": Policy.of({"daily": 3}), "base": Policy.of({"monthly": 12})}
    assert horizons(cluster(), own) == {"backups": 3, "evidence": 400, "base backups": 403, "WAL": 403}
