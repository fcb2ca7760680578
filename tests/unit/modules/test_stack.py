# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person wrote for a container, and what the role compose sets: which of the two counts."""
from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from _restorable.model.variables import VARIABLES

from .conftest import load

ROLE = Path(__file__).parents[3] / "roles" / "compose"
RETENTION = {"variable": "BACKUP_RETENTION_DAYS", "option": "compose_retention_days", "default": "14"}
SCHEDULE = {"variable": "BACKUP_SCHEDULE", "option": "compose_schedule", "default": "0 3 * * *"}


@pytest.fixture
def stack():
    return load("plugin_utils._stack")


def test_without_anything_the_role_decides(stack):
    options = [{**RETENTION, "value": "30"}, {**SCHEDULE, "value": "0 3 * * *"}]
    found = stack.stack_variables({"BACKUP_RPO": "1d"}, options)
    assert found == {"wrong": "", "variables": {"BACKUP_RETENTION_DAYS": "30", "BACKUP_SCHEDULE": "0 3 * * *",
                                                "BACKUP_RPO": "1d"}}


@pytest.mark.parametrize(("name", "option"), [
    ("SCHEDULE", SCHEDULE), ("BACKUP_SCHEDULE", SCHEDULE), ("DB_DUMP_BEGIN", SCHEDULE), ("BACKUP_INTERVAL", SCHEDULE),
    ("BACKUP_KEEP_DAYS", RETENTION), ("DB01_CLEANUP_TIME", RETENTION), ("BACKUP_RETENTION_DAYS_FILE", RETENTION)])
def test_what_a_person_wrote_wins_over_a_default_and_never_loses_in_silence(stack, name, option):
    found = stack.stack_variables({name: "7"}, [{**option, "value": option["default"]}])
    assert found == {"wrong": "", "variables": {name: "7"}}
    both = stack.stack_variables({name: "7"}, [{**option, "value": "other"}])
    assert both["wrong"] == (f"compose_environment.{name} and {option['option']} are both set, and each says what "
                             f"{option['variable']} is. Keep one of the two.")
    assert stack.stack_variables({name: ""}, [{**option, "value": "other"}])["wrong"] == ""


def test_a_second_password_is_refused_wherever_it_is(stack):
    password = {"variable": "DB_PASSWORD", "option": "compose_password", "secret": True}
    assert stack.stack_variables({}, [password], ["BACKUP_IDENTITY"]) == {"variables": {}, "wrong": ""}
    for environment, secrets, told in (({}, ["POSTGRES_PASSWORD"], "compose_secret_files.POSTGRES_PASSWORD"),
                                       ({"PGPASSWORD_FILE": "/x"}, [], "compose_environment.PGPASSWORD_FILE"),
                                       ({"PGPASSFILE": "/x"}, [], "compose_environment.PGPASSFILE")):
        assert stack.stack_variables(environment, [password], secrets)["wrong"].startswith(
            f"{told} and compose_password are both set")


def test_names_are_chosen_by_what_they_mean(stack):
    names = ["S3_BUCKET", "DB01_S3_KEY_SECRET_FILE", "PGHOST", "BACKUP_S3_REGION", "AWS_ACCESS_KEY_ID", "OTHER"]
    assert stack.variables_like(names, "BACKUP_S3_") == [names[0], names[1], names[3], names[4]]
    assert stack.variables_like(names, "DB_") == ["PGHOST"]


def test_every_name_there_is_known(stack):
    known = {each.name for each in VARIABLES}
    assert {*stack.SAME, *(name for names in stack.SAME.values() for name in names)} <= known


def test_the_role_tells_the_filter_its_own_defaults():
    defaults = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())
    for each in yaml.safe_load((ROLE / "vars" / "main.yml").read_text())["_compose_options"]:
        if not each.get("secret"):
            told, default = each["default"], defaults[each["option"]]
            assert told == str(default), each["option"]
