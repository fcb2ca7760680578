# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gap of the WAL is never taken for its end: not after a promotion, not behind a base that brings its own WAL."""
from __future__ import annotations

import hashlib
import re
import shutil
from contextlib import contextmanager

import pytest
import zstandard

from _restorable.errors import Damaged, Refused, RestorableError
from kit.archiving import wait_until
from kit.physical import Physical, archiving
from kit.servers import start_standby

SMALL = ("--wal-segsize=1",)


@pytest.fixture
def chain(empty_server, folder):
    """A chain of small segments with an empty table; its WAL is shipped when the test says so."""
    chain = Physical(empty_server(15, config=archiving(15), initdb=SMALL), folder)
    chain.sleep = chain.waiting
    chain.server.sql("CREATE TABLE rows (id int)")
    return chain


def written(chain, *numbers) -> list[str]:
    """Write each row into a segment of its own, ship it, and return the names of the segments."""
    names = []
    for number in numbers:
        chain.server.sql(f"INSERT INTO rows VALUES ({number})")
        names.append(chain.server.sql("SELECT pg_walfile_name(pg_current_wal_insert_lsn())")[0][0])
        chain.switch()
    return names


def rows(chain, data) -> list[int]:
    with chain.running(data) as back:
        found = [row[0] for row in back.sql("SELECT id FROM rows ORDER BY id")]
    shutil.rmtree(data)
    return found


@contextmanager
def without(chain, *names, repository="local"):
    """Take segments out of a repository for a while."""
    gone = {path: path.read_bytes() for name in names
            for path in (chain.folder / repository / "app" / "wal").rglob(f"{name}-*")}
    assert len(gone) == len(names)
    for path in gone:
        path.unlink()
    yield
    for path, content in gone.items():
        path.write_bytes(content)


def own_segments(manifest) -> list[str]:
    """Return the names of the segments that a base backup brings itself."""
    return [each.name for each in manifest.base.segments()]


def promoted(standby) -> None:
    standby.sql("SELECT pg_promote()")
    arch = standby.folder / "data" / ".." / "arch"
    wait_until((arch / "00000002.history").exists, standby.log_text)


def test_directly_after_a_promotion_a_gap_before_the_switch_is_refused(chain, data):
    chain.archived = True
    chain.based()
    primary = chain.server
    with start_standby(primary) as standby:
        names = written(chain, 1, 2, 3)
        # the switch lies in the midst of a segment, which neither timeline has completed
        primary.sql("INSERT INTO rows VALUES (4)")
        place = primary.sql("SELECT pg_current_wal_insert_lsn()::text")[0][0]
        wait_until(lambda: standby.sql(f"SELECT pg_last_wal_replay_lsn() >= '{place}'") == [(True,)], standby.log_text)
        promoted(standby)
        chain.server = standby
        standby.sql("INSERT INTO rows VALUES (5)")
        assert not [each for each in chain.ship() if each.startswith("00000002") and len(each) == 24]
        with without(chain, names[1]):
            with pytest.raises(Refused, match="WAL has a gap at") as caught:
                chain.recover(data)
            assert caught.value.code == "recover.gap" and not data.exists()
            # and the place that it names, the begin of the last segment, is one that can be reached
            plan, _done = chain.recover(data, "lsn", re.search(r"lsn ([0-9A-F/]+)", caught.value.hint)[1])
            assert plan.timeline == 2 and plan.segments[-1].name == names[0] and rows(chain, data) == []
        # with every segment there, what was not archived yet is told, and missing as it always is
        plan, _done = chain.recover(data)
        assert "up to the switch to timeline 2" in plan.notes[-1] and rows(chain, data) == [1, 2, 3]
        evidence = chain.drill_base()
        assert evidence.verdict == "passed" and any("up to the switch" in each for each in evidence.notes)
        chain.switch()
        plan, _done = chain.recover(data)
        assert plan.notes == () and rows(chain, data) == [1, 2, 3, 4, 5]


