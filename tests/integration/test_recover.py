# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recover real servers to every kind of target, and refuse what cannot be reached; one history for most tests."""
from __future__ import annotations

import io
import re
import shlex
import shutil
import subprocess
import tarfile
import time
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from _restorable.app.render_recover import render_recovered
from _restorable.app.report_recover import recover_report
from _restorable.errors import ConfigError, Refused, RestorableError
from _restorable.stream.compress import decompressor
from kit.chain import NAME, new_folder
from kit.physical import Physical, archiving, home
from kit.servers import PHYSICAL_MAJORS, Missing, run_folder, start_server, unprivileged


class History:
    """A server with a base, three committed rows, and what was true between them."""

    def __init__(self, chain: Physical) -> None:
        self.chain = chain
        server = chain.server
        chain.archived, chain.sleep = True, chain.waiting
        server.sql("CREATE TABLE rows (id int, at timestamptz DEFAULT clock_timestamp())")
        self.before = chain.now()
        time.sleep(0.1)
        self.base = chain.based()
        self.times, self.places, self.xids = [], [], []
        for number in (1, 2, 3):
            time.sleep(0.05)
            xid = server.sql(f"INSERT INTO rows VALUES ({number}) RETURNING pg_current_xact_id()::text")[0][0]
            self.xids.append(xid)
            self.places.append(server.sql("SELECT pg_current_wal_insert_lsn()::text")[0][0])
            time.sleep(0.05)
            self.times.append(chain.now())
            server.sql(f"SELECT pg_create_restore_point('after {number}')")
        chain.switch()

    def rows(self, path) -> list[int]:
        with self.chain.running(path) as back:
            return [row[0] for row in back.sql("SELECT id FROM rows ORDER BY id")]


@pytest.fixture(scope="module", params=PHYSICAL_MAJORS, ids=lambda major: f"pg{major}")
def history(request):
    """One history for each major; every test recovers into a directory of its own."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(start_server(request.param, config=archiving(request.param)))
        except Missing as error:
            # a failure under RESTORABLE_NO_SKIPS=1 (conftest.py), which .ci/run sets
            pytest.skip(str(error))
        folder = new_folder()
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        yield History(Physical(server, folder))


@pytest.fixture(scope="module")
def history15():
    """The history of refusals, which are the same on every major."""
    with ExitStack() as stack:
        server = stack.enter_context(start_server(15, config=archiving(15)))
        folder = new_folder()
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        yield History(Physical(server, folder))


@pytest.fixture
def data(tmp_path_factory):
    """A data directory that is not there yet, in a folder of the servers' account."""
    folder = new_folder()
    yield home(folder)
    shutil.rmtree(folder, ignore_errors=True)


def test_the_end_of_the_archive_is_reached_and_the_copy_archives_nothing(history, data):
    plan, done = history.chain.recover(data)
    assert plan.base.id == history.base.id and done.segments >= len(plan.segments) and done.timeline == 2
    with history.chain.running(data) as back:
        assert [row[0] for row in back.sql("SELECT id FROM rows ORDER BY id")] == [1, 2, 3]
        assert back.sql("SHOW archive_mode") == [("off",)]
        assert back.sql("SELECT pg_is_in_recovery()") == [(False,)]
    assert not (data / "recovery.signal").exists()


def test_the_words_that_are_printed_switch_archiving_on_again_and_lead_to_the_new_timeline(empty_server, folder, data):
    """Where it was set by ALTER SYSTEM, as the module sets it, the copy's own line takes the place of the server's."""
    chain = Physical(empty_server(15, config={**archiving(15), "archive_mode": "off"}), folder)
    chain.server.sql("ALTER SYSTEM SET archive_mode = 'on'")
    chain.server.stop()
    with run_folder(15, chain.server.bin_dir, chain.server.folder) as chain.server:
        chain.archived, chain.sleep = "push", chain.waiting
        chain.based()
        text = render_recovered(NAME, recover_report(*chain.recover(data)))
    printed, push = re.search("ALTER SYSTEM [^;]*", text), re.search("restorable (wal-push .*)", text)
    with chain.running(data) as back:
        assert back.sql("SHOW archive_mode") == [("off",)]
        left = (data / "postgresql.auto.conf").read_text()
        assert printed[0] in left and "restorable wal-push" in left
        back.sql(printed[0])
    with chain.running(data) as back:
        assert back.sql("SHOW archive_mode") == [("on",)]
    # from here on an older base leads to it, and the next recovery takes another number
    chain.body["clusters"]["another"] = {}          # the command says whose archive is meant
    status, _out, err = chain.run(*shlex.split(push[1]))
    assert status == 0, err
    plan, done = chain.recover(data.parent / "again")
    assert (plan.timeline, done.timeline) == (2, 3)


