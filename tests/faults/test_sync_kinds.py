# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a sync has to bring beside dumps: ends of holds, new keys, base backups and WAL; and a disk that fills up."""
from __future__ import annotations

import json
import shutil
from datetime import datetime, timedelta, timezone

import pytest

from _restorable.model.naming import BackupId, release_key
from _restorable.ops.rekey import rekey
from kit.agekeys import make_pair
from kit.chain import CORE
from kit.physical import Physical, archiving, home
from kit.small_disk import run_in_tmpfs


def two(chain):
    """Add a second repository to a chain that had one."""
    chain.body["repositories"]["vault"] = {"path": str(chain.folder / "vault")}


def without(chain, name):
    """Return the settings of a repository that is away from now on."""
    return chain.body["repositories"].pop(name)


def held(chain, name):
    return [str(each.id) for row in chain.list() if row.name == name for each in row.catalogue.committed() if each.held]


@pytest.fixture
def apart(chain):
    """Two level repositories, a held backup in both, and the hold released while vault was away."""
    two(chain)
    chain.backup = str(chain.taken().id)
    chain.hold(chain.backup, reason="audit")
    assert held(chain, "vault") == [chain.backup]
    away = without(chain, "vault")
    chain.hold(chain.backup, release=True)
    chain.body["repositories"]["vault"] = away
    return chain


@pytest.mark.parametrize("to", ["", "local", "vault"], ids=["all", "the one that knows", "the one that was away"])
def test_a_hold_that_was_released_while_a_repository_was_away_never_comes_back(apart, to):
    assert held(apart, "vault") == [apart.backup]
    told = apart.sync(to=to, dry_run=True)
    rows = apart.sync(to=to)
    assert {name: row.marks for name, row in told.items()} == {name: row.marks for name, row in rows.items()}
    assert all(row.error is None for row in rows.values())
    assert held(apart, "local") == []
    assert held(apart, "vault") == ([apart.backup] if to == "local" else [])
    assert [row.marks for row in apart.sync(to=to).values()] == [0] * len(rows)


def test_a_set_that_only_an_ended_hold_keeps_is_not_brought_back(apart):
    apart.taken(), apart.taken()
    apart.own["retention"] = {"dump": {"last": 2, "min_keep": 0, "min_age": "0"}}
    shutil.rmtree(apart.folder / "local" / "app" / "backup" / apart.backup)
    assert apart.sync(to="local")["local"].sets == []
    assert apart.backup not in apart.ids("local")


def test_a_backup_that_is_held_again_stays_held_everywhere(apart):
    apart.hold(apart.backup, reason="again")
    apart.sync()
    assert held(apart, "local") == held(apart, "vault") == [apart.backup]


@pytest.mark.parametrize("told", ["in an hour and a minute", "in years", "without a zone"])
def test_a_release_that_is_dated_in_the_future_ends_no_hold_and_is_named_and_not_copied(chain, told):
    """Such a mark, planted where somebody else writes, would end every hold that is set until that day."""
    two(chain)
    chain.backup = str(chain.taken().id)
    chain.hold(chain.backup, reason="audit")
    when = {"in an hour and a minute": datetime.now(timezone.utc) + timedelta(minutes=61),
            "in years": datetime(2099, 1, 1, tzinfo=timezone.utc), "without a zone": datetime(2099, 1, 1)}[told]
    mark = chain.folder / "local" / release_key("app", BackupId.parse(chain.backup), when)
    mark.write_text(json.dumps({"format": 1, "released": when.isoformat()}))
    row = chain.sync()["vault"]
    assert held(chain, "vault") == held(chain, "local") == [chain.backup]
    assert (mark.name in row.damaged[0], row.error.code) == (True, "sync.damaged")
    assert not list((chain.folder / "vault").rglob(mark.name))
    mark.unlink()
    assert chain.sync()["vault"].error is None


def test_a_release_by_a_clock_that_is_a_little_ahead_ends_the_hold(apart):
    [mark] = (apart.folder / "local" / "app" / "hold").glob("*.released.*")
    mark.write_text(json.dumps({"released": (datetime.now(timezone.utc) + timedelta(minutes=50)).isoformat()}))
    assert apart.sync()["vault"].error is None
    assert held(apart, "vault") == []


