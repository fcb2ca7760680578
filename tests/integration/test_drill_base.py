# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drills of base backups on real servers: what passes, what is found, and what a drill never touches."""
from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import time
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest

from _restorable.app import wire
from _restorable.errors import Refused
from kit.chain import failed, flipped, programs
from kit.physical import CONFIG, Physical, archiving
from kit.servers import PHYSICAL_MAJORS

DIES = "kill -SEGV $$"


@pytest.fixture
def drilled(empty_server, folder):
    """A function that gives a chain with one self-contained base backup of a small table."""
    def make(major=15, **options):
        chain = Physical(empty_server(major, config=CONFIG[major]), folder, **options)
        chain.server.sql("CREATE TABLE kept (id int PRIMARY KEY, t text)",
                         "INSERT INTO kept SELECT g, repeat('x', 100) FROM generate_series(1, 5000) g")
        chain.manifest_time = datetime.fromisoformat(chain.based().base.stop_time)
        return chain
    return make


def results(evidence) -> dict[str, str]:
    """Return {"L7 target": "ok", …}, ids left out."""
    return {f"{each.level} {each.name.split(' ')[0]}": each.result for each in evidence.checks}


@pytest.mark.parametrize("major", PHYSICAL_MAJORS, ids=lambda major: f"pg{major}")
def test_a_good_base_backup_passes_every_level(drilled, major):
    # 18's pg_verifybackup of the wheel dies by a signal, so there its work is done here
    chain = drilled(major)
    evidence = chain.drill_base()
    assert failed(evidence) == [] and evidence.verdict == "passed", evidence.checks
    assert {each.level for each in evidence.checks} == {f"L{number}" for number in range(8)}
    assert not any("foreign keys" in each.name for each in evidence.checks)       # a recovery checks none
    assert evidence.rto and evidence.recovery["replayed"] and evidence.key.endswith(".passed.json")
    assert chain.status().repositories[0].catalogue.committed()[-1].proven
    assert list(chain.scratch.iterdir()) == []
    # how long it took is what the next recovery may expect
    plan, _none = chain.recover(chain.folder / "data", dry_run=True)
    assert plan.expected_seconds == evidence.rto


def test_the_work_of_a_tool_that_dies_is_done_here_and_told(drilled, folder):
    chain = drilled()
    chain.own["bin_dir"] = programs(chain.server, folder, pg_verifybackup=DIES,
                                    postgres='exec $REAL "$@"')
    evidence = chain.drill_base()
    assert evidence.verdict == "passed" and results(evidence)["L1 contents"] == "ok"
    [note] = [each for each in evidence.notes if "pg_verifybackup" in each]
    assert "died by signal 11" in note and "by size and CRC32C" in note


@pytest.mark.parametrize("dies", [False, True], ids=["pg_verifybackup", "here"])
@pytest.mark.parametrize(("name", "harm"), [
    ("PG_VERSION", lambda path: path.write_bytes(b"51\n")), ("alien", lambda path: path.write_bytes(b"")),
    ("global/pg_filenode.map", lambda path: flipped(path, "middle"))])
def test_a_file_that_differs_from_the_list_is_found_with_the_tool_and_without(drilled, folder, name, harm, dies):
    chain = drilled()
    if dies:
        chain.own["bin_dir"] = programs(chain.server, folder, pg_verifybackup=DIES, postgres='exec $REAL "$@"')
    chain.wrap_recovery = lambda place: Harming(place, lambda data: harm(pathlib.Path(data) / name))
    evidence = chain.drill_base()
    assert evidence.verdict == "failed" and name.rpartition("/")[2] in failed(evidence)[0]
    assert results(evidence)["L1 contents" if dies else "L1 pg_verifybackup"] == "failed"


class Harming:
    """A place whose data directories are harmed once they are unpacked, before they are verified."""

    def __init__(self, place, harm):
        self._place, self._harm = place, harm

    def __getattr__(self, name):
        return getattr(self._place, name)

    @contextmanager
    def open(self, *args, **options):
        with self._place.open(*args, **options) as recovery:
            verify = recovery.verify
            recovery.verify = lambda folder: (self._harm(folder), verify(folder))[1]
            yield recovery


