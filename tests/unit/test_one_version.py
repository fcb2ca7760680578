# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection, the command on a host and the changelog speak of one version."""
from __future__ import annotations

from pathlib import Path

import yaml

from _restorable.version import VERSION

ROOT = Path(__file__).parents[2]


def read(name):
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def test_the_host_command_and_the_collection_have_one_version():
    assert read("galaxy.yml")["version"] == VERSION


def test_no_release_in_the_changelog_is_newer_than_the_collection():
    def key(text):
        return tuple(map(int, text.split(".")))

    assert all(key(release) <= key(VERSION) for release in read("changelogs/changelog.yaml")["releases"])


def test_the_collection_has_no_hard_dependency():
    assert read("galaxy.yml")["dependencies"] == {}


def test_every_module_that_touches_backups_belongs_to_the_action_group():
    modules = {path.stem for path in (ROOT / "plugins" / "modules").glob("pg_*.py")}
    assert modules <= set(read("meta/runtime.yml")["action_groups"]["all"])
