# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two copies of a base backup, of which one is bad: a drill proves the other one and hides nothing."""
from __future__ import annotations

import json
import shutil

import pytest
from integration.test_recover_gaps import Losing

from _restorable.errors import Refused
from kit.chain import failed, flipped, new_folder
from kit.faulty_store import MisreadingStore
from kit.physical import Physical, archiving
from kit.servers import start_server


@pytest.fixture(scope="module")
def pair():
    """A chain with one base backup and a segment of WAL behind it, in two repositories."""
    with start_server(15, config=archiving(15), initdb=("--wal-segsize=1",)) as server:
        chain = Physical(server, new_folder(), repositories=("disk", "vault"))
        chain.archived, chain.sleep = True, chain.waiting
        server.sql("CREATE TABLE rows (id int)")
        chain.backup = str(chain.based().id)
        chain.wal = []
        for number in (1, 2):
            server.sql(f"INSERT INTO rows VALUES ({number})")
            chain.wal.append(server.sql("SELECT pg_walfile_name(pg_current_wal_insert_lsn())")[0][0])
            chain.switch()
        yield chain
    shutil.rmtree(chain.folder)


def found(chain, name):
    """Return the stored file of the first repository whose name begins so."""
    [path] = (chain.folder / "disk" / "app").rglob(f"{name}*")
    return path


@pytest.mark.parametrize(("name", "harm", "level"), [
    ("base.tar", lambda path: flipped(path, "middle"), "L0"),
    ("manifest.json", lambda path: flipped(path, "middle"), "L0"), ("WAL", lambda path: path.unlink(), "L1"),
    ("WAL", lambda path: flipped(path, "middle"), "L2")],
    ids=["flipped archive", "flipped manifest", "gap", "flipped WAL"])
def test_a_drill_proves_the_good_copy_of_a_base_backup_and_tells_the_bad_one(pair, name, harm, level):
    path = found(pair, pair.wal[0] if name == "WAL" else name)
    content = path.read_bytes()
    harm(path)
    evidence = pair.drill_base(keep_on_failure=True, checks=[
        {"sql": "SELECT count(*) FROM rows", "database": "postgres", "expect": 2}])
    assert list(pair.scratch.iterdir()) == []
    assert evidence.repository == "vault" and evidence.copies == {
        "disk": {"verdict": "failed", "levels": [level]}, "vault": {"verdict": "passed", "levels": []}}
    assert evidence.verdict == "failed" and [each for each in failed(evidence) if "in disk" not in each] == []
    assert {row.name: row.catalogue.get(pair.backup).verdict for row in pair.list()} == \
        {"disk": "failed", "vault": "passed"}
    status, out, _err = pair.run("--json", "status")
    key = json.loads(out)["clusters"][0]["last_evidence"].partition(":")[2]
    assert (pair.folder / "vault" / key.replace("failed", "passed")).exists(), (status, out)
    path.write_bytes(content)


def test_wal_that_only_another_repository_has_is_told_and_proves_nothing_here(pair):
    path = found(pair, pair.wal[-1])
    content = path.read_bytes()
    path.unlink()
    evidence = pair.drill_base(checks=[{"sql": "SELECT count(*) FROM rows", "database": "postgres", "expect": 1}])
    path.write_bytes(content)
    assert (evidence.repository, evidence.verdict) == ("disk", "passed"), evidence.checks
    [note] = [each for each in evidence.notes if "vault" in each]
    assert "repository vault has 1 segment of WAL more" in note and "restorable sync --to disk" in note


def test_wal_that_vanishes_while_a_drill_reads_it_is_not_taken_from_the_other_copy(pair):
    pair.wrap_store = lambda store: Losing(store, pair.wal[0]) if store.name == "disk" else store
    try:
        evidence = pair.drill_base()
    finally:
        pair.wrap_store = lambda store: store
    assert (evidence.repository, evidence.verdict) == ("vault", "passed"), evidence.checks
    assert evidence.copies["disk"]["verdict"] == "incomplete"
    assert any("copy in disk could not be read" in each and pair.wal[0] in each for each in evidence.notes)


@pytest.mark.parametrize("name", ["base.tar", "WAL"])
def test_what_a_drill_of_a_base_backup_reads_wrongly_once_makes_no_copy_bad(pair, name):
    path, stores = found(pair, pair.wal[0] if name == "WAL" else name), []

    def wrap(store):
        if store.name == "disk":
            stores.append(MisreadingStore(store, path.name))
            return stores[-1]
        return store
    pair.wrap_store = wrap
    try:
        evidence = pair.drill_base(keep_on_failure=True)
    finally:
        pair.wrap_store = lambda store: store
    assert list(pair.scratch.iterdir()) == []
    assert (stores[-1].left, evidence.repository, evidence.verdict) == (0, "disk", "passed"), failed(evidence)
    assert any("read wrongly once: " in each for each in evidence.notes) == (name != "WAL"), evidence.notes


def test_a_moment_out_of_reach_is_refused_also_where_the_manifest_is_read_wrongly_once(pair):
    stores = []
    pair.wrap_store = lambda store: stores.append(MisreadingStore(store, "manifest.json")) or stores[-1]
    before = pair.files()
    try:
        with pytest.raises(Refused, match="is none that base backup"):
            pair.drill_base(moment="2020-01-01 00:00:00+00:00")
    finally:
        pair.wrap_store = lambda store: store
    assert pair.files() == before and any(store.readings > 1 and not store.left for store in stores)
