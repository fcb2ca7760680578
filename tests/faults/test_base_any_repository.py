# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Base backups where any repository is enough: one that is down or fails in the midst stops no backup and no drill."""
from __future__ import annotations

import pytest

from _restorable.errors import RestorableError, Unavailable
from kit.fault import Fault, Faults
from kit.faulty_store import FaultyStore
from kit.physical import CONFIG, Physical, archiving, home


def gone():
    return Unavailable("repository vault: the host does not answer", code="store.unreachable", hint="Wait.")


@pytest.fixture
def pair(empty_server, folder):
    """A function that makes a chain over two repositories of which any is enough."""
    def make(major=15, config=None):
        chain = Physical(empty_server(major, config=config or CONFIG[major]), folder, repositories=("disk", "vault"))
        chain.own["repositories_policy"] = "any"
        chain.body["state_dir"] = str(folder / "state")
        return chain
    return make


def failing(chain, *faults, name="vault"):
    """Make one repository fail as planned; returns the context that wants every fault reached."""
    planned = Faults(*faults)
    chain.wrap_store = lambda store: FaultyStore(store, planned) if store.name == name else store
    return planned


def mended(chain):
    chain.wrap_store = lambda store: store


@pytest.mark.parametrize("fault", [("check", 1), ("put", 1), ("put", 3)], ids=["down", "first object", "last object"])
def test_a_base_backup_and_its_drill_go_on_where_one_is_down(pair, fault):
    chain = pair()
    verb, nth = fault
    with failing(chain, Fault(verb, gone(), nth=nth)):
        done = chain.base()
    assert any("vault lacks" in each for each in done.warnings)
    with failing(chain, Fault("check", gone())):
        evidence = chain.drill_base()
    mended(chain)
    assert (chain.ids("disk"), chain.ids("vault")) == ([str(done.manifest.id)], [])
    assert evidence.verdict == "passed" and any("vault lacks the evidence" in each for each in evidence.notes)


def test_the_evidence_of_a_drill_is_lost_in_one_repository_and_told(pair):
    chain = pair()
    chain.based()
    with failing(chain, Fault("put", gone())):
        evidence = chain.drill_base()
    mended(chain)
    assert evidence.verdict == "passed" and any("vault lacks the evidence" in each for each in evidence.notes)
    proven = {row.name: row.catalogue.committed()[-1].proven for row in chain.list()}
    assert proven == {"disk": True, "vault": False}


def test_a_drill_picks_among_the_base_backups_of_all_repositories(pair):
    chain = pair()
    chain.based()
    with failing(chain, Fault("check", gone()), name="disk"):
        newest = chain.based()
    mended(chain)
    evidence = chain.drill_base()
    assert (str(evidence.backup), evidence.repository) == (str(newest.id), "vault") and evidence.verdict == "passed"


class WithoutWal:
    """A store that shows no WAL."""

    def __init__(self, inner):
        self._inner = inner

    def list(self, prefix):
        return () if "/wal/" in prefix else self._inner.list(prefix)

    def __getattr__(self, name):
        return getattr(self._inner, name)


def test_a_repository_whose_wal_never_comes_has_no_base_backup(pair):
    chain = pair(config=archiving(15))
    chain.archived, chain.sleep = True, chain.waiting
    chain.wrap_store = lambda store: WithoutWal(store) if store.name == "vault" else store
    done = chain.base(wal_timeout="4s")
    mended(chain)
    assert (chain.ids("disk"), chain.ids("vault")) == ([str(done.manifest.id)], [])
    assert any("vault lacks" in each and "did not come" in each for each in done.warnings)


def test_a_repository_without_the_parent_goes_without_the_incremental(pair, folder):
    chain = pair(18)
    with failing(chain, Fault("check", gone())):
        full = chain.based()
    mended(chain)
    chain.server.sql("CREATE TABLE rows AS SELECT 1 AS id")
    done = chain.base(kind="incremental")
    assert done.manifest.base.parent == str(full.id)
    assert chain.ids("disk") == [str(full.id), str(done.manifest.id)] and chain.ids("vault") == []
    assert any("vault lacks" in each and f"backup {full.id} is not in repository" in each for each in done.warnings)
    assert sorted(chain.sync(to="vault")["vault"].sets) == chain.ids("disk")
    data = home(folder)
    chain.source = "vault"
    chain.recover(data)
    with chain.running(data) as back:
        assert back.sql("SELECT id FROM rows") == [(1,)]


def test_with_all_wanted_one_that_is_down_stops_backup_and_drill(pair):
    chain = pair()
    chain.based()
    chain.own["repositories_policy"] = "all"
    for work in (chain.base, chain.drill_base):
        with failing(chain, Fault("check", gone())), pytest.raises(RestorableError, match="does not answer"):
            work()
