# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of base backups: killed in the midst, a full repository, a server that goes away, unreadable parents."""
from __future__ import annotations

import pytest

from _restorable.errors import RestorableError, Unavailable
from kit.physical import Physical

PHASES = ("checkpoint", "base base.tar.zst", "base backup_manifest", "commit")


@pytest.fixture(scope="module")
def pg15(servers):
    """A server that is copied and never changed."""
    return servers.of(15)


@pytest.fixture
def physical(pg15, folder):
    """A chain over it with nothing taken yet."""
    return Physical(pg15, folder)


@pytest.mark.parametrize("phase", PHASES)
def test_a_run_that_is_killed_leaves_nothing_that_counts_and_the_next_one_cleans_up(physical, phase):
    good = physical.based()
    physical.own["jobs"].setdefault("base", {})
    assert physical.killed("base", phase) == -9
    assert physical.ids() == [str(good.id)]
    done = physical.base()
    assert physical.ids() == [str(good.id), str(done.manifest.id)]
    orphans = [each for row in physical.list() for each in row.catalogue.orphans()]
    assert orphans == []
    slots = physical.server.sql("SELECT count(*) FROM pg_replication_slots")
    assert slots == [(0,)]


class Full:
    """A store whose disk is full after some bytes."""

    def __init__(self, store, room: int) -> None:
        self._store, self._room = store, room
        self.name = store.name

    def put(self, key, chunks):
        def until_full():
            for chunk in chunks:
                self._room -= len(chunk)
                if self._room < 0:
                    raise Unavailable(f"repository {self.name} is full", hint="Run `restorable prune`.",
                                      code="store.full")
                yield chunk
        return self._store.put(key, until_full())

    def __getattr__(self, name):
        return getattr(self._store, name)


def test_a_repository_that_fills_up_keeps_what_it_had_and_nothing_more(physical):
    good = physical.based()
    before = physical.files()
    physical.wrap_store = lambda store: Full(store, 1_000_000)
    with pytest.raises(RestorableError, match="is full"):
        physical.base()
    assert physical.files() == before and physical.ids() == [str(good.id)]


def test_one_full_repository_of_two_commits_in_neither(pg15, folder):
    chain = Physical(pg15, folder, repositories=("local", "disk"))
    chain.wrap_store = lambda store: Full(store, 1_000_000) if store.name == "disk" else store
    with pytest.raises(RestorableError, match="is full"):
        chain.base()
    assert chain.ids("local") == [] and chain.ids("disk") == [] and chain.files("-base") == {}


def test_a_server_that_ends_the_session_leaves_nothing(physical):
    stream = physical.wrap_source

    class Cut:
        def __init__(self, source):
            self._source = source

        def stream(self, options, files=()):
            physical.server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_replication")
            return self._source.stream(options, files)

        def __getattr__(self, name):
            return getattr(self._source, name)

    class Ender:
        """Ends the backup's own session when its archive begins."""

        def phase(self, name, total=None):
            if name.startswith("base base.tar"):
                physical.server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_replication")

        def advance(self, count):
            """Nothing to do."""

    physical.wrap_source = lambda source: Cut(stream(source))
    physical.progress = Ender()
    with pytest.raises(RestorableError) as caught:
        physical.base()
    assert caught.value.code.startswith("base."), caught.value
    assert physical.ids() == [] and physical.files("-base") == {}


def test_prune_keeps_the_parents_of_what_it_keeps(empty_server, folder):
    from datetime import timedelta

    from kit.physical import CONFIG
    chain = Physical(empty_server(18, config=CONFIG[18]), folder)
    for kind in ("base", "incremental", "incremental"):
        chain.based(kind=kind)
    full, first, second = chain.ids()
    later = chain.world().clock.now() + timedelta(days=40)

    class Later:
        def now(self):
            return later

        def elapsed(self):
            return 0.0

    from dataclasses import replace

    from _restorable.model.policy import Policy
    from _restorable.ops.prune import prune
    policy = Policy.of({"last": 1, "min_keep": 0, "max_delete_percent": 100})
    [report] = prune(replace(chain.world(), clock=Later()), Policy.of({}), bases=policy, dry_run=True)
    assert {str(row.id): row.keep for row in report.plan.rows} == {full: True, first: True, second: True}
    assert any(f"parent of {second}" in reason for row in report.plan.rows for reason in row.reasons)