@pytest.fixture
def keyed(chain):
    """A sealed backup in two repositories of which only the first got the new keys."""
    old, new = make_pair(chain.folder / "old"), make_pair(chain.folder / "new")
    chain.body["encryption"] = {"recipients": [old.public], "identity_file": [str(old.path), str(new.path)]}
    two(chain)
    chain.backup = str(chain.taken().id)
    chain.body["encryption"]["recipients"] = [new.public]
    away = without(chain, "vault")
    assert [each.action for each in rekey(chain.world())] == ["rekeyed"]
    chain.body["repositories"]["vault"] = away
    chain.body["encryption"]["identity_file"] = str(new.path)      # the old key is lost
    return chain


def contents(chain, name):
    return {path.name: path.read_bytes() for path in chain.objects(chain.backup, name)}


def test_a_sync_brings_the_new_keys_to_a_repository_that_a_rekey_missed(keyed):
    assert [each.verdict for each in keyed.verify()] == ["passed", "incomplete"]
    assert keyed.sync(dry_run=True)["vault"].sets == [keyed.backup]
    rows = keyed.sync()
    assert (rows["vault"].sets, rows["vault"].error, rows["local"].sets) == ([keyed.backup], None, [])
    assert contents(keyed, "vault") == contents(keyed, "local")
    assert [each.verdict for each in keyed.verify()] == ["passed", "passed"]
    assert [row.sets for row in keyed.sync().values()] == [[], []]


def test_a_new_repository_gets_a_rekeyed_set_as_it_is_now(keyed):
    keyed.body["repositories"] = {"vault": keyed.body["repositories"]["vault"], **keyed.body["repositories"],
                                  "third": {"path": str(keyed.folder / "third")}}
    assert keyed.sync(to="third")["third"].sets == [keyed.backup]
    assert contents(keyed, "third") == contents(keyed, "local")


def test_base_backups_incrementals_and_wal_are_recovered_from_the_repository_they_were_copied_to(empty_server, folder):
    server = empty_server(18, config=archiving(18))
    chain = Physical(server, folder)
    chain.archived, chain.sleep = True, chain.waiting
    server.sql("CREATE TABLE kept AS SELECT g FROM generate_series(1, 1000) g")
    chain.based()
    server.sql("INSERT INTO kept SELECT g FROM generate_series(1001, 1500) g")
    chain.based(kind="incremental")
    server.sql("INSERT INTO kept SELECT g FROM generate_series(1501, 2000) g")
    chain.switch()
    two(chain)
    row = chain.sync(to="vault")["vault"]
    assert (row.error, len(row.sets)) == (None, 2)
    shutil.rmtree(folder / "local")
    without(chain, "local")
    path = home(folder)
    chain.recover(path)
    with chain.running(path) as back:
        assert back.sql("SELECT count(*), sum(g) FROM kept") == [(2000, 2001000)]


def test_a_target_that_fills_up_is_one_error_and_is_completed_once_there_is_room(chain):
    chain.taken(), chain.taken()
    chain.drill()
    two(chain)
    chain.body["state_dir"] = str(chain.folder / "state")
    (chain.folder / "vault").mkdir()
    code = f"""
import os
def run(*words):
    done = subprocess.run([sys.executable, "-m", "_restorable", "--config", {chain.config()!r}, *words],
                          env={{**os.environ, "PYTHONPATH": {str(CORE)!r}}}, capture_output=True, text=True)
    print(done.returncode, repr(done.stdout + done.stderr))
run("sync", "--to", "vault")
print(sorted(name for _folder, _folders, names in os.walk(FOLDER) for name in names if name.endswith(".part")))
run("list", "--repository", "vault", "--json")
remount()
run("sync", "--to", "vault")
run("verify", "--repository", "vault")
"""
    full, parts, listed, again, verified = run_in_tmpfs(chain.folder / "vault", code, options="size=36k",
                                                        remount="size=16m").splitlines()
    assert not full.startswith("0 ") and "is full" in full and "Traceback" not in full, full
    assert parts == "[]"
    assert '"committed": true' not in listed or listed.count('"committed": true') < 2
    assert again.startswith("0 "), again
    assert verified.startswith("0 "), verified
