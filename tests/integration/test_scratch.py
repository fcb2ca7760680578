# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scratch servers: private, faithful, and gone afterwards, however the run ends."""
from __future__ import annotations

import os
import pathlib
import shutil
import signal
import stat
import subprocess
import sys
import time

import pytest
from installation import copy_installation

from _restorable.errors import ConfigError, Damaged, ToolFailed
from _restorable.ports import RestoreOptions
from _restorable.postgres import scratch as product
from _restorable.postgres.scratch import LocalScratch
from kit import shop as kit
from kit.servers import MAJORS, Missing, find_bin_dir

CORE = pathlib.Path(product.__file__).parents[2]

# A run of its own, to be killed: it starts a scratch server, says where, and waits.
RUN = """
import sys, time
sys.path.insert(0, sys.argv[1])
from _restorable.postgres.scratch import LocalScratch
with LocalScratch(sys.argv[2], base=sys.argv[3]).start(int(sys.argv[4]), "postgres", keep_on_failure=False) as target:
    print(target.query("postgres", "SELECT current_setting('data_directory')")[0][0], flush=True)
    time.sleep(60)
"""


@pytest.fixture(params=MAJORS, ids=lambda major: f"pg{major}")
def major(request):
    """A major that this machine has."""
    try:
        find_bin_dir(request.param)
    except Missing as missing:
        # a failure under RESTORABLE_NO_SKIPS=1 (conftest.py), which .ci/run sets
        pytest.skip(str(missing))
    return request.param