def test_a_time_brings_back_what_was_committed_by_then_and_nothing_later(history, data):
    _plan, done = history.chain.recover(data, "time", history.times[1])
    assert "recovery stopping before commit" in done.reached
    assert done.last_commit and datetime.fromisoformat(done.last_commit) <= datetime.fromisoformat(history.times[1])
    assert history.rows(data) == [1, 2]


@pytest.mark.parametrize(("kind", "inclusive", "rows"), [
    ("name", True, [1, 2]), ("xid", True, [1, 2]), ("xid", False, [1]), ("lsn", True, [1, 2])])
def test_every_other_kind_of_target_is_reached(history15, data, kind, inclusive, rows):
    value = {"name": "after 2", "xid": history15.xids[1], "lsn": history15.places[1]}[kind]
    _plan, done = history15.chain.recover(data, kind, value, inclusive=inclusive)
    assert "recovery stopping" in done.reached
    assert history15.rows(data) == rows


def test_a_transaction_is_found_by_its_number_with_the_epoch_and_without(empty_server, folder, data):
    server = empty_server(15, config=archiving(15))
    server.stop()
    subprocess.run([f"{server.bin_dir}/pg_resetwal", "--epoch=3", "-D", f"{server.folder}/data"], check=True,
                   cwd=server.folder, stdout=subprocess.DEVNULL, **unprivileged())
    with run_folder(15, server.bin_dir, server.folder) as server:
        chain = Physical(server, folder)
        history = History(chain)
        assert int(history.xids[1]) > 3 * 2**32
        for written in (history.xids[1], str(int(history.xids[1]) % 2**32)):
            _plan, done = chain.recover(data, "xid", written)
            assert "after commit of transaction" in done.reached and history.rows(data) == [1, 2]
            shutil.rmtree(data)


def test_the_end_of_the_base_is_reached(history15, data):
    history15.chain.recover(data, "immediate")
    assert history15.rows(data) == []


def test_the_same_moment_said_in_another_zone_is_the_same_moment(history15, data):
    there = datetime.fromisoformat(history15.times[0]).astimezone(ZoneInfo("America/St_Johns"))
    plan, _done = history15.chain.recover(data, "time", f"{there.replace(tzinfo=None)} America/St_Johns")
    assert plan.target.time == datetime.fromisoformat(history15.times[0])
    assert history15.rows(data) == [1]


def test_a_dry_run_writes_nothing_and_tells_the_plan(history15, data):
    plan, done = history15.chain.recover(data, dry_run=True)
    assert done is None and not data.exists() and plan.segments and plan.free and plan.needed > plan.size


@pytest.mark.parametrize(("kind", "value", "told"), [
    ("name", "never made", "the WAL ends before it"), ("xid", "999999", "the WAL ends before it")])
def test_a_target_that_is_not_in_the_wal_fails_and_leaves_nothing(history15, data, kind, value, told):
    with pytest.raises(Refused, match=told) as caught:
        history15.chain.recover(data, kind, value)
    assert caught.value.code == "recover.not_reached" and "committed at" in caught.value.message
    assert list(data.parent.iterdir()) == []


def named(hint: str) -> list[str]:
    """Return the moments that a hint names, as they are written."""
    return re.findall(r"\S+Z(?= (?:before|after) it)", hint)


def test_a_time_before_the_first_base_is_refused_naming_the_nearest(history15, data):
    with pytest.raises(Refused, match="before the end of the oldest base") as caught:
        history15.chain.recover(data, "time", history15.before)
    [after] = named(caught.value.hint)
    assert after.endswith("Z") and "after it" in caught.value.hint and not data.exists()
    # and it can be asked for as it is named
    history15.chain.recover(data, "time", after, dry_run=True)


def test_a_time_after_the_last_wal_is_refused_naming_the_nearest(history15, data, monkeypatch):
    late = datetime.now(timezone.utc) + timedelta(hours=1)
    with pytest.raises(Refused, match="ahead"):
        history15.chain.recover(data, "time", late.isoformat())
    time.sleep(0.1)
    with pytest.raises(Refused) as caught:
        history15.chain.recover(data, "time", history15.chain.now())
    assert caught.value.code in ("recover.out_of_reach", "recover.not_reached")
    assert "before it" in caught.value.hint or "before that" in caught.value.hint


