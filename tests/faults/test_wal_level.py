# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One of two repositories was away: the shipper brings it level by itself."""
from __future__ import annotations

import pytest
from faults.test_wal_shipping import held, job, ship

from _restorable.errors import Unavailable
from _restorable.host.wal_source import PgWal, ServerSpool
from _restorable.ops.wal_archive import WalArchive
from _restorable.ops.wal_ship import Shipper
from _restorable.ops.world import World
from kit.fault import Fault, Faults
from kit.faulty_store import FaultyStore
from kit.frozen_clock import FrozenClock
from kit.memory_store import MemoryStore
from kit.wal import NAMES, SYSTEM, FakeServer

DOWN = Unavailable("repository memory is away", code="store.unreachable")


@pytest.fixture
def server(tmp_path):
    return FakeServer(tmp_path / "data")


@pytest.fixture
def spool(tmp_path, server):
    return ServerSpool(str(tmp_path / "spool"), PgWal(str(server.data)))


class TestARepositoryThatCameBack:
    """One of two was away while any was enough; nobody but the shipper has to do anything."""

    def away(self, *, calls=40):
        return FaultyStore(MemoryStore("away"), Faults(*(Fault("list", DOWN) for _call in range(calls))))

    def test_it_is_brought_everything_that_it_lacks_although_the_server_has_recycled_it(self, server, spool):
        near, away = MemoryStore("near"), self.away()
        names = ["00000002.history", *NAMES[:4], f"{NAMES[5]}.partial", f"{NAMES[1]}.00000028.backup"]
        server.finish(*names)
        ship(server, spool, near, away, durable="any")
        server.archived(*names)
        for name in names:
            (server.wal / name).unlink()
        server.finish(NAMES[6])
        told = ship(server, spool, near, away.inner, durable="any")
        assert held(away.inner) == held(near) and set(held(near)) == {*names, NAMES[6]}
        assert away.inner.objects == near.objects
        assert f"repository away was brought {len(names)} WAL files that it lacked" in told
        assert spool.read_report()["behind"] == {}

    def test_a_running_shipper_does_it_by_itself_once_the_repository_answers(self, server, spool):
        near, clock = MemoryStore("near"), FrozenClock()
        away, rounds = self.away(calls=12), []
        server.finish(*NAMES[:3])
        world = World("shop", (near, away), clock, None, None, None, None)
        shipper = Shipper(WalArchive(world, job(durable="any")), PgWal(str(server.data)), spool, clock,
                          lambda _seconds: clock.move(10))

        def stopped():
            server.archived(*(name for name in spool.acknowledged() if name in PgWal(str(server.data)).ready()))
            rounds.append(dict(spool.read_report().get("behind", {})))
            return len(rounds) > 400 or (len(held(away.inner)) == 3 and not rounds[-1])

        shipper.run(stopped)
        assert held(away.inner) == held(near) and len(held(near)) == 3
        assert any("away" in behind for behind in rounds) and rounds[-1] == {}

    def test_a_killed_catching_up_goes_on_where_it_was(self, server, spool):
        near, away = MemoryStore("near"), self.away()
        server.finish(*NAMES[:5])
        ship(server, spool, near, away, durable="any")
        server.archived(*NAMES[:5])
        broken = FaultyStore(away.inner, Faults(Fault("put", DOWN, nth=4)))     # after both bindings and one segment
        ship(server, spool, near, broken, durable="any")
        assert set(held(away.inner)) == {NAMES[0]} and "away" in spool.read_report()["behind"]
        ship(server, spool, near, away.inner, durable="any")
        assert held(away.inner) == held(near) and len(held(near)) == 5

    def test_what_is_damaged_does_not_spread_and_is_told(self, server, spool):
        near, away = MemoryStore("near"), self.away()
        server.finish(*NAMES[:3])
        ship(server, spool, near, away, durable="any")
        server.archived(*NAMES[:3])
        [key] = [key for key in near.objects if f"/{NAMES[1]}-" in key]
        near.objects[key] = near.objects[key][:-9]
        told = ship(server, spool, near, away.inner, durable="any")
        assert set(held(away.inner)) == {NAMES[0], NAMES[2]}
        assert f"repository away lacks 1 files whose other copies are damaged, first {NAMES[1]}" in told
        assert NAMES[1] in spool.read_report()["behind"]["away"]

    def test_a_repository_of_another_server_is_brought_nothing(self, server, spool, tmp_path):
        near, away = MemoryStore("near"), MemoryStore("away")
        other = FakeServer(tmp_path / "other", system=SYSTEM + 1)
        other.finish(NAMES[7])
        ship(other, ServerSpool(str(tmp_path / "spool2"), PgWal(str(other.data))), away)
        server.finish(NAMES[0])
        ship(server, spool, near)
        server.archived(NAMES[0])
        ship(server, spool, near, away, durable="any")
        assert set(held(away)) == {NAMES[7]}
        assert "bound to the system identifier" in spool.read_report()["behind"]["away"]
