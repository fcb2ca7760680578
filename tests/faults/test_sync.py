# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Repositories are brought level by copying sets as they are: resumable, verified, never overwriting."""
from __future__ import annotations

import json
import shutil

import pytest

from _restorable.errors import Unavailable
from kit.chain import Chain, flipped
from kit.fault import Fault, Faults
from kit.faulty_store import FaultyStore


@pytest.fixture
def pair(pg16, shop, folder):
    """A chain over two repositories, of which the second is new and empty; two backups, a hold and a drill."""
    chain = Chain(pg16, folder, databases=[shop])
    chain.taken(), chain.taken()
    chain.hold("latest", reason="audit")
    chain.drill("oldest")
    chain.body["repositories"]["vault"] = {"path": str(folder / "vault")}
    return chain


def tree(chain, name):
    """Return what a repository holds for the cluster, but its own journal and prune records."""
    root = chain.folder / name / "app"
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*"))
            if path.is_file() and path.relative_to(root).parts[0] not in ("journal", "prune")}


def test_a_new_repository_gets_everything_as_it_is(pair, shop, pg16):
    assert pair.sync(dry_run=True)["vault"].sets == pair.ids("local")[::-1]
    assert not (pair.folder / "vault").exists()
    row = pair.sync()["vault"]
    assert (row.sets, row.error) == (pair.ids("local")[::-1], None)
    assert tree(pair, "vault") == tree(pair, "local")
    shutil.rmtree(pair.folder / "local")
    pair.body["repositories"].pop("local")
    pair.restore(databases=(shop,), into="moved", globals=True)
    assert pg16.sql("SELECT count(*) FROM item", database="moved") == [(500,)]
    pg16.sql("DROP DATABASE moved")
    assert pair.drill().verdict == "passed"


def test_a_second_sync_copies_nothing(pair):
    pair.sync()
    before = pair.files()
    again = pair.sync()
    assert [(row.sets, row.size, row.marks, row.error) for row in again.values()] == [([], 0, 0, None)] * 2
    assert pair.files() == before


@pytest.mark.parametrize("nth", [1, 3, 5, 9])
def test_an_interrupted_sync_commits_no_half_and_is_resumed(pair, nth):
    gone = Unavailable("repository vault: the host does not answer", code="store.unreachable", hint="Wait.")
    with Faults(Fault("put", gone, nth=nth)) as faults:
        pair.wrap_store = lambda store: FaultyStore(store, faults) if store.name == "vault" else store
        row = pair.sync(to="vault")["vault"]
    assert row.error is gone
    pair.wrap_store = lambda store: store
    assert all(each.verdict == "passed" for each in pair.verify() if each.repository == "vault")
    there = {path: path.stat().st_mtime_ns for path in (pair.folder / "vault").rglob("*.zst")}
    assert pair.sync(to="vault")["vault"].error is None
    assert tree(pair, "vault") == tree(pair, "local")
    assert {path: path.stat().st_mtime_ns for path in there} == there      # what lay there was not copied again


def test_a_set_that_was_swept_while_it_came_is_not_committed_and_the_next_sync_brings_it(pair):
    class SweptByAnother:
        """A repository in which another host, without our lock, takes what came for left over."""

        def __init__(self, inner):
            self.inner, self.name = inner, inner.name

        def __getattr__(self, verb):
            return getattr(self.inner, verb)

        def put(self, key, chunks):
            stored = self.inner.put(key, chunks)
            if key.endswith(".dump.zst"):
                for entry in list(self.inner.list(key.rpartition("/")[0] + "/")):
                    self.inner.delete(entry.key)
            return stored

    pair.wrap_store = lambda store: SweptByAnother(store) if store.name == "vault" else store
    row = pair.sync(to="vault")["vault"]
    assert (row.error.code, row.sets, pair.ids("vault")) == ("sync.object_gone", [], [])
    pair.wrap_store = lambda store: store
    assert pair.sync(to="vault")["vault"].error is None
    assert tree(pair, "vault") == tree(pair, "local")
    assert {each.verdict for each in pair.verify() if each.repository == "vault"} == {"passed"}


def test_a_sync_that_is_killed_is_completed_by_the_next(pair):
    process = pair.command("sync", "--to", "vault", "--json")
    until_there(pair.folder / "vault" / "app" / "backup")
    process.kill()
    process.wait()
    for stream in (process.stdout, process.stderr):
        stream.close()
    status, out, err = pair.run("sync", "--json")
    assert status == 0, err
    assert json.loads(out)["clusters"][0]["repositories"][1]["error"] is None
    assert tree(pair, "vault") == tree(pair, "local")


def until_there(path):
    import time
    until = time.monotonic() + 60
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.005)


