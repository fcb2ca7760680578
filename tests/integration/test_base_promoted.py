# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A base backup of a standby whose primary is replaced meanwhile: it needs WAL of two timelines, and gets it."""
from __future__ import annotations

import shutil
import time
from contextlib import ExitStack, contextmanager

import pytest

from _restorable.errors import Unavailable
from _restorable.host.wal_source import OneFile
from _restorable.model.wal import is_wal_name
from _restorable.model.wal_settings import WalJob
from _restorable.ops.wal_archive import WalArchive
from kit.archiving import wait_until
from kit.chain import new_folder
from kit.physical import Physical, archiving, home
from kit.servers import start_server, start_standby

SETTINGS = {**archiving(15), "hot_standby": "on", "checkpoint_timeout": "1h",
            "wal_retrieve_retry_interval": "100ms"}


class Promoting:
    """A source whose primary's standby is promoted once the copy has begun."""

    def __init__(self, source, promote):
        self._source, self._promote = source, promote

    def __getattr__(self, name):
        return getattr(self._source, name)

    @contextmanager
    def stream(self, *args):
        with self._source.stream(*args) as stream:
            plain = stream.archives
            stream.archives = lambda: self._promoted(plain)
            yield stream

    def _promoted(self, archives):
        for number, archive in enumerate(archives()):
            if number == 0:
                self._promote()
            yield archive


class Cascade:
    """A primary, a standby of it, a standby of that one, and a chain over the last one."""

    def __init__(self, stack):
        self.old = stack.enter_context(start_server(15, config=SETTINGS, initdb=("--wal-segsize=1",)))
        self.old.sql("CREATE TABLE rows AS SELECT g AS id, repeat('x', 500) AS t FROM generate_series(1, 2000) g")
        self.new = stack.enter_context(start_standby(self.old))
        self.last = stack.enter_context(start_standby(self.new))
        self.folder = new_folder()
        stack.callback(shutil.rmtree, self.folder)
        self.chain = Physical(self.last, self.folder)
        self.chain.archived, self.chain.sleep = True, self.waiting
        self.chain.wrap_source = lambda source: Promoting(source, self.promote)
        self.withheld = ""

    def write(self, server, count):
        """Commit rows, end the segment, and wait until the last standby has it."""
        server.sql(f"INSERT INTO rows SELECT g, 'later' FROM generate_series(1, {count}) g", "SELECT pg_switch_wal()",
                   "CHECKPOINT")
        place = server.sql("SELECT pg_current_wal_lsn()::text")[0][0]
        wait_until(lambda: self.last.sql(f"SELECT pg_last_wal_replay_lsn() >= '{place}'") == [(True,)],
                   self.last.log_text)

    def promote(self):
        """Write on the old primary, replace it, write on the new one, and let the last standby note how far it is."""
        for _segment in range(3):
            self.write(self.old, 100)
        self.new.sql("SELECT pg_promote()")
        wait_until(lambda: self.new.sql("SELECT pg_is_in_recovery()") == [(False,)], self.new.log_text)
        for _segment in range(2):
            self.write(self.new, 50)
        self.last.sql("CHECKPOINT")

    def waiting(self, _seconds):
        """Bring what the two primaries have archived into the repository, but for what is withheld."""
        archive = WalArchive(self.chain.world(), WalJob(method="push"))
        for server in (self.old, self.new):
            folder = server.folder / "arch"
            for path in sorted(folder.iterdir()) if folder.exists() else ():
                if is_wal_name(path.name) and not (self.withheld and path.name.startswith(self.withheld)):
                    archive.add(OneFile(str(path)), path.name)
        self.new.sql("INSERT INTO rows VALUES (0, 'of a while that is waited')", "SELECT pg_switch_wal()")
        time.sleep(0.05)


@pytest.fixture
def cascade():
    with ExitStack() as stack:
        yield Cascade(stack)


def test_a_base_across_a_promotion_waits_for_the_wal_of_both_timelines_and_recovers(cascade):
    manifest = cascade.chain.based(wal_timeout="60s")
    report = manifest.base
    assert report.timeline == 2 and [each.timeline for each in report.left] == [1]
    wal = cascade.folder / "local" / "app" / "wal"
    assert list((wal / "00000001").rglob("0000000100000000*")) and list((wal / "00000002").rglob("0000000200000000*"))
    assert list(wal.glob("00000002.history-*"))
    data = home(cascade.folder)
    cascade.chain.recover(data)
    with cascade.chain.running(data) as back:
        assert back.sql("SELECT count(*) FROM rows WHERE id > 0") == [(2400,)]


def test_a_base_whose_wal_before_the_promotion_never_arrives_is_not_done(cascade):
    cascade.withheld = "00000001"
    with pytest.raises(Unavailable, match="WAL 00000001"):
        cascade.chain.base(wal_timeout="2s")
    assert cascade.chain.ids() == []
