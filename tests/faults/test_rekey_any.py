# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""New keys where any repository is enough and one is away: the others get them, and a later rekey or sync goes on."""
from __future__ import annotations

import shutil
from itertools import product

import pytest
from faults.conftest import SHOP

from _restorable.app.report_keys import rekey_report
from _restorable.errors import ConfigError, Unavailable
from _restorable.model.journal import Facts
from _restorable.ops.audit import audit
from _restorable.ops.journal import record
from _restorable.ops.rekey_all import rekey_all
from kit.agekeys import make_pair
from kit.chain import Chain, new_folder
from kit.fault import Fault, Faults
from kit.faulty_store import FaultyStore

REPOSITORIES = ("disk", "vault")


@pytest.fixture(scope="module")
def taken(pg16):
    """A chain over two repositories with a sealed backup; never touched, only copied."""
    folder = new_folder()
    pg16.sql("CREATE DATABASE keyed_any TEMPLATE template0")
    pg16.sql(*SHOP, database="keyed_any")
    chain = Chain(pg16, folder, repositories=REPOSITORIES, databases=["keyed_any"])
    chain.pair = make_pair(folder / "old")
    chain.body["encryption"] = {"recipients": [chain.pair.public], "identity_file": str(chain.pair.path)}
    manifest = chain.taken()
    key = f"app/backup/{manifest.id}/manifest.json"
    assert record(chain.world(), Facts("backup", "ok", keys=(key,))) == ()
    yield chain
    pg16.sql("DROP DATABASE keyed_any")
    shutil.rmtree(folder)


@pytest.fixture
def copy(taken, folder):
    """A copy where any repository is enough, that is told to seal for a new key, and has both identities."""
    for name in REPOSITORIES:
        shutil.copytree(taken.folder / name, folder / name)
    chain = Chain(taken.server, folder, repositories=REPOSITORIES, databases=["keyed_any"])
    chain.own["repositories_policy"] = "any"
    chain.body["state_dir"] = str(folder / "state")
    chain.old, chain.new = taken.pair, make_pair(folder / "new")
    chain.body["encryption"] = {"recipients": [chain.new.public],
                                "identity_file": [str(chain.old.path), str(chain.new.path)]}
    return chain


def rekeyed(chain, *faults, dry_run=False):
    """Rekey while the vault fails as planned; return the report that a person, or Ansible, gets."""
    planned = Faults(*faults)
    chain.wrap_store = lambda store: FaultyStore(store, planned) if store.name == "vault" else store
    with planned:
        done = rekey_all(chain.world(), dry_run=dry_run)
    chain.wrap_store = lambda store: store
    return rekey_report(done.sets, done.wal, warnings=done.warnings, dry_run=dry_run)


def away(name="vault"):
    return Unavailable(f"repository {name}: the host does not answer", code="store.unreachable", hint="Wait.")


def opened_by(chain, pair):
    """Return {repository: verdict} of its only set, as that identity alone opens it."""
    kept = chain.body["encryption"]["identity_file"]
    chain.body["encryption"]["identity_file"] = [str(pair.path)]
    try:
        return {each.repository: each.verdict for each in chain.verify()}
    finally:
        chain.body["encryption"]["identity_file"] = kept


def everywhere(verdict):
    return dict.fromkeys(REPOSITORIES, verdict)


@pytest.mark.parametrize("trouble", [away(), ConfigError("repository vault refuses this credential",
                                                         code="store.denied")], ids=["away", "denied"])
