# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Witness rows in a real server: written only when asked for, and found by the drill that recovers to a moment."""
from __future__ import annotations

import time

import pytest

from kit.chain import failed
from kit.physical import Physical, archiving
from kit.servers import start_standby

THERE = "SELECT to_regclass('restorable.witness') IS NOT NULL"


@pytest.fixture
def chain(empty_server, folder):
    """A chain that archives and has witness rows written into database postgres."""
    chain = Physical(empty_server(15, config=archiving(15)), folder)
    chain.archived, chain.sleep = True, chain.waiting
    chain.own["witness"] = {"database": "postgres"}
    return chain


def witness(evidence) -> str:
    """Return the result of the check of the rows."""
    [found] = [each.result for each in evidence.checks if each.name == "witness rows"]
    return found


def test_a_moment_in_the_window_is_proven_by_the_rows_of_base_dump_and_schedule(chain):
    base = chain.based()
    time.sleep(1.1)
    status, out, err = chain.run("witness")
    assert status == 0 and "done: witness app row 2 of " in out, out + err
    dump = chain.taken()
    time.sleep(1.1)
    chain.run("witness")
    chain.switch()
    assert [each.server["witness"]["number"] for each in (base, dump)] == [1, 3]
    evidence = chain.drill_base(moment=dump.server["witness"]["at"])
    assert evidence.verdict == "passed" and witness(evidence) == "ok", evidence.checks
    assert any("2 rows without a gap" in each and "all 1 that manifests" in each for each in evidence.notes)
    evidence = chain.drill_base(moment="random")
    assert evidence.verdict == "passed" and witness(evidence) == "ok", evidence.checks
    evidence = chain.drill_base()
    assert any("4 rows without a gap" in each and "all 2 that manifests" in each for each in evidence.notes)
    # RPO is measured by the last row's commit
    assert evidence.rpo is not None and evidence.rpo < 60


@pytest.mark.parametrize(("harm", "moment", "named"), [
    ("DELETE FROM restorable.witness WHERE number = 2", "", "row 2 of .* is lost"),
    ("UPDATE restorable.witness SET token = gen_random_uuid() WHERE number = 1", "", "row 1 of .* is another one"),
    ("UPDATE restorable.witness SET at = at + interval '1 hour' WHERE number = 2", "now", "row 2 of .* is there"),
    ("DROP TABLE restorable.witness", "", "row 1 of .* is lost")])
def test_a_row_that_is_lost_altered_or_too_new_fails_the_drill(chain, harm, moment, named):
    chain.based()
    chain.taken(databases=["postgres"], fingerprint="none")
    chain.server.sql(harm)
    moment = moment and chain.now()
    time.sleep(0.1)
    chain.server.sql("CREATE TABLE later ()")
    chain.switch()
    evidence = chain.drill_base(moment=moment)
    assert evidence.verdict == "failed" and witness(evidence) == "failed"
    import re
    assert re.search(named, failed(evidence)[0]), failed(evidence)


def test_nothing_is_written_into_a_server_unless_it_is_asked_for(chain):
    del chain.own["witness"]
    assert "witness" not in chain.based().server and "witness" not in chain.taken().server
    assert chain.drill_base().verdict == "passed"
    status, out, _err = chain.run("witness")
    assert status == 0 and "skipped: witness app: the settings name no witness.database" in out
    assert chain.server.sql(THERE) == [(False,)]


def test_a_row_that_cannot_be_written_is_told_and_stops_no_backup(empty_server, folder):
    primary = empty_server(15, config={"full_page_writes": "on"})
    with start_standby(primary) as standby:
        chain = Physical(standby, folder)
        chain.own["witness"] = {"database": "postgres"}
        done = chain.base()
        status, _out, err = chain.run("witness")
    assert chain.ids() == [str(done.manifest.id)]
    assert any("has no witness row: the server is a standby" in each for each in done.warnings)
    assert status == 4 and "the server is a standby" in err
