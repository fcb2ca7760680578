# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be left out and is not there: a mistyped name backs up what nobody wanted in a backup, so it is told."""
from __future__ import annotations

import re

import pytest

from _restorable.errors import ConfigError
from kit.chain import Chain

ONE, TWO = "idle_one", "idle_two"


@pytest.fixture
def chain(servers, folder):
    """A chain over two databases; a table is in both, and audit.log in the second alone."""
    server = servers.of(16)
    server.sql(*(f"CREATE DATABASE {name} TEMPLATE template0" for name in (ONE, TWO)))
    for name in (ONE, TWO):
        server.sql("CREATE TABLE sessions AS SELECT 1 AS a", database=name)
    server.sql("CREATE SCHEMA audit", "CREATE TABLE audit.log AS SELECT 1 AS a", database=TWO)
    yield Chain(server, folder, databases=[ONE, TWO])
    server.sql(*(f"DROP DATABASE {name} WITH (FORCE)" for name in (ONE, TWO)))


@pytest.mark.parametrize("dry_run", [True, False], ids=["planned", "taken"])
def test_a_pattern_that_leaves_out_nothing_anywhere_is_told(chain, dry_run):
    done = chain.back_up(dry_run=dry_run, exclude_tables=["sesions", "audit.*"],
                         exclude_table_data=["sessions", "audit.logs"], exclude_databases=["idle_too"])
    told = [each for each in done.warnings if each.startswith("exclude_")]
    nothing = "matches nothing in any of the 2 databases, so it leaves out nothing"
    assert told[0].startswith("exclude_databases: the server has no database 'idle_too'")
    assert told[0].endswith("Did you mean idle_two?")
    assert told[1:] == [f"exclude_tables: 'sesions' {nothing}", f"exclude_table_data: 'audit.logs' {nothing}"]
    assert not any("idle_too" in each for each in done.plan.not_covered)
    assert (done.manifest is None) is dry_run


@pytest.mark.parametrize("pattern", ["pg_stat*", "information_schema.*"])
def test_what_is_in_the_system_s_own_schemas_alone_is_in_no_dump(chain, pattern):
    [told] = chain.back_up(dry_run=True, exclude_tables=[pattern]).warnings
    assert told.startswith(f"exclude_tables: {pattern!r} matches nothing")


def test_the_command_says_it_above_its_closing_line(chain):
    chain.own["jobs"]["dump"]["exclude_tables"] = ["sesions"]
    for words in (["backup"], ["backup", "--dry-run"], ["--json", "backup"]):
        status, out, err = chain.run(*words)
        assert status == 0, err
        assert "'sesions' matches nothing in any of the 2 databases" in out + err, words


def test_what_is_left_out_somewhere_is_no_mistake(chain):
    done = chain.back_up(exclude_tables=["audit.*"], exclude_table_data=["sess*"])
    assert done.warnings == ()


@pytest.mark.parametrize(("pattern", "code"), [
    ("a(b", "pattern.invalid"),
    (f"{ONE}.public.sessions", "pattern.database"),     # good in the first database, refused by the second's pg_dump
])
def test_a_bad_pattern_is_refused_before_anything_is_tried(chain, pattern, code):
    for dry_run in (True, False):
        with pytest.raises(ConfigError, match=re.escape(pattern)) as caught:
            chain.back_up(dry_run=dry_run, exclude_tables=[pattern], allow_partial=True)
        assert caught.value.code == code
    assert [name for name in chain.files() if name.startswith("local/app/")] == []


def test_a_database_that_cannot_be_asked_lets_nothing_be_called_a_mistake(chain):
    chain.server.sql(f"ALTER DATABASE {TWO} CONNECTION LIMIT 0", "CREATE ROLE idle_dumper LOGIN",
                     "GRANT pg_read_all_data TO idle_dumper")
    chain.own["connection"]["user"] = "idle_dumper"
    try:
        done = chain.back_up(exclude_tables=["audit.log"], allow_partial=True, globals=False)
    finally:
        chain.server.sql("DROP ROLE idle_dumper")
    assert len(done.manifest.failed) == 1
    assert not any("audit.log" in each for each in done.warnings)
