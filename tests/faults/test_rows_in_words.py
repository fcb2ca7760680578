# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A restore that fails over a row: PostgreSQL quotes the row, and nothing that is kept or printed may."""
from __future__ import annotations

import pytest

from kit.chain import Chain

VALUE = "alice@example.com"
# a function that answers otherwise when it is asked again lets a row be dumped that cannot come back
BROKEN = {
    "a check": (
        "CREATE FUNCTION fits(text) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
        "CREATE TABLE person (id int, email text CONSTRAINT fit CHECK (public.fits(email)))",
        f"INSERT INTO person VALUES (1, '{VALUE}')",
        "CREATE OR REPLACE FUNCTION fits(text) RETURNS boolean LANGUAGE sql AS 'SELECT false'"),
    "a unique index": (
        "CREATE FUNCTION short(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT $1'",
        "CREATE TABLE person (id int, email text)",
        "CREATE UNIQUE INDEX once ON person (public.short(email))",
        f"INSERT INTO person VALUES (1, '{VALUE}'), (2, 'b{VALUE}')",
        "CREATE OR REPLACE FUNCTION short(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT right($1, 17)'"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_neither_evidence_nor_page_nor_journal_nor_output_holds_the_row(pg16, folder, how):
    pg16.sql("DROP DATABASE IF EXISTS rowed", "CREATE DATABASE rowed TEMPLATE template0")
    pg16.sql(*BROKEN[how], database="rowed")
    try:
        chain = Chain(pg16, folder, databases=["rowed"])
        assert chain.run("backup")[0] == 0
        status, out, err = chain.run("drill")
        restored, more, complaint = chain.run("restore", "--database", "rowed", "--into", "rowed_again", "--yes")
        as_json = chain.run("--json", "drill")
    finally:
        pg16.sql("DROP DATABASE rowed", "DROP DATABASE IF EXISTS rowed_again")
    assert (status != 0, restored != 0, as_json[0] != 0) == (True, True, True)
    kept = [path for path in folder.rglob("*") if path.is_file() and path.suffix in (".json", ".html", ".log")]
    assert {"drill", "journal"} <= {part for path in kept for part in path.parts}
    assert ".html" in {path.suffix for path in kept}
    assert [path for path in kept if VALUE in path.read_text(encoding="utf-8")] == []
    said = "\n".join((out, err, more, complaint, *as_json[1:]))
    assert VALUE not in said
    assert ("Failing row contains (…)" if how == "a check" else ")=(…) is duplicated") in said
