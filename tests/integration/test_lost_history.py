# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A timeline's history file is lost from the archive: recovery refuses to guess, and every way out leads back."""
from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from _restorable.errors import Damaged
from kit.archiving import wait_until
from kit.chain import new_folder
from kit.physical import Physical, archiving, home
from kit.servers import start_server, start_standby

NAME = "00000002.history"


@pytest.fixture(scope="module")
def promoted():
    """A chain with a base backup before a promotion and one after it, in two repositories, with all WAL."""
    with start_server(15, config=archiving(15), initdb=("--wal-segsize=1",)) as old, start_standby(old) as new:
        chain = Physical(old, new_folder(), repositories=("disk", "vault"))
        chain.archived, chain.sleep = True, chain.waiting
        old.sql("CREATE TABLE rows (id int)")
        chain.before = str(chain.based().id)
        old.sql("INSERT INTO rows VALUES (1)")
        chain.switch()
        place = old.sql("SELECT pg_current_wal_lsn()::text")[0][0]
        wait_until(lambda: new.sql(f"SELECT pg_last_wal_replay_lsn() >= '{place}'") == [(True,)], new.log_text)
        new.sql("SELECT pg_promote()")
        wait_until((new.folder / "arch" / NAME).exists, new.log_text)
        old.stop()
        chain.server, chain.own["connection"] = new, new.settings
        new.sql("INSERT INTO rows VALUES (2)")
        chain.switch()
        chain.after = str(chain.based().id)
        new.sql("INSERT INTO rows VALUES (3)")
        chain.switch()
        yield chain
    shutil.rmtree(chain.folder)


@pytest.fixture
def chain(promoted):
    """That chain without the history file in its first repository, whose bytes are chain.lost."""
    [path] = (promoted.folder / "disk").rglob(f"{NAME}-*")
    promoted.lost, promoted.history = path.read_bytes(), path
    path.unlink()
    yield promoted
    path.write_bytes(promoted.lost)


@pytest.fixture
def data(chain):
    path = home(chain.folder)
    yield path
    shutil.rmtree(path.parent)


def rows(chain, data):
    with chain.running(data) as back:
        return [row[0] for row in back.sql("SELECT id FROM rows ORDER BY id")]


def only_disk(chain):
    """Return the settings' repositories, and leave the first one alone among them."""
    places = chain.body["repositories"]
    chain.body["repositories"] = {"disk": places["disk"]}
    return places


@pytest.fixture
def alone(chain):
    places = only_disk(chain)
    yield chain
    chain.body["repositories"] = places


def test_another_repository_that_has_it_is_recovered_from_and_told(chain, data):
    plan, _done = chain.recover(data, backup=chain.before)
    assert plan.store.name == "vault" and any(NAME in each and "disk" in each for each in plan.notes)
    assert rows(chain, data) == [1, 2, 3]


def test_sync_brings_it_back_from_another_repository(chain, data):
    assert chain.sync(to="disk")["disk"].error is None
    assert chain.history.read_bytes() == chain.lost
    plan, _done = chain.recover(data, backup=chain.before)
    assert plan.store.name == "disk" and rows(chain, data) == [1, 2, 3]


def test_the_hint_names_the_command_that_brings_it_back_from_the_servers_pg_wal(alone, data):
    with pytest.raises(Damaged, match=f"{NAME} is missing") as caught:
        alone.recover(data, backup=alone.before)
    assert caught.value.code == "wal.no_history" and not data.exists()
    [(verb, path)] = re.findall(r"`restorable (wal-push) (\S+)`", caught.value.hint)
    status, out, err = alone.run(verb, str(alone.server.folder / "data" / path))
    assert status == 0, out + err
    assert alone.history.exists()
    alone.recover(data, backup=alone.before)
    assert rows(alone, data) == [1, 2, 3]


def test_it_is_written_anew_from_the_first_record_of_its_timeline_as_the_page_says(alone, data):
    [first, *_rest] = sorted(path.name for path in (alone.server.folder / "arch").iterdir()
                             if re.fullmatch("00000002[0-9A-F]{16}", path.name))
    assert alone.run("wal-get", first, str(alone.folder / first))[0] == 0
    shown = subprocess.run([f"{alone.server.bin_dir}/pg_waldump", alone.folder / first], capture_output=True, text=True,
                           check=False).stdout
    [place] = re.findall(r"lsn: ([0-9A-F/]+), .*END_OF_RECOVERY tli 2; prev tli 1;", shown)
    again = alone.folder / NAME
    again.write_text(f"1\t{place}\tby hand\n")
    status, out, err = alone.run("wal-push", str(again))
    assert status == 0, out + err
    alone.recover(data, backup=alone.before)
    [path] = (alone.folder / "disk").rglob(f"{NAME}-*")
    path.unlink()
    assert rows(alone, data) == [1, 2, 3]


def test_a_base_of_that_very_timeline_needs_none_which_is_told(alone, data):
    plan, _done = alone.recover(data)
    assert (str(plan.base.id), plan.timeline) == (alone.after, 2) and NAME in plan.notes[-1]
    assert rows(alone, data) == [1, 2, 3]
    evidence = alone.drill_base()
    assert evidence.verdict == "passed", evidence.checks