def test_a_base_that_brings_its_wal_goes_on_with_what_the_archive_has_behind_it(chain, data):
    own = own_segments(chain.based())
    names = written(chain, 1, 2, 3)
    with without(chain, *own):
        plan, _done = chain.recover(data)
        assert [each.name for each in plan.segments] == names and rows(chain, data) == [1, 2, 3]
        with without(chain, names[0]):
            with pytest.raises(Refused, match="gap right behind base") as caught:
                chain.recover(data)
            assert caught.value.code == "recover.gap" and "--immediate" in caught.value.hint and not data.exists()
            chain.recover(data, "immediate")
            assert rows(chain, data) == []


def test_a_gap_that_only_all_repositories_together_show_is_refused(chain, data):
    chain.archived = True
    chain.body["repositories"]["vault"] = {"path": str(chain.folder / "vault")}
    chain.based()
    names = written(chain, 1, 2, 3)
    with without(chain, *names[1:]):
        # the one ends early, and the other one goes on from there
        chain.recover(data)
        assert rows(chain, data) == [1, 2, 3]
        with without(chain, names[1], repository="vault"), pytest.raises(Refused, match="WAL has a gap") as caught:
            chain.recover(data)
        assert caught.value.code == "recover.gap" and not data.exists()


def test_a_segment_that_was_damaged_before_it_was_archived_is_not_the_end_of_the_wal(chain, data):
    chain.archived = True
    chain.based()
    names = written(chain, 1, 2, 3)
    [path] = (chain.folder / "local" / "app" / "wal").rglob(f"{names[1]}-*")
    packed = zstandard.ZstdDecompressor().decompress(path.read_bytes(), max_output_size=2**20)
    rotten = packed[:40] + b"\xff" * 4000 + packed[4040:]
    digest = path.name.partition("-")[2].partition(".")[0]
    path.unlink()
    path = path.with_name(path.name.replace(digest, hashlib.sha256(rotten).hexdigest()[:len(digest)]))
    path.write_bytes(zstandard.ZstdCompressor().compress(rotten))
    with pytest.raises(Refused, match="the last archived segment begins at"):
        chain.recover(data)
    with pytest.raises(Damaged, match="the last archived segment begins at") as caught:
        chain.recover(data, "name", "x")
    assert caught.value.code == "recover.wal_unreadable" and list(data.parent.iterdir()) == []
    evidence = chain.drill_base()
    assert evidence.verdict == "failed" and any("begins at" in each.detail for each in evidence.checks)


class Losing:
    """A store that lists a segment with all others and has lost it as soon as it is asked for."""

    def __init__(self, inner, name):
        self._inner, self._name = inner, name

    def list(self, prefix):
        return [each for each in self._inner.list(prefix) if self._name not in prefix]

    def __getattr__(self, name):
        return getattr(self._inner, name)


def test_a_missing_middle_segment_stops_the_recovery_loudly(chain, data):
    chain.archived = True
    chain.based()
    names = written(chain, 1, 2, 3)
    # known from the start: refused in the plan
    with without(chain, names[1]), pytest.raises(Refused, match="WAL has a gap at") as caught:
        chain.recover(data)
    assert caught.value.code == "recover.gap" and not data.exists()
    # lost on the way: the server, which waits for it, is ended, and nothing is left
    chain.wrap_store = lambda store: Losing(store, names[1])
    with pytest.raises(RestorableError, match=f"WAL {names[1]}, which the plan counted on, is gone") as caught:
        chain.recover(data)
    assert caught.value.code == "wal.missing" and list(data.parent.iterdir()) == []
    evidence = chain.drill_base()
    assert evidence.verdict == "incomplete" and any(names[1] in each.detail for each in evidence.checks)
    chain.wrap_store = lambda store: store
    chain.recover(data)
    assert rows(chain, data) == [1, 2, 3]
