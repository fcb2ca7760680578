# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A timeline is a target: after a promotion beside which the old primary lived on, each one leads to its own end."""
from __future__ import annotations

import re
import shlex
import shutil
import time
from contextlib import ExitStack
from datetime import datetime, timezone

import pytest
from integration.test_recover_gaps import SMALL, promoted, rows, written

from _restorable.app import wire
from _restorable.errors import Refused
from kit.archiving import wait_until
from kit.chain import NAME, new_folder
from kit.physical import Physical, archiving, home
from kit.servers import start_server, start_standby


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


class Twice:
    """A server that was recovered to the moment after row 1, and whose copy took its place: two histories from there.

    The first one wrote the rows 1, 2 and 3, made a restore point, and was copied once more. Nothing of the second one
    is archived but its history file.
    """

    def __init__(self, chain: Physical, stack: ExitStack) -> None:
        self.chain, server = chain, chain.server
        chain.sleep, chain.archived = chain.waiting, True
        server.sql("CREATE TABLE rows (id int)")
        self.base, self.moments = chain.based(), []
        time.sleep(0.05)
        self.early = chain.now()
        time.sleep(0.05)
        for number in (1, 2, 3):
            written(chain, number)
            time.sleep(0.05)
            self.moments.append(chain.now())
            time.sleep(0.05)
        server.sql("SELECT pg_create_restore_point('the end')")
        self.late = server.sql("SELECT pg_current_wal_insert_lsn()::text")[0][0]
        chain.switch()
        self.beside = chain.based()
        time.sleep(0.05)
        self.between = chain.now()
        written(chain, 30)
        place = home(chain.folder, "copy")
        _plan, done = chain.recover(place, "time", self.moments[0])
        assert done.timeline == 2
        self.left = done.replayed
        server.stop()
        self.dead = datetime.now(timezone.utc).isoformat()
        with chain.running(place) as copy:
            copy.sql("ALTER SYSTEM SET archive_mode = on")
        chain.server = stack.enter_context(chain.running(place))
        chain.own["connection"] = chain.server.settings
        self.run("wal-push", str(place / "pg_wal" / "00000002.history"))

    def run(self, *argv: str) -> None:
        status, _out, err = self.chain.run(*argv)
        assert status == 0, err

    def refused(self, data, *argv: str) -> str:
        """Ask for a recovery that is refused, and return the words."""
        status, _out, err = self.chain.run("recover", str(data), *argv)
        assert status == 4 and not data.exists(), err
        return err

    def obeyed(self, data, words: str, timeline: int, *more: str) -> list[int]:
        """Run the command that a refusal printed for a timeline, with more, and return the rows."""
        self.run(*printed(words, timeline), *more)
        return rows(self.chain, data)


def printed(words: str, timeline: int) -> list[str]:
    """Return the command that a refusal prints for a timeline, which names its settings file."""
    [command] = re.findall(f"`restorable (--config [^`]* --timeline {timeline})`", words)
    return shlex.split(command)


@pytest.fixture(scope="module")
def twice():
    folder = new_folder()
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        server = stack.enter_context(start_server(15, config=archiving(15), initdb=SMALL))
        yield Twice(Physical(server, folder), stack)


def test_a_second_recovery_never_follows_another_history_than_was_meant(twice, data):
    chain = twice.chain
    # to the end, while the segment in which the newest began is not archived: the older one's leads no further
    plan, done = chain.recover(data)
    assert (plan.timeline, done.replayed) == (2, str(plan.lineage.begin)) and rows(chain, data) == [1]
    # to the same moment, while nothing is archived in which the new timeline could find it passed
    words = twice.refused(data, "--time", twice.moments[0])
    assert "may lie in two histories" in words and f"from base {twice.base.id}" in words
    assert twice.obeyed(data, words, 1) == [1]
    # to one behind it, when the copy has gone on: row 2 was committed by then, which the newest timeline left out
    written(chain, 4)
    after = chain.now()
    newest = chain.based()
    words = twice.refused(data, "--time", twice.moments[1])
    assert "may lie in two histories" in words and twice.obeyed(data, words, 1) == [1, 2]
    words = twice.refused(data, "--time", twice.moments[1])
    assert twice.obeyed(data, words, 2) == [1]
    with pytest.raises(Refused, match="may lie in two histories") as caught:
        chain.recover(data, "time", twice.moments[1])
    assert caught.value.code == "recover.two_histories" and "`timeline: 1`" in caught.value.hint
    # to one behind the last that the old server archived, and before the copy was there
    assert "Timeline 1 ends before it" in twice.refused(data, "--time", twice.dead)
    # and to the very place, from which each has a record of its own
    assert twice.obeyed(data, twice.refused(data, "--lsn", twice.left), 1) == [1, 2]
    # before it both are one
    plan, _none = chain.recover(data, "time", twice.early, dry_run=True)
    assert plan.timeline == 2
    # what only the newest one knows is taken from it without a word, as is its end
    plan, _none = chain.recover(data, "time", after, dry_run=True)
    assert (plan.timeline, plan.notes) == (2, ())
    plan, _none = chain.recover(data, dry_run=True)
    assert (plan.timeline, plan.base.id, plan.notes) == (2, newest.id, ())
    # a drill of the oldest backup is to a moment of the newest history, whatever the other one knows of it
    assert chain.drill_base(backup=str(twice.base.id), moment=twice.moments[1]).verdict == "passed"


def test_a_refusal_names_the_timeline_that_leads_there(twice, data):
    chain = twice.chain
    twice.run(*printed(twice.refused(data, "--lsn", twice.late), 1), "--dry-run")
    # which of two histories a restore point lies in is seen only when the one has ended without it
    plan, _none = chain.recover(data, "name", "the end", backup=str(twice.base.id), dry_run=True)
    assert any("--timeline 1 (`timeline: 1`)" in each for each in plan.notes)
    words = twice.refused(data, "--name", "the end")
    assert "was not reached" in words
    assert twice.obeyed(data, words, 1, "--backup", str(twice.base.id)) == [1, 2, 3]
    # a backup beside the newest timeline
    words = twice.refused(data, "--backup", str(twice.beside.id))
    assert "lies on timeline 2" in words
    twice.run(*printed(words, 1), "--dry-run")
    # and a moment before the oldest one that the newest timeline leads on from
    chain.based()
    gone = chain.folder / "local" / NAME / "backup" / str(twice.base.id)
    gone.rename(chain.folder / "gone")
    try:
        words = twice.refused(data, "--time", twice.between)
        assert "before the end of the oldest base" in words and str(twice.beside.id) in words
        assert twice.obeyed(data, words, 1) == [1, 2, 3]
    finally:
        (chain.folder / "gone").rename(gone)
