# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sync between a folder, a bucket and remotes of rclone, every way round: interrupted, killed, and two at once."""
from __future__ import annotations

import json
import time

import pytest

from _restorable.app.stores import open_store
from _restorable.errors import Unavailable
from kit.fault import Fault, Faults
from kit.faulty_store import FaultyStore
from kit.remotes import rclone_path, sftp_server, write_config

GONE = Unavailable("repository away: the host does not answer", code="store.unreachable", hint="Wait.")


class Counting:
    """Notes the keys that are put into a store."""

    def __init__(self, before=lambda _key: None):
        self.keys, self._before = [], before

    def around(self, store):
        outer = self

        class Counted(FaultyStore):
            def put(self, key, chunks):
                outer._before(key)
                outer.keys.append(key)
                return self.inner.put(key, chunks)

        return Counted(store, Faults())


@pytest.fixture(scope="module")
def sshd():
    with sftp_server() as server:
        yield server


@pytest.fixture
def places(chain, folder, moto_s3, monkeypatch):
    """A chain with a backup, a hold and a drill in a folder; places are the settings of others, still empty."""
    monkeypatch.setenv("PATH", rclone_path())
    config = write_config(folder / "rclone.conf", near={"type": "alias", "remote": str(folder / "remote")})
    chain.taken()
    chain.hold("latest", reason="audit")
    chain.drill()
    chain.body["state_dir"] = str(folder / "state")
    chain.places = {
        "local": chain.body["repositories"]["local"],
        "s3": moto_s3.settings(moto_s3.bucket(), prefix="postgres", part_size=5),
        "rclone": {"type": "rclone", "remote": "near:store", "config_file": config},
        "home": {"path": str(folder / "home")}}
    return chain


def between(chain, *names):
    """Give the chain these repositories and no others."""
    chain.body["repositories"] = {name: chain.places[name] for name in names}
    return chain


def tree(chain, name):
    """Return what a repository holds for the cluster, but its own journal and prune records."""
    store = open_store(between(chain, name).settings().repositories[name])
    return {entry.key: b"".join(store.get(entry.key)) for entry in store.list("app/")
            if entry.key.split("/")[1] not in ("journal", "prune")}


def test_what_goes_from_place_to_place_comes_home_as_it_was_and_is_proven(places):
    wanted, way = tree(places, "local"), ("local", "rclone", "s3", "home")
    for source, target in zip(way, way[1:]):
        row = between(places, source, target).sync(to=target)[target]
        assert (row.error, row.conflicts, len(row.sets)) == (None, [], 1), (source, target)
        assert tree(places, target) == wanted, (source, target)
    again = between(places, *way[-2:]).sync()
    assert [(row.sets, row.size, row.marks, row.error) for row in again.values()] == [([], 0, 0, None)] * 2
    assert between(places, "home").drill().verdict == "passed"


def test_by_sftp_there_and_back(chain, folder, sshd, monkeypatch):
    """Each request is a connection of its own, so this is one small set."""
    monkeypatch.setenv("PATH", rclone_path())
    config = write_config(folder / "rclone.conf", there=sshd.body)
    chain.places = {"local": chain.body["repositories"]["local"], "home": {"path": str(folder / "home")}, "sftp": {
        "type": "rclone", "remote": f"there:{sshd.folder}/store/synced", "config_file": config}}
    chain.taken(globals=False, fingerprint="none")
    wanted = tree(chain, "local")
    for source, target in (("local", "sftp"), ("sftp", "home")):
        row = between(chain, source, target).sync(to=target)[target]
        assert (row.error, len(row.sets)) == (None, 1)
    assert tree(chain, "home") == wanted


@pytest.mark.parametrize(("source", "target", "verb"), [
    ("local", "s3", "put"), ("local", "s3", "get"), ("s3", "rclone", "put")])
def test_one_that_is_interrupted_commits_no_half_and_is_resumed(places, source, target, verb):
    if source != "local":
        assert between(places, "local", source).sync(to=source)[source].error is None
    wanted, struck = tree(places, "local"), target if verb == "put" else source
    fault = Fault(verb, GONE, nth=4) if verb == "put" else Fault(verb, GONE, nth=4, after_bytes=10)
    with Faults(fault) as faults:
        places.wrap_store = lambda store: FaultyStore(store, faults) if store.name == struck else store
        assert between(places, source, target).sync(to=target)[target].error is GONE
    places.wrap_store = lambda store: store
    assert {each.verdict for each in between(places, target).verify()} <= {"passed"}
    before = set(tree(places, target))
    copied = Counting()
    places.wrap_store = lambda store: copied.around(store) if store.name == target else store
    assert between(places, source, target).sync(to=target)[target].error is None
    assert tree(places, target) == wanted
    assert not before & set(copied.keys)           # what lay there was not copied again


def test_one_that_is_killed_is_completed_by_the_next(places):
    wanted, target = tree(places, "local"), "s3"
    process = between(places, "local", target).command("sync", "--to", target, "--json")
    store = open_store(places.settings().repositories[target])
    until = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < until and not any(store.list("app/backup/")):
        pass
    process.kill()
    process.communicate()
    status, out, err = between(places, "local", target).run("sync", "--to", target, "--json")
    assert (status, json.loads(out)["clusters"][0]["repositories"][0]["error"]) == (0, None), err
    assert tree(places, target) == wanted


def sync_as_another_host(chain, target):
    """Sync all by a process that shares no lock with this one."""
    mine = chain.body["state_dir"]
    chain.body["state_dir"] = f"{mine}-of-another-host"
    try:
        return chain.run("sync", "--to", target, "--json")
    finally:
        chain.body["state_dir"] = mine


@pytest.mark.parametrize("at", [".dump.zst", "manifest.json", ".passed.json"])
def test_of_two_at_once_neither_harms_the_other_and_the_next_one_has_nothing_to_do(places, at):
    """Another host overtakes this one between its look at the target and its writing."""
    wanted, overtaken, target = tree(places, "local"), [], "s3"

    def overtake(key):
        if key.endswith(at) and not overtaken:
            overtaken.append(sync_as_another_host(places, target))

    racing = Counting(overtake)
    between(places, "local", target)
    places.wrap_store = lambda store: racing.around(store) if store.name == target else store
    row = places.sync(to=target)[target]
    places.wrap_store = lambda store: store
    [(status, out, err)] = overtaken
    assert status == 0, (out, err)
    assert (row.error, row.conflicts) == (None, [])
    assert tree(places, target) == wanted
    assert [(row.sets, row.size, row.marks, row.error) for row in between(places, "local", target).sync().values()] == [
        ([], 0, 0, None)] * 2


def test_a_second_one_of_the_same_host_waits_for_no_lock_and_says_who_holds_it(places):
    between(places, "local", "s3")
    with places.world().lock.hold("backup"):
        status, _out, err = places.run("sync", "--to", "s3")
    assert status != 0 and "backup" in err and str(places.folder) not in err.splitlines()[0]
    assert not any(open_store(places.settings().repositories["s3"]).list("app/backup/"))
