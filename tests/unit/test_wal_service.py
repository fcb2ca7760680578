# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service that archives WAL in a compose stack fits the commands it starts and the variables that are read."""
from __future__ import annotations

import re
from pathlib import Path

import pytest

from _restorable.app.dispatch import EACH, ONE
from _restorable.errors import ConfigError
from _restorable.model.environment import read_environment

ROOT = Path(__file__).parents[2]
ROLE = ROOT / "roles" / "compose"
SERVICE = (ROLE / "templates" / "compose.yaml.j2").read_text().partition("\n  wal:\n")[2].partition("\n  recover:")[0]
VARIABLES = (ROLE / "vars" / "main.yml").read_text()
BOTH = {"WAL_SLOT": ("shop", "stream"), "WAL_DATA_DIRECTORY": ("/server", "push")}


def test_it_starts_verbs_that_there_are():
    verbs = re.findall(r"command: \[(\S+)\]", SERVICE)
    assert verbs == ["wal-stream", "wal-ship"]
    assert set(verbs) <= {**EACH, **ONE}.keys()


@pytest.mark.parametrize("variable", BOTH)
def test_its_variables_and_its_spool_are_those_that_are_read(variable):
    value, method = BOTH[variable]
    job = read_environment({variable: value}).settings.cluster("db").wal
    assert (job.method, value in (job.slot, job.data_directory)) == (method, True)
    assert f"'{variable}': " in VARIABLES
    assert f"target: {job.spool}}}" in SERVICE
    assert f" {job.spool}/status.json" in SERVICE


def test_wal_comes_by_one_way():
    with pytest.raises(ConfigError, match="WAL_SLOT and WAL_DATA_DIRECTORY are both set"):
        read_environment({"WAL_SLOT": "shop", "WAL_DATA_DIRECTORY": "/server"})


def test_the_page_names_the_roles_variables():
    page = (ROOT / "docs" / "wal.md").read_text()
    assert "compose_wal_slot: restorable" in page
    assert "compose_wal_data_directory: /var/lib/postgresql/data" in page
