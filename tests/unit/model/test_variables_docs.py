# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/compose.md and docs/migration.md show every environment variable as the code reads it."""
from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from _restorable.model.variables import LIBPQ, VARIABLES
from _restorable.model.variables_other import ONLY, REFUSED, WARNED

ROOT = Path(__file__).parents[3]
COMPOSE = (ROOT / "docs" / "compose.md").read_text(encoding="utf-8")
MIGRATION = (ROOT / "docs" / "migration.md").read_text(encoding="utf-8")


def rows(page, columns):
    """Return the rows of all tables with so many columns, their pipes unescaped."""
    lines = [line.replace(r"\|", "\0") for line in page.splitlines() if line.startswith("| ")]
    cells = [[cell.strip().replace("\0", "|") for cell in line.strip("|").split("|")] for line in lines]
    return [each for each in cells if len(each) == columns]


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda each: each.name)
def test_the_table_shows_a_variable_as_it_is_read(variable):
    [row] = [row for row in rows(COMPOSE, 4) if row[0] == f"`{variable.name}`"]
    assert row[1].strip("`") == variable.default
    assert row[2] == variable.means
    assert row[3] == ", ".join(f"`{name}`" for name in variable.aliases)


def test_the_table_shows_nothing_that_is_not_read():
    shown = {row[0].strip("`") for row in rows(COMPOSE, 4)} - {"variable"}
    assert shown == {each.name for each in VARIABLES}


def test_libpqs_other_variables_are_all_named():
    assert [name for name in LIBPQ if f"`{name}`" not in COMPOSE] == []


def test_the_migration_page_shows_all_that_is_not_read():
    shown = {(row[0].partition(", other")[0].strip("`"), row[1]) for row in rows(MIGRATION, 2)}
    expected = {*REFUSED.items(), *WARNED.items(), *((name, cure) for name, (_values, cure) in ONLY.items())}
    assert expected <= shown
    assert {row for row in shown - expected if not row[0].startswith(("variable", "---"))} == set()


def test_the_roles_defaults_are_on_the_page_or_in_its_specification():
    defaults = yaml.safe_load((ROOT / "roles" / "compose" / "defaults" / "main.yml").read_text(encoding="utf-8"))
    specs = yaml.safe_load((ROOT / "roles" / "compose" / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    options = specs["argument_specs"]["main"]["options"]
    assert set(defaults) | {"compose_project_dir"} == set(options)
    told = {name: option["default"] for name, option in options.items() if "default" in option}
    assert told == {name: value for name, value in defaults.items() if name in told}