def test_an_lsn_out_of_reach_is_refused_with_what_can_be_reached(history15, data):
    for place, told in (("0/1", "before the end of the oldest base"), ("F/0", "after the last archived WAL")):
        with pytest.raises(Refused, match=told) as caught:
            history15.chain.recover(data, "lsn", place)
        assert str(history15.base.id) in caught.value.hint


@pytest.mark.parametrize("value", ["2026-11-20 14:30:00", "soon", "2026-10-25 02:30:00 Europe/Berlin",
                                   "2026-03-29 02:30:00 Europe/Berlin"])
def test_a_time_that_could_mean_two_things_is_refused(history15, data, value):
    with pytest.raises(ConfigError, match="recovery time"):
        history15.chain.recover(data, "time", value)


def test_a_directory_that_is_not_empty_is_refused_and_kept(history15, data):
    data.mkdir()
    (data / "precious").write_text("mine")
    with pytest.raises(Refused, match="is not empty"):
        history15.chain.recover(data)
    assert (data / "precious").read_text() == "mine"


def test_force_moves_what_is_there_aside_and_keeps_it(history15, data):
    data.mkdir()
    (data / "precious").write_text("mine")
    _plan, done = history15.chain.recover(data, force=True)
    aside = done.asides[str(data)]
    assert (data.parent / aside.rpartition("/")[2] / "precious").read_text() == "mine"
    assert history15.rows(data) == [1, 2, 3]


def test_force_puts_it_back_if_the_recovery_fails(history15, data):
    data.mkdir()
    (data / "precious").write_text("mine")
    with pytest.raises(Refused):
        history15.chain.recover(data, "name", "never made", force=True)
    assert (data / "precious").read_text() == "mine" and [each.name for each in data.parent.iterdir()] == ["data"]


def test_a_running_server_is_never_touched_even_by_force(history15, data):
    chain = history15.chain
    with pytest.raises(Refused, match="a server seems to run"):
        chain.recover(chain.server.folder / "data", force=True)
    assert chain.server.sql("SELECT 1") == [(1,)]


def test_another_major_is_refused(history15, data, servers):
    with pytest.raises(Refused, match="is of PostgreSQL 15") as caught:
        history15.chain.recover(data, bin_dir=servers.of(18).bin_dir)
    assert caught.value.code == "recover.wrong_major" and not data.exists()


def test_a_disk_that_is_too_small_is_refused_before_anything_is_written(history15, data, monkeypatch):
    import _restorable.postgres.datadir as module
    small = shutil.disk_usage("/")._replace(free=1000)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: small)
    with pytest.raises(RestorableError) as caught:
        history15.chain.recover(data)
    assert caught.value.code == "recover.no_room" and "1000 free" in caught.value.message and not data.exists()


def test_the_room_for_the_wal_that_a_base_brings_itself_is_asked_for(empty_server, folder, data, monkeypatch):
    import _restorable.postgres.datadir as module
    chain = Physical(empty_server(15, config=archiving(15)), folder)
    manifest = chain.based()
    assert manifest.base.self_contained
    [archive] = [each for each in chain.objects(manifest.id) if each.name.startswith("base.tar")]
    with tarfile.open(fileobj=io.BytesIO(b"".join(decompressor("zstd")([archive.read_bytes()])))) as members:
        size = sum(each.size for each in members)
    plan, _none = chain.recover(data, dry_run=True)
    # the files alone, which backup_manifest lists, are a segment of 16 MiB less
    assert size - plan.size >= 16 * 2**20 and plan.needed >= size
    for free, fits in ((size, False), (plan.needed, True)):
        few = shutil.disk_usage("/")._replace(free=free)
        monkeypatch.setattr(module.shutil, "disk_usage", lambda path, few=few: few)
        if fits:
            chain.recover(data, dry_run=True)
        else:
            with pytest.raises(RestorableError) as caught:
                chain.recover(data)
            assert caught.value.code == "recover.no_room" and not data.exists()


def test_a_missing_middle_segment_is_no_end(history15, data):
    chain = history15.chain
    plan, _none = chain.recover(data, dry_run=True)
    wal = chain.folder / "local" / "app" / "wal"
    first = next(path for path in wal.rglob(f"{plan.segments[0].name}-*"))
    kept = first.read_bytes()
    first.unlink()
    try:
        with pytest.raises(Refused) as caught:
            chain.recover(data)
        assert caught.value.code in ("recover.no_base", "recover.gap") and not data.exists()
    finally:
        first.write_bytes(kept)