def test_the_end_of_the_wal_and_a_random_moment_are_reached(empty_server, folder):
    chain = Physical(empty_server(15, config=archiving(15)), folder)
    chain.archived, chain.sleep = True, chain.waiting
    chain.server.sql("CREATE TABLE rows (at timestamptz)")
    chain.based()
    for _second in range(3):
        time.sleep(1)
        chain.server.sql("INSERT INTO rows VALUES (clock_timestamp())")
    chain.switch()
    chain.server.sql("INSERT INTO rows VALUES (clock_timestamp())")
    chain.switch()
    before = chain.server.sql("SELECT archived_count, last_archived_wal FROM pg_stat_archiver")
    evidence = chain.drill_base(checks=[{"sql": "SELECT count(*) FROM rows", "database": "postgres", "expect": 4}])
    assert evidence.verdict == "passed", evidence.checks
    assert evidence.recovery["segments"] >= 2 and evidence.rpo is not None
    evidence = chain.drill_base(moment="random")
    assert evidence.verdict == "passed", evidence.checks
    assert "recovery stopping before commit" in evidence.recovery["reached"]
    target = datetime.fromisoformat(evidence.recovery["target"].removeprefix("time "))
    last = evidence.recovery["last_commit"]
    assert not last or datetime.fromisoformat(last) <= target
    # the server that was copied was neither asked for WAL nor given any
    assert chain.server.sql("SELECT archived_count, last_archived_wal FROM pg_stat_archiver") == before
    assert chain.server.sql("SELECT count(*) FROM pg_stat_replication") == [(0,)]


@pytest.mark.parametrize(("rows", "keep"), [(0, False), (1, True)])
def test_a_random_moment_behind_the_last_commit_is_the_end_of_the_wal(empty_server, folder, monkeypatch, rows, keep):
    """On a quiet server the last segment comes long after what was committed in it."""
    chain = Physical(empty_server(15, config=archiving(15)), folder)
    chain.archived, chain.sleep = True, chain.waiting
    chain.server.sql("CREATE TABLE rows (id int)")
    chain.based()
    for number in range(rows):
        chain.server.sql(f"INSERT INTO rows VALUES ({number})")
    time.sleep(2.5)
    chain.server.sql("SELECT pg_create_restore_point('quiet')")
    chain.switch()
    monkeypatch.setattr(wire, "chooser", lambda _seed: lambda moments: moments[-1])
    evidence = chain.drill_base(moment="random", keep_on_failure=keep, checks=[
        {"sql": "SELECT count(*) FROM rows", "database": "postgres", "expect": rows}])
    assert evidence.verdict == "passed", evidence.checks
    assert "in the last archived segment" in evidence.recovery["reached"]
    assert evidence.recovery["target"].startswith("time ") and "committed after time" in " ".join(evidence.notes)
    assert len([each for each in evidence.checks if each.name == "target"]) == 1
    # nothing is kept of the server that was not led to the moment
    assert list(chain.scratch.iterdir()) == [] and "rm -r" not in " ".join(evidence.notes)
    assert len(set(evidence.notes)) == len(evidence.notes)


def test_a_moment_that_a_base_backup_does_not_lead_to_is_no_fault_of_it(drilled):
    chain = drilled()
    before = chain.files()
    early, late = chain.manifest_time - timedelta(days=1), chain.manifest_time + timedelta(milliseconds=1)
    for moment in (early, late, late + timedelta(days=1)):
        with pytest.raises(Refused, match="is none that base backup") as caught:
            chain.drill_base(moment=moment.isoformat())
        assert caught.value.code == "drill.out_of_reach" and "`restorable drill ID`" in caught.value.hint
    assert chain.files() == before


def test_a_random_moment_of_a_base_backup_that_cannot_be_read_is_a_finding(drilled):
    chain = drilled()
    path = chain.objects(chain.ids()[0])[-1]
    assert path.name == "manifest.json"
    path.write_bytes(b"{}")
    evidence = chain.drill_base(moment="random")
    assert evidence.verdict == "failed" and evidence.picked != "the newest"
    assert any(each.startswith("no moment could be drawn: ") for each in evidence.notes), evidence.notes


