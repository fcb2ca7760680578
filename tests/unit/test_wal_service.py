# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The compose service of docs/wal.md fits the stack's file that the role writes, and the command it starts."""
from __future__ import annotations

import re
from pathlib import Path

import yaml

from _restorable.app.dispatch import EACH, ONE
from _restorable.model.environment import read_environment
from _restorable.model.variables import KNOWN

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"```yaml\n(services:\n.*?)```", re.DOTALL)


def service():
    [block] = BLOCK.findall((ROOT / "docs" / "wal.md").read_text())
    return yaml.safe_load(block)["services"]["wal"]


def test_it_starts_a_verb_that_there_is_with_variables_that_are_read():
    found = service()
    assert found["command"][0] in {**EACH, **ONE} and set(found["environment"]) <= set(KNOWN)
    job = read_environment(found["environment"]).settings.cluster("db").wal
    assert (job.method, job.slot, job.spool) == ("stream", "restorable", "/spool")
    assert job.spool in {each["target"] for each in found["volumes"]}


def test_it_extends_the_service_of_the_file_that_the_role_writes():
    found = service()["extends"]
    defaults = yaml.safe_load((ROOT / "roles" / "compose" / "defaults" / "main.yml").read_text())
    template = (ROOT / "roles" / "compose" / "templates" / "compose.yaml.j2").read_text()
    assert found["file"] == defaults["compose_file"] and f"\n  {found['service']}:\n" in template
