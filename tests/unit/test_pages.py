# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documentation keeps to: whole tables, decisions with numbers of their own, a page for each role."""
from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_row_of_a_table_belongs_to_a_heading(page):
    blocks = re.split(r"\n\s*\n", re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL))
    tables = [block.splitlines() for block in blocks if block.startswith("|")]
    assert [rows[0] for rows in tables if len(rows) < 2 or not re.fullmatch(r"[|:\- ]+", rows[1])] == []


def test_every_decision_has_its_own_number_and_says_it():
    told = [(int(path.name[:4]), re.match(r"# (\d+)\.", path.read_text(encoding="utf-8")))
            for path in sorted((ROOT / "docs" / "adr").glob("*.md"))]
    assert [(number, int(found[1])) for number, found in told if found] == [
        (number, number) for number in range(1, len(told) + 1)]


def test_every_role_has_a_page_that_names_it():
    for role in sorted((ROOT / "roles").iterdir()):
        assert (role / "README.md").read_text(encoding="utf-8").startswith(f"# restorable.postgres.{role.name}\n")