def test_a_repository_that_is_down_stops_no_rekey_and_is_told(copy, trouble):
    planned = rekeyed(copy, Fault("check", trouble), dry_run=True)
    report = rekeyed(copy, Fault("check", trouble))
    for told in (planned, report):
        assert (told["failed"], [each["action"] for each in told["sets"]]) == ([], ["rekeyed"])
        [warning] = told["warnings"]
        assert warning == (f"repository vault lacks new keys (keep the old identity): {trouble.message}; when it can "
                           "be used again, run `restorable rekey`")
    assert opened_by(copy, copy.new) == {"disk": "passed", "vault": "incomplete"}
    assert opened_by(copy, copy.old) == {"disk": "incomplete", "vault": "passed"}
    assert [each.kind for each in audit(copy.world(), None).findings] == []
    again = rekeyed(copy)
    assert (again["failed"], again["warnings"]) == ([], [])
    assert opened_by(copy, copy.new) == everywhere("passed")
    assert opened_by(copy, copy.old) == everywhere("incomplete")
    assert [each.kind for each in audit(copy.world(), None).findings] == []


def test_a_sync_brings_the_new_keys_too(copy):
    assert rekeyed(copy, Fault("check", away()))["failed"] == []
    row = copy.sync()["vault"]
    assert (row.error, len(row.sets)) == (None, 1)
    assert opened_by(copy, copy.new) == everywhere("passed")
    assert opened_by(copy, copy.old) == everywhere("incomplete")


def test_where_all_are_wanted_one_that_is_down_still_stops_it_before_anything_is_written(copy):
    copy.own["repositories_policy"] = "all"
    before = copy.files()
    with pytest.raises(Unavailable, match="does not answer"):
        rekeyed(copy, Fault("check", away()))
    assert copy.files() == before


def test_where_none_is_left_the_trouble_is_raised(copy):
    copy.wrap_store = lambda store: FaultyStore(store, Faults(Fault("check", away())))
    with pytest.raises(Unavailable, match="does not answer"):
        rekey_all(copy.world())


@pytest.mark.parametrize(("verb", "name"), [*product(("put", "get", "list", "delete"), ("vault",)), ("put", "disk"),
                                            ("get", "disk")])
def test_one_that_fails_at_any_call_stops_no_other_and_the_next_rekey_goes_on_there(copy, folder, verb, name):
    clean = {name: shutil.copytree(folder / name, folder / f"{name}.clean") for name in REPOSITORIES}
    for nth in range(1, 60):
        for each, path in clean.items():
            shutil.rmtree(folder / each)
            shutil.copytree(path, folder / each)
        fault = Fault(verb, away(name), nth=nth)
        planned = Faults(fault)
        copy.wrap_store = lambda store, planned=planned: (
            FaultyStore(store, planned) if store.name == name else store)
        done = rekey_all(copy.world())
        copy.wrap_store = lambda store: store
        if not fault.reached:
            break
        report = rekey_report(done.sets, done.wal, warnings=done.warnings)
        verdicts = opened_by(copy, copy.new)
        other = next(each for each in REPOSITORIES if each != name)
        assert (report["failed"], verdicts[other]) == ([], "passed"), (nth, report)
        # what fails where the journals are compared is asked of nobody again, and costs nothing
        assert verdicts[name] == "passed" or any(f"{name} lacks" in each for each in report["warnings"]), nth
        assert {each.verdict for each in copy.verify()} == {"passed"}, nth
        again = rekeyed(copy)
        assert (again["failed"], again["warnings"]) == ([], []), nth
        assert opened_by(copy, copy.new) == everywhere("passed"), nth
    assert nth > 1                     # some were struck, and one run had none left to strike


def test_the_command_takes_the_lock_once_and_ends_well_while_one_is_away(copy, folder):
    (folder / "vault").rename(folder / "elsewhere")
    (folder / "vault").write_text("no folder")
    status, out, err = copy.run("rekey")
    assert (status, "repository vault lacks new keys (keep the old identity)" in err) == (0, True), (out, err)
    (folder / "vault").unlink()
    (folder / "elsewhere").rename(folder / "vault")
    with copy.world().lock.hold("backup"):
        status, _out, err = copy.run("rekey")
    assert (status != 0, "is locked by backup" in err) == (True, True), err