def test_a_moment_inside_a_gap_is_refused_naming_the_nearest_on_both_sides(empty_server, folder, data):
    chain = Physical(empty_server(15, config=archiving(15), initdb=("--wal-segsize=1",)), folder)
    chain.archived, chain.sleep = True, chain.waiting
    chain.server.sql("CREATE TABLE rows (id int)")
    chain.based()
    names, moments = [], []
    for number in (1, 2, 3):
        chain.server.sql(f"INSERT INTO rows VALUES ({number})")
        names.append(chain.server.sql("SELECT pg_walfile_name(pg_current_wal_insert_lsn())")[0][0])
        chain.switch()
        time.sleep(0.05)
        moments.append(chain.now())
    later = chain.based()
    next((chain.folder / "local" / "app" / "wal").rglob(f"{names[1]}-*")).unlink()
    with pytest.raises(Refused, match="inside a gap") as caught:
        chain.recover(data, "time", moments[1])
    _before, after = named(caught.value.hint)
    plan, _none = chain.recover(data, "time", after, dry_run=True)
    assert str(plan.base.id) == str(later.id) and not data.exists()
    # what lies on either side of the gap is reached all the same
    chain.recover(data)
    with chain.running(data) as back:
        assert back.sql("SELECT count(*) FROM rows") == [(3,)]


def test_a_damaged_segment_stops_the_recovery_and_is_named(history15, data):
    chain = history15.chain
    plan, _none = chain.recover(data, dry_run=True)
    path = next(iter((chain.folder / "local" / "app" / "wal").rglob(f"{plan.segments[-1].name}-*")))
    good = path.read_bytes()
    path.write_bytes(good[:len(good) // 2])
    try:
        with pytest.raises(RestorableError) as caught:
            chain.recover(data)
        assert caught.value.code == "wal.damaged" and plan.segments[-1].name in caught.value.message
        assert not data.exists()
    finally:
        path.write_bytes(good)


def test_a_damaged_base_is_found_and_nothing_is_left(history15, data):
    chain = history15.chain
    path = next(each for each in chain.objects(history15.base.id) if each.name == "base.tar.zst")
    good = path.read_bytes()
    path.write_bytes(good[:-9] + bytes([good[-9] ^ 1]) + good[-8:])
    try:
        with pytest.raises(RestorableError) as caught:
            chain.recover(data)
        assert caught.value.code in ("object.damaged", "stream.garbage", "stream.truncated") and not data.exists()
    finally:
        path.write_bytes(good)


def test_tablespaces_are_mapped(empty_server, folder, data):
    chain = Physical(empty_server(15), folder)
    place = chain.server.folder / "space"
    place.mkdir()
    if unprivileged():
        shutil.chown(place, unprivileged()["user"], unprivileged()["group"])
    chain.server.sql(f"CREATE TABLESPACE away LOCATION '{place}'",
                     "CREATE TABLE far TABLESPACE away AS SELECT generate_series(1, 50) AS id")
    chain.based()
    with pytest.raises(Refused, match="is not empty"):
        chain.recover(data)
    chain.recover(data, places={str(place): str(data.parent / "moved")})
    with chain.running(data) as back:
        assert back.sql("SELECT count(*), pg_tablespace_location(oid) FROM far, pg_tablespace WHERE spcname = 'away'"
                        " GROUP BY 2") == [(50, str(data.parent / "moved"))]


@pytest.mark.parametrize("major", [17, 18], ids=lambda major: f"pg{major}")
def test_a_chain_is_joined_with_its_tablespaces(empty_server, folder, data, major):
    chain = Physical(empty_server(major, config=archiving(major)), folder)
    place = chain.server.folder / "space"
    place.mkdir()
    if unprivileged():
        shutil.chown(place, unprivileged()["user"], unprivileged()["group"])
    chain.server.sql(f"CREATE TABLESPACE away LOCATION '{place}'", "CREATE TABLE near (id int)",
                     "CREATE TABLE far (id int) TABLESPACE away")
    chain.based()
    for number in (1, 2):
        chain.server.sql(f"INSERT INTO near VALUES ({number})", f"INSERT INTO far VALUES ({number})")
        chain.based(kind="incremental")
    plan, _done = chain.recover(data, places={str(place): str(data.parent / "moved")})
    assert len(plan.chain) == 3
    with chain.running(data) as back:
        assert back.sql("SELECT (SELECT sum(id) FROM near), (SELECT sum(id) FROM far)") == [(3, 3)]
