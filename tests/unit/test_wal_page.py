# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory of docs/wal.md means what the page says beside it: of what is left out, and of a policy's tiers."""
from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from _restorable.model.policy import DEFAULT_TIERS, Policy
from _restorable.model.settings import Settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "wal.md").read_text()


@pytest.fixture
def shop():
    """The page's cluster."""
    [block] = [each for each in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "restorable_clusters" in each]
    variables = yaml.safe_load(block)
    return Settings.of({key.removeprefix("restorable_"): value for key, value in variables.items()}).cluster("shop")


def named(policy: Policy) -> dict[str, int]:
    return {tier: count for tier, count in policy.tiers().items() if count}


def test_a_job_keeps_the_defaults_of_what_it_does_not_name(shop):
    archived = {"shop": {"wal": {"method": "push"}}}
    plain = Settings.of({"repositories": {"local": {"path": "/b"}}, "clusters": archived}).cluster("shop")
    assert (shop.base, shop.dump, shop.drill) == (plain.base, plain.dump, plain.drill)
    assert set(shop.schedules) == {"base", "prune"}


def test_one_tier_switches_the_others_off_and_none_means_the_default(shop):
    assert named(shop.base_retention) == {"weekly": 4}
    assert named(shop.retention) == DEFAULT_TIERS == {"daily": 7, "weekly": 4, "monthly": 3}
    assert shop.wal_window.days == 7


def test_the_interpreter_of_the_page_is_the_roles_and_has_what_the_modules_need():
    defaults = yaml.safe_load((ROOT / "roles" / "agent" / "defaults" / "main.yml").read_text())
    assert f"ansible_python_interpreter={defaults['agent_venv']}/bin/python" in PAGE
    assert "['psycopg[binary]" in (ROOT / "roles" / "agent" / "vars" / "main.yml").read_text()
