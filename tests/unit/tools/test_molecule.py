# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every molecule scenario must say, so that a killed run never breaks the next one."""
from __future__ import annotations

from pathlib import Path

import gates
import pytest
import yaml

ROOT = Path(__file__).parents[3]
SCENARIOS = sorted(path.parent for path in (ROOT / "molecule").glob("*/molecule.yml"))


@pytest.mark.parametrize("folder", SCENARIOS, ids=lambda folder: folder.name)
def test_a_scenario_is_destroyed_before_it_is_prepared_and_at_the_end(folder):
    body = yaml.safe_load((folder / "molecule.yml").read_text())
    sequence = body["scenario"]["test_sequence"]
    assert (sequence[0], sequence[-1]) == ("destroy", "destroy")
    assert (folder / body["provisioner"]["playbooks"]["destroy"]).exists()


@pytest.mark.parametrize("folder", SCENARIOS, ids=lambda folder: folder.name)
def test_a_scenario_tests_the_checkout_and_no_stale_copy_of_it(folder):
    assert yaml.safe_load((folder / "molecule.yml").read_text())["prerun"] is False


def test_a_scenario_keeps_its_state_in_the_checkout():
    assert f"MOLECULE_EPHEMERAL_DIRECTORY={ROOT}/.work/molecule/default" in gates.molecule("default").argv