def test_a_set_that_stands_as_a_lone_manifest_gets_its_objects_back(pair):
    pair.sync()
    for backup, keep in zip(pair.ids("vault"), ((), (".fingerprint.json.zst",))):
        for path in pair.objects(backup, "vault"):
            if path.name != "manifest.json" and not path.name.endswith(keep):
                path.unlink()
    assert {each.verdict for each in pair.verify() if each.repository == "vault"} == {"failed"}
    told = pair.sync(dry_run=True)["vault"].sets
    row = pair.sync(to="vault")["vault"]
    assert sorted(row.sets) == sorted(told) == pair.ids("vault") and row.error is None
    # what verify found stays beside the set, until it finds it whole
    assert {each.verdict for each in pair.verify() if each.repository == "vault"} == {"passed"}
    whole = {key: data for key, data in tree(pair, "vault").items() if "/verify." not in key}
    assert whole == tree(pair, "local")
    assert pair.sync(to="vault")["vault"].sets == []


def test_a_set_that_lacks_objects_everywhere_is_told_by_verify_and_stops_no_sync(pair):
    pair.sync()
    first = pair.ids("vault")[0]
    for name in ("local", "vault"):
        next(path for path in pair.objects(first, name) if path.name.endswith(".dump.zst")).unlink()
    assert [(row.sets, row.error) for row in pair.sync().values()] == [([], None)] * 2


def test_different_content_under_one_name_is_refused_and_both_stay(pair):
    pair.sync()
    newest = pair.ids("local")[-1]
    path = pair.folder / "vault" / "app" / "backup" / newest / "manifest.json"
    body = json.loads(path.read_bytes())
    path.write_text(json.dumps({**body, "tool": "another"}))
    third = str(pair.taken().id)
    shutil.rmtree(pair.folder / "vault" / "app" / "backup" / third)
    before = tree(pair, "local"), path.read_bytes()
    row = pair.sync(to="vault")["vault"]
    assert row.error.code == "sync.conflict"
    assert newest in row.error.message
    assert third in row.sets                                   # the others are brought all the same
    assert (tree(pair, "local"), path.read_bytes()) == before


def test_a_left_over_object_with_other_bytes_is_refused(pair):
    newest = pair.ids("local")[-1]
    folder = pair.folder / "vault" / "app" / "backup" / newest
    shutil.copytree(pair.folder / "local" / "app" / "backup" / newest, folder)
    (folder / "manifest.json").unlink()
    flipped(next(each for each in folder.iterdir() if each.name.endswith(".dump.zst")), "middle")
    row = pair.sync(to="vault")["vault"]
    assert row.error.code == "sync.conflict"
    assert newest not in pair.ids("vault")


def test_a_damaged_source_is_never_copied_and_a_third_repository_stands_in(pair):
    pair.sync()
    newest = pair.ids("local")[-1]
    flipped(next(each for each in pair.objects(newest) if each.name.endswith(".dump.zst")), "middle")
    pair.body["repositories"]["third"] = {"path": str(pair.folder / "third")}
    alone = pair.sync(to="third", source="local")["third"]
    assert alone.error.code == "object.damaged"
    assert newest not in pair.ids("third")
    row = pair.sync(to="third")["third"]
    assert row.error is None and newest in pair.ids("third")
    assert "local" in row.notes[0]
    assert {each.verdict for each in pair.verify(newest) if each.repository == "third"} == {"passed"}


def test_a_repository_of_another_server_is_refused(pair):
    folder = pair.folder / "vault" / "app"
    folder.mkdir(parents=True)
    (folder / "cluster.json").write_text('{"format": 1, "system_identifier": "7"}')
    row = pair.sync(to="vault")["vault"]
    assert row.error.code == "repository.other_server"
    assert tree(pair, "vault") == {"cluster.json": b'{"format": 1, "system_identifier": "7"}'}


def test_a_future_format_is_refused(pair):
    folder = pair.folder / "vault" / "app"
    folder.mkdir(parents=True)
    (folder / "cluster.json").write_text('{"format": 2, "system_identifier": "7"}')
    row = pair.sync(to="vault")["vault"]
    assert row.error.code == "repository.unknown_format"
    assert "format 2" in row.error.message and row.error.hint
    (folder / "cluster.json").unlink()
    newest = pair.ids("local")[-1]
    path = pair.folder / "local" / "app" / "backup" / newest / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "format": 3}))
    assert pair.sync(to="vault")["vault"].error.code == "manifest.unknown_format"
    assert newest not in pair.ids("vault")


def test_a_cluster_whose_name_another_begins_with_is_left_alone(pair):
    other = pair.folder / "local" / "app-archive" / "backup" / "20261120T030000Z-dump"
    other.mkdir(parents=True)
    (other / "manifest.json").write_text("{}")
    pair.sync()
    assert sorted(each.name for each in (pair.folder / "vault").iterdir() if each.name[0] != ".") == ["app"]


def test_bad_names_are_told(pair):
    for how in ({"to": "attic"}, {"source": "attic"}):
        with pytest.raises(Exception, match="'attic'"):
            pair.sync(**how)
    with pytest.raises(Exception, match="both the source and the target"):
        pair.sync(to="vault", source="vault")