@pytest.fixture
def base():
    """A folder for scratch servers that their account can enter."""
    folder = pathlib.Path("/var/tmp") / f"rs-test-{os.getpid()}-{time.monotonic_ns()}"
    folder.mkdir(mode=0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def start(base, major):
    """A function that starts a scratch server of this major."""
    return lambda **options: LocalScratch(find_bin_dir(major), base=str(base)).start(
        major, **{"bootstrap_user": "chef", "keep_on_failure": False, **options})


def folders(base: pathlib.Path) -> list[str]:
    return sorted(path.name for path in base.iterdir())


def pid_of(data: str) -> int:
    return int((pathlib.Path(data) / "postmaster.pid").read_text().split()[0])


def alive(pid: int) -> bool:
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def gone_within(seconds: float, pid: int) -> bool:
    deadline = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not alive(pid)


def run_apart(base: pathlib.Path, major: int) -> tuple[subprocess.Popen, str]:
    run = subprocess.Popen([sys.executable, "-c", RUN, str(CORE), find_bin_dir(major), str(base), str(major)],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return run, run.stdout.readline().strip()


def test_a_server_answers_as_the_sources_superuser_and_vanishes(start, base, major):
    with start() as target:
        server = target.server()
        assert (server.major, server.bootstrap_user, server.is_superuser) == (major, "chef", True)
        data = target.query("postgres", "SHOW data_directory")[0][0]
        pid = pid_of(data)
        assert alive(pid)
    assert not alive(pid)
    assert folders(base) == []


def test_nothing_leaves_it_and_nobody_else_comes_in(start, base):
    wanted = {"listen_addresses": "", "archive_mode": "off", "max_wal_senders": "0", "wal_level": "minimal",
              "shared_preload_libraries": "", "session_preload_libraries": "", "primary_conninfo": "", "ssl": "off",
              "autovacuum": "off", "logging_collector": "off"}
    with start() as target:
        rows = target.query("postgres", "SELECT name, setting FROM pg_settings")
        assert wanted == {name: value for name, value in rows if name in wanted}
        folder, = base.iterdir()
        assert stat.S_IMODE(folder.stat().st_mode) & 0o007 == 0
        for name in ("data", "run", "stage"):
            assert stat.S_IMODE((folder / name).stat().st_mode) == 0o700
        assert (folder / "data").stat().st_uid != 0


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_it_is_torn_down_when_the_run_fails(start, base, error):
    with pytest.raises(error), start() as target:
        pid = pid_of(target.query("postgres", "SHOW data_directory")[0][0])
        raise error
    assert not alive(pid)
    assert folders(base) == []


def test_it_is_torn_down_when_the_server_has_died(start, base):
    with start() as target:
        os.kill(pid_of(target.query("postgres", "SHOW data_directory")[0][0]), signal.SIGKILL)
    assert folders(base) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_tears_it_down(base, major, number):
    run, data = run_apart(base, major)
    pid = pid_of(data)
    run.send_signal(number)
    assert run.wait(20) != 0
    assert not alive(pid)
    assert folders(base) == []


def test_what_a_killed_run_leaves_is_ended_and_removed_by_the_next_start(base, major):
    run, data = run_apart(base, major)
    pid = pid_of(data)
    run.kill()
    run.wait()
    if shutil.which("setpriv"):
        assert gone_within(10, pid)    # the kernel tells the server
    left, = folders(base)
    with LocalScratch(find_bin_dir(major), base=str(base)).start(major, "postgres", keep_on_failure=False):
        assert left not in folders(base)
        assert not alive(pid)
    assert folders(base) == []


def test_an_orphaned_server_that_still_runs_is_ended_by_the_next_start(base, major, monkeypatch):
    script = RUN.replace("with LocalScratch", "import _restorable.postgres.scratch as s; s._leash = lambda: []\n"
                                              "with LocalScratch")
    run = subprocess.Popen([sys.executable, "-c", script, str(CORE), find_bin_dir(major), str(base), str(major)],
                           stdout=subprocess.PIPE, text=True)
    pid = pid_of(run.stdout.readline().strip())
    run.kill()
    run.wait()
    assert alive(pid)
    with LocalScratch(find_bin_dir(major), base=str(base)).start(major, "postgres", keep_on_failure=False):
        assert not alive(pid)
    assert folders(base) == []


def test_the_server_of_a_run_that_lives_is_left_alone(start, base, major):
    with start() as first:
        with start() as second:
            assert first.query("postgres", "SELECT 1") == second.query("postgres", "SELECT 1") == [["1"]]
        assert first.query("postgres", "SELECT 1") == [["1"]]


def test_a_failed_run_keeps_its_server_if_asked_and_says_how_to_start_it(start, base):
    with pytest.raises(Damaged) as caught, start(keep_on_failure=True) as target:
        data = target.query("postgres", "SHOW data_directory")[0][0]
        pid = pid_of(data)
        raise Damaged("a row is missing")
    folder, = base.iterdir()
    assert not alive(pid)
    assert (folder / "data" / "PG_VERSION").exists()
    assert str(folder) in caught.value.hint
    assert f"'-D' '{data}'" in caught.value.hint
    with start():
        assert folder.name in folders(base)


def test_a_socket_below_a_long_path_is_made_elsewhere_and_removed(base, major):
    long = base / ("long-" + "x" * 100)
    long.mkdir()
    with LocalScratch(find_bin_dir(major), base=str(long)).start(major, "chef", keep_on_failure=False) as target:
        socket = pathlib.Path(target.environment("postgres")["PGHOST"])
        assert socket.parent == pathlib.Path("/tmp")
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700
    assert not socket.exists()
    assert folders(long) == []


def test_the_plan_names_the_server_or_the_package_that_is_missing(major, base, tmp_path):
    assert LocalScratch(find_bin_dir(major), base=str(base)).plan(major).startswith(f"PostgreSQL {major}.")
    if major != MAJORS[0]:
        assert f"newer than the dumped {MAJORS[0]}" in LocalScratch(find_bin_dir(major),
                                                                    base=str(base)).plan(MAJORS[0])
    with pytest.raises(ConfigError) as caught:
        LocalScratch(str(tmp_path), base=str(base)).plan(major)
    assert f"postgresql-{major}" in caught.value.hint


def test_a_folder_that_is_not_there_and_an_account_that_is_not_there_are_named(major, tmp_path):
    with pytest.raises(ConfigError, match="no/such"):
        LocalScratch(find_bin_dir(major), base="/no/such").plan(major)
    if os.geteuid() == 0:
        with pytest.raises(ConfigError, match="no account nosuchuser"):
            LocalScratch(find_bin_dir(major), account="nosuchuser").plan(major)


# a failure under RESTORABLE_NO_SKIPS=1 (conftest.py), which .ci/run sets
@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to hand its files to another account")
@pytest.mark.parametrize("major", [16, 18], indirect=True)     # Debian's is not in one folder and open to all
def test_an_installation_that_only_root_can_read_is_copied(major, base):
    closed = base / "closed"
    bin_dir = copy_installation(find_bin_dir(major), closed)
    closed.chmod(0o700)
    with LocalScratch(bin_dir, base=str(base)).start(major, "chef", keep_on_failure=False) as target:
        assert target.query("postgres", "SELECT 1") == [["1"]]


def test_a_broken_setting_of_the_server_is_told_in_its_own_words(start, monkeypatch, base):
    monkeypatch.setattr(product, "server_settings", lambda *_args, **_more: {"shared_buffers": "nonsense"})
    with pytest.raises(ToolFailed, match="shared_buffers"), start():
        pass
    assert folders(base) == []


def test_globals_and_a_hostile_database_come_back_as_they_were(empty_server, start, major, tmp_path):
    source = empty_server(major, superuser="chef")
    kit.build(source, "shop")
    place = source.folder / "fast"
    place.mkdir()
    shutil.chown(place, (source.folder / "data").stat().st_uid, (source.folder / "data").stat().st_gid)
    source.sql(f"CREATE TABLESPACE fast OWNER app LOCATION '{place}'")
    source.sql("ALTER INDEX orders_total SET TABLESPACE fast", database="shop")
    described = kit.described(source, "shop")
    source.sql(kit.HOSTILE.format(name="shop"))
    globals_text = kit.run(source, "pg_dumpall", "--globals-only")
    dumped = kit.run(source, "pg_dump", "--format=custom", "shop")
    settings = "SELECT setconfig::text FROM pg_db_role_setting s JOIN pg_database d ON d.oid = setdatabase ORDER BY 1"
    properties = ("SELECT datacl::text, shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = 'shop'")
    with start() as target:
        assert target.restore_globals(kit.chunks(globals_text, 100)) == []
        assert target.restore_whole("shop", kit.chunks(dumped), RestoreOptions(jobs=2)) == []
        assert target.query("postgres", settings) == [list(row) for row in source.sql(settings)]
        assert target.query("shop", properties) == [list(row) for row in source.sql(properties)]
        assert target.query("shop", "SELECT count(*) FROM orders") == [["500"]]
        location, = target.query("shop", "SELECT pg_tablespace_location(oid) FROM pg_tablespace"
                                         " WHERE spcname = 'fast'")
        assert "restorable-scratch-" in location[0]
        members = ("SELECT roleid::regrole::text, member::regrole::text, grantor::regrole::text FROM pg_auth_members"
                   " WHERE roleid > 16383 ORDER BY 2")
        assert target.query("postgres", members) == [list(row) for row in source.sql(members)]
        results = {check: (status, detail) for check, status, detail in target.integrity("shop")}
        assert all(status in ("ok", "not_run") for status, _detail in results.values())
        assert results["indexes"][0] == "ok"
        again = kit.run(source, "pg_dump", "--inserts", "--rows-per-insert=1", **target.environment("shop")).decode()
        assert sorted(line for line in again.splitlines() if not line.startswith("\\")) == described


def test_the_databases_that_every_server_has_are_replaced_by_the_backups(empty_server, start, major):
    source = empty_server(major, superuser="chef")
    for name in ("postgres", "template1"):
        source.sql(f"CREATE TABLE mine (name) AS SELECT '{name}'", database=name)
        source.sql(f"COMMENT ON DATABASE {name} IS 'ours'")
    with start() as target:
        for name in ("postgres", "template1"):
            target.restore_whole(name, kit.chunks(kit.dump(source, name, "--format=custom")), RestoreOptions())
        for name in ("postgres", "template1"):
            assert target.query(name, "SELECT name FROM mine") == [[name]]


def test_an_invalid_index_is_found(start):
    with start() as target:
        with target.databases.open("postgres") as session:
            session.execute("CREATE TABLE public.t (a int PRIMARY KEY)")
            session.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'public.t_pkey'::regclass")
        assert ("indexes", "failed", "1 invalid: public.t_pkey") in target.integrity("postgres")


def test_an_index_that_lost_a_row_is_found_or_the_check_says_why_it_could_not_run(start):
    ready = "UPDATE pg_index SET indisready = {} WHERE indexrelid = 'public.t_pkey'::regclass"
    with start() as target:
        with target.databases.open("postgres") as session:
            session.execute("CREATE TABLE public.t (a int PRIMARY KEY)")
            session.execute("INSERT INTO public.t SELECT generate_series(1, 1000)")
            for statement in (ready.format("false"), "INSERT INTO public.t VALUES (5000)", ready.format("true")):
                session.execute(statement)
        rows = {check: (status, detail) for check, status, detail in target.integrity("postgres")}
        if "amcheck" in rows:
            assert rows["amcheck"][0] == "not_run"
            assert "has no extension amcheck" in rows["amcheck"][1]
        else:
            assert rows["amcheck indexes"][0] == "failed"
            assert "public.t_pkey" in rows["amcheck indexes"][1]
            assert rows["amcheck heap"][0] == "ok"
            assert target.query("postgres", "SELECT count(*) FROM pg_extension WHERE extname = 'amcheck'") == [["0"]]
