# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service that receives WAL in a compose stack fits the command it starts and the variables that are read."""
from __future__ import annotations

import re
from pathlib import Path

from _restorable.app.dispatch import EACH, ONE
from _restorable.model.environment import read_environment

ROOT = Path(__file__).parents[2]
TEMPLATE = (ROOT / "roles" / "compose" / "templates" / "compose.yaml.j2").read_text()


def test_it_starts_a_verb_that_there_is_with_a_spool_that_is_read():
    service = TEMPLATE.partition("\n  wal:\n")[2].partition("\nvolumes:")[0]
    [verb] = re.findall(r"command: \[(\S+)\]", service)
    assert verb in {**EACH, **ONE} and "'WAL_SLOT': compose_wal_slot" in service
    job = read_environment({"WAL_SLOT": "shop"}).settings.cluster("db").wal
    assert (job.method, job.slot) == ("stream", "shop")
    assert f"target: {job.spool}}}" in service and f" {job.spool}/status.json" in service


def test_the_page_names_the_roles_variable():
    assert "compose_wal_slot: restorable" in (ROOT / "docs" / "wal.md").read_text()
