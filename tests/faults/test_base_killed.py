# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 at storage calls of base backups, chains and recoveries: what counted still counts, a new run is whole."""
from __future__ import annotations

import shutil
import signal
import subprocess

import pytest

from _restorable.model.lsn import Lsn
from kit.deadly import DeadlyStore, Steps, in_child
from kit.physical import Physical, archiving
from kit.servers import unprivileged

ENOUGH = 200                       # steps; a run has far fewer


@pytest.fixture
def chain(empty_server, folder):
    """A chain with a base backup, a row behind it, and the WAL of both in the repository."""
    chain = Physical(empty_server(15, config=archiving(15), initdb=("--wal-segsize=1",)), folder)
    chain.archived, chain.sleep = True, chain.waiting
    chain.server.sql("CREATE TABLE rows (id int)")
    chain.based()
    chain.server.sql("INSERT INTO rows VALUES (1)")
    chain.switch()
    return chain


@pytest.fixture
def linked(empty_server, folder):
    """A chain of a full base and an incremental, each of which brings its own WAL, and a row behind them."""
    chain = Physical(empty_server(18, config=archiving(18), initdb=("--wal-segsize=1",)), folder)
    chain.server.sql("CREATE TABLE rows (id int)")
    chain.based()
    chain.server.sql("INSERT INTO rows VALUES (1)")
    chain.based(kind="incremental")
    chain.server.sql("INSERT INTO rows VALUES (2)")
    return chain


def killed_at(chain, last, work) -> int:
    """Run work in a process that dies at a step of the store; return how it ended."""
    chain.wrap_store = lambda store: DeadlyStore(store, steps)
    steps = Steps(last)
    # the shipper is another process, which lives, and what it has shipped is gone
    chain.sleep = lambda seconds: plainly(chain, lambda: chain.waiting(seconds))
    if chain.archived:
        plainly(chain, chain.ship)
    for path in (chain.server.folder / "arch").glob("*"):
        path.unlink()
    try:
        return in_child(work)
    finally:
        chain.wrap_store = lambda store: store


def plainly(chain, work) -> None:
    """Do work with a store that kills nobody."""
    deadly, chain.wrap_store = chain.wrap_store, lambda store: store
    try:
        work()
    finally:
        chain.wrap_store = deadly


def starts(chain, data) -> str:
    """Start a server on a data directory and return why it ends."""
    words = [f"{chain.server.bin_dir}/postgres", "-D", str(data), "-c", f"unix_socket_directories={data.parent}"]
    done = subprocess.run(words, cwd=data.parent, capture_output=True, text=True, timeout=30, check=False,
                          **unprivileged())
    return done.stderr


def test_a_base_backup_that_dies_at_any_storage_call_is_none_and_the_next_one_is_whole(chain, data):
    good, last = chain.ids(), 0
    for last in range(1, ENOUGH):
        status = killed_at(chain, last, chain.base)
        found = chain.ids()
        # either nothing more than before, or one more that is whole; where several runs fall into one second, the newer
        # one may have the older name
        more = [each for each in found if each not in good]
        assert set(good) <= set(found) and len(more) in (0, 1), last
        if more:
            assert [each.verdict for each in chain.verify(more[0])] == ["passed"], last
            good = found
        if status == 0:
            break
        assert status == signal.SIGKILL, last
    assert 20 < last < ENOUGH - 1
    assert [each for row in chain.list() for each in row.catalogue.orphans()] == []
    assert chain.server.sql("SELECT count(*) FROM pg_replication_slots") == [(0,)]
    plan, _done = chain.recover(data)
    ends = {each: Lsn.parse(chain.show(each)[2].base.stop_lsn).value for each in good}
    assert ends[str(plan.base.id)] == max(ends.values())
    with chain.running(data) as back:
        assert back.sql("SELECT id FROM rows") == [(1,)]


def test_an_incremental_that_dies_at_any_storage_call_is_none_and_the_chain_stays_whole(linked, data):
    good, more, last = linked.ids(), [], 0
    for last in range(1, ENOUGH):
        status = killed_at(linked, last, lambda: linked.base(kind="incremental"))
        found = linked.ids()
        more = [each for each in found if each not in good]
        assert set(good) <= set(found) and len(more) in (0, 1), last
        if more:
            assert [each.verdict for each in linked.verify(more[0])] == ["passed"], last
        if status == 0:
            break
        for each in more:
            # each set is a call more for the next run, whose last calls the sweep would never come to
            shutil.rmtree(next((linked.folder / "local").rglob(each)))
        assert status == signal.SIGKILL, last
    assert 15 < last < ENOUGH - 1
    assert [each for row in linked.list() for each in row.catalogue.orphans()] == []
    # the newest stands on the one before it, down to the full one
    plan, _done = linked.recover(data)
    assert len(plan.chain) == 3 and str(plan.base.id) == more[0]
    with linked.running(data) as back:
        assert back.sql("SELECT id FROM rows ORDER BY id") == [(1,), (2,)]


def test_a_recovery_of_a_chain_that_dies_at_any_storage_call_leaves_no_server(linked, data):
    # a chain differs from the single base below in what lies around meanwhile
    before, last, refused = linked.files(), 0, ""
    for last in range(1, ENOUGH):
        status = killed_at(linked, last, lambda: linked.recover(data, force=True))
        for aside in data.parent.glob("data.before-*"):
            shutil.rmtree(aside)
        assert linked.files() == before, last
        if status == 0:
            break
        assert status == signal.SIGKILL, last
        if (data / "global" / "pg_control").exists() and not refused:
            refused = starts(linked, data)
    assert 'must specify "restore_command"' in refused, refused
    assert 10 < last < ENOUGH - 1
    assert [each.name for each in data.parent.iterdir()] == ["data"]
    with linked.running(data) as back:
        assert back.sql("SELECT id FROM rows") == [(1,)]


def test_a_recovery_that_dies_at_any_storage_call_leaves_no_server_and_the_next_one_is_whole(chain, data):
    before, last, refused = chain.files(), 0, ""
    for last in range(1, ENOUGH):
        status = killed_at(chain, last, lambda: chain.recover(data, force=True))
        # what was in the way of this run was the rest of the one before
        for aside in data.parent.glob("data.before-*"):
            shutil.rmtree(aside)
        assert chain.files() == before, last
        if status == 0:
            break
        assert status == signal.SIGKILL, last
        if (data / "global" / "pg_control").exists() and not refused:
            # all of the base is there, and yet no server takes it for a whole one
            refused = starts(chain, data)
    assert "must specify restore_command" in refused
    assert 10 < last < ENOUGH - 1
    assert [each.name for each in data.parent.iterdir()] == ["data"]
    with chain.running(data) as back:
        assert back.sql("SELECT id FROM rows") == [(1,)]