def test_a_drill_ends_no_foreign_process(drilled):
    """A left folder names a process that has got the number of its dead server since."""
    chain = drilled()
    left = chain.scratch / "restorable-scratch-left"
    (left / "data").mkdir(parents=True)
    (left / "lock").touch()
    with subprocess.Popen(["sleep", "600"]) as foreign:
        try:
            (left / "data" / "postmaster.pid").write_text(f"{foreign.pid}\n{left / 'data'}\n")
            assert chain.drill_base().verdict == "passed"
            assert foreign.poll() is None and not left.exists()
            assert chain.server.sql("SELECT 1") == [(1,)]
        finally:
            foreign.kill()


def test_a_drill_needs_no_running_server(drilled):
    chain = drilled()
    chain.server.stop()
    assert chain.drill_base().verdict == "passed"


def test_a_flipped_bit_fails_the_drill(drilled):
    chain = drilled()
    flipped(next(path for path in chain.objects(chain.ids()[0]) if path.name.startswith("base.tar")), "middle")
    evidence = chain.drill_base()
    assert evidence.verdict == "failed" and results(evidence)["L0 objects"] == "failed"
    assert results(evidence)["L7 the"] == "not_run"


def test_a_damaged_incremental_is_found(drilled):
    chain = drilled(18)
    chain.server.sql("UPDATE kept SET t = 'y'")
    incremental = chain.based(kind="incremental")
    assert chain.drill_base().verdict == "passed"
    flipped(next(path for path in chain.objects(incremental.id) if path.name.startswith("base.tar")), "middle")
    evidence = chain.drill_base()
    assert evidence.verdict == "failed" and str(incremental.id) in failed(evidence)[0]


def test_a_pruned_parent_is_found(drilled):
    chain = drilled(18)
    full = chain.ids()[0]
    chain.based(kind="incremental")
    shutil.rmtree(chain.folder / "local" / "app" / "backup" / full)
    evidence = chain.drill_base()
    assert evidence.verdict == "failed" and full in failed(evidence)[0]
    # and a recovery is refused before anything is written
    with pytest.raises(Refused, match=full) as caught:
        chain.recover(chain.folder / "data")
    assert caught.value.code == "base.chain_broken" and not (chain.folder / "data").exists()


def test_rows_that_cannot_be_read_fail_the_drill(drilled):
    chain = drilled()
    path = chain.server.folder / "data" / chain.server.sql("SELECT pg_relation_filepath('kept')")[0][0]
    chain.server.sql("CHECKPOINT")
    data = bytearray(path.read_bytes())
    data[8192:8192 + 24] = os.urandom(24)      # a page header of nonsense; this server has no checksums
    path.write_bytes(data)
    chain.based()
    evidence = chain.drill_base()
    assert evidence.verdict == "failed" and any("L4 rows postgres" in each for each in failed(evidence))


def test_an_own_question_that_is_answered_otherwise_fails_the_drill(drilled):
    evidence = drilled().drill_base(checks=[{"sql": "SELECT count(*) FROM kept", "database": "postgres",
                                             "expect": 7}])
    assert failed(evidence) and "expected '7'" in failed(evidence)[0]


def test_a_dry_run_stores_nothing(drilled):
    chain = drilled()
    before = chain.files()
    plan = chain.drill_base(dry_run=True)
    assert plan.server.startswith("PostgreSQL 15") and chain.files() == before


def test_the_host_command_drills_base_backups(drilled):
    chain = drilled()
    status, out, err = chain.run("drill", "--kind", "base")
    assert status == 0, out + err
    assert "L7" in out and "PASSED" in out and "recovered to the end of the archived WAL" in out


def test_a_listing_and_the_status_draw_the_window(drilled):
    chain = drilled()
    status, out, _err = chain.run("list")
    assert status == 0 and "recovery from local: " in out and "B base backup" in out
    status, out, _err = chain.run("--json", "status")
    window = json.loads(out)["clusters"][0]["repositories"][0]["recovery"]
    assert window["windows"][0]["backup"] == chain.ids()[0] and "  B  " in window["line"]
