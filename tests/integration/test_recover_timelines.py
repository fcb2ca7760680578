# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A timeline is a target: after a promotion beside which the old primary lived on, each one leads to its own end."""
from __future__ import annotations

import time

import pytest
from integration.test_recover_gaps import SMALL, promoted, rows, written

from _restorable.app import wire
from _restorable.errors import Refused
from kit.archiving import wait_until
from kit.physical import Physical, archiving
from kit.servers import start_standby


def test_the_newest_timeline_is_followed_unless_an_older_one_is_asked_for(empty_server, folder, data, monkeypatch):
    chain = Physical(empty_server(15, config=archiving(15), initdb=SMALL), folder)
    chain.sleep, chain.archived = chain.waiting, True
    chain.server.sql("CREATE TABLE rows (id int)")
    chain.based()
    primary = chain.server
    with start_standby(primary) as standby:
        written(chain, 1, 2)
        place = primary.sql("SELECT pg_current_wal_insert_lsn()::text")[0][0]
        wait_until(lambda: standby.sql(f"SELECT pg_last_wal_replay_lsn() >= '{place}'") == [(True,)], standby.log_text)
        promoted(standby)
        written(chain, 3)
        chain.server = standby
        written(chain, 4)
        plan, done = chain.recover(data)
        assert (plan.timeline, done.timeline) == (2, 3) and rows(chain, data) == [1, 2, 4]
        plan, done = chain.recover(data, timeline=1)
        # its own new timeline is none that the archive knows
        assert (plan.timeline, done.timeline) == (1, 3) and rows(chain, data) == [1, 2, 3]
        for unknown in (3, -1):
            with pytest.raises(Refused, match=f"timeline {unknown} is not in .* local, which has 1 and 2") as caught:
                chain.recover(data, timeline=unknown)
            assert caught.value.code == "recover.other_timeline" and not data.exists()
        # a base of the old primary is beside the newest timeline, and whole all the same
        chain.server = primary
        beside = chain.based()
        evidence = chain.drill_base(backup=str(beside.id))
        assert evidence.verdict == "passed", evidence.checks
        assert any("timeline 1" in each for each in evidence.notes)
        # so is the random moment of its drill one of its own timeline, though nothing of the newest leads there
        time.sleep(1.5)
        written(chain, 5)
        monkeypatch.setattr(wire, "chooser", lambda _seed: lambda moments: moments[0])
        evidence = chain.drill_base(backup=str(beside.id), moment="random", checks=[
            {"sql": "SELECT array_agg(id ORDER BY id)::text FROM rows", "database": "postgres", "expect": "{1,2,3}"}])
        assert evidence.verdict == "passed", evidence.checks
        assert "recovery stopping before commit" in evidence.recovery["reached"]
        with pytest.raises(Refused, match="is none that base backup") as caught:
            chain.drill_base(backup=str(beside.id), moment="2026-01-01T00:00:00+00:00")
        assert caught.value.code == "drill.out_of_reach"
