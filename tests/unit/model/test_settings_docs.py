# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/settings.md shows every setting, and its examples are good settings."""
from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest
import yaml

from _restorable.model import object_lock, repositories, s3_settings, settings
from _restorable.model.policy import Policy
from _restorable.model.settings import Settings

PAGE = (Path(__file__).parents[3] / "docs" / "settings.md").read_text(encoding="utf-8")
READ = re.compile(r'(?:\.(?:raw|inner|text|flag|number|choice|texts|duration)\(|(?:_pairs|_?absolute)\(\w+, )"(\w+)"')
SOURCES = (settings, repositories, s3_settings, object_lock)
KEYS = {key for source in SOURCES for key in READ.findall(Path(source.__file__).read_text(encoding="utf-8"))}
KEYS |= {*repositories.SECRETS, *object_lock.TIERS}


def block(language: str) -> str:
    return re.search(rf"```{language}\n(.*?)```", PAGE, re.S)[1]


@pytest.mark.parametrize("key", sorted(KEYS))
def test_every_setting_is_on_the_page(key):
    assert re.search(rf"`(?:[\w.]+\.)?{key}`", PAGE)


@pytest.mark.parametrize("key", [each.name for each in dataclasses.fields(Policy)])
def test_every_rule_of_retention_is_on_the_page(key):
    assert f"`{key}`" in PAGE


def test_the_settings_file_on_the_page_is_good():
    assert Settings.of(json.loads(block("json"))).cluster("shop").drill.questions[0].expect == "t"


def test_the_inventory_on_the_page_is_good():
    body = yaml.safe_load(block("yaml"))
    read = Settings.of({key[len("restorable_"):]: value for key, value in body.items()})
    assert read.cluster("shop").dump.selection.databases == ("billing", "shop")
