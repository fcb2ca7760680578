# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sync copies no damaged WAL and no changed evidence: it names them, and takes a good copy from elsewhere."""
from __future__ import annotations

import json
import shutil

import pytest
from faults.conftest import SHOP
from faults.test_rekey_wal import Sealed

from kit.agekeys import make_pair
from kit.chain import Chain, flipped, new_folder
from kit.wal import NAMES, segment_bytes

FILES = (NAMES[0], NAMES[1], NAMES[2], "00000002.history")


@pytest.fixture(params=["plain", "sealed"])
def archive(request, tmp_path):
    """WAL in disk and vault, from where it has vanished; sealed ones open here."""
    command = Sealed(tmp_path)
    command.seal_for(*([command.old] if request.param == "sealed" else []), having=(command.old,))
    command.push(*FILES)
    shutil.rmtree(tmp_path / "vault")
    return command


def synced(command, *words):
    """Return (exit status, the row of vault)."""
    ran = command("--json", "sync", "--to", "vault", *words)
    [cluster] = ran.json["clusters"]
    [row] = [each for each in cluster["repositories"] if each["repository"] == "vault"]
    return ran.status, row


def contents(command, repository):
    return {name: path.read_bytes() for name, path in command.files(repository).items()}


def of(command, name, repository="disk"):
    [path] = [path for each, path in command.files(repository).items() if each.startswith(f"{name}-")]
    return path


def test_whole_wal_comes_as_it_is(archive):
    status, row = synced(archive)
    assert (status, row["error"], row["damaged"], row["notes"]) == (0, None, [], [])
    assert contents(archive, "vault") == contents(archive, "disk")
    assert synced(archive)[1]["marks"] == 0


@pytest.mark.parametrize("place", ["first", "middle", "last", "cut"])
def test_damaged_wal_is_named_and_not_copied_and_stops_no_other(archive, place):
    path = of(archive, NAMES[1])
    if place == "cut":
        path.write_bytes(path.read_bytes()[:-3])
    else:
        flipped(path, place)
    status, row = synced(archive)
    assert status != 0 and row["error"]["code"] == "sync.damaged"
    assert len(row["damaged"]) == 1 and path.name in row["damaged"][0] and "disk:" in row["damaged"][0]
    assert contents(archive, "vault") == {name: data for name, data in contents(archive, "disk").items()
                                          if name != path.name}
    told = archive("sync", "--to", "vault")
    assert told.status != 0 and f"not copied: vault: disk:shop/wal/00000001/0000000100000000/{path.name}" in told.out


def test_a_good_copy_elsewhere_stands_in_for_a_damaged_one(archive, tmp_path):
    shutil.copytree(tmp_path / "disk", tmp_path / "third")
    body = json.loads(archive.config.read_text())
    body["repositories"]["third"] = {"path": str(tmp_path / "third")}
    archive.config.write_text(json.dumps(body))
    whole = contents(archive, "third")
    flipped(of(archive, NAMES[0]), "middle")
    status, row = synced(archive)
    assert (status, row["damaged"]) == (0, [])
    assert contents(archive, "vault") == whole


def test_wal_of_one_name_with_another_content_is_refused_and_both_stay(archive, tmp_path):
    synced(archive)
    other = of(archive, NAMES[0], "vault")
    moved = other.with_name(other.name.replace(other.name[25:57], "0" * 32))
    other.rename(moved)
    before = contents(archive, "vault")
    status, row = synced(archive)
    assert status != 0 and row["error"]["code"] == "sync.conflict" and NAMES[0] in row["conflicts"][0]
    assert contents(archive, "vault") == before


@pytest.fixture
def closed(tmp_path):
    """Sealed WAL in disk alone, on a host with public keys."""
    command = Sealed(tmp_path)
    command.push(*FILES)
    shutil.rmtree(tmp_path / "vault")
    return command


@pytest.mark.parametrize("identity", ["none", "another"])
def test_sealed_wal_that_nobody_opens_here_comes_unopened_and_that_is_told(closed, tmp_path, identity):
    if identity == "another":
        closed.seal_for(closed.old, having=(make_pair(tmp_path / "another"),))
    status, row = synced(closed)
    assert (status, row["damaged"]) == (0, [])
    assert row["notes"] == ["4 files of WAL came as they are: no identity that is set here opens them"]
    assert contents(closed, "vault") == contents(closed, "disk")


def test_what_has_no_whole_header_is_damaged_also_without_a_key(closed):
    path = of(closed, NAMES[1])
    path.write_bytes(path.read_bytes()[:100])
    status, row = synced(closed)
    assert status != 0 and path.name in row["damaged"][0] and len(row["damaged"]) == 1


def test_new_keys_come_and_the_old_form_goes(archive):
    synced(archive)
    before = contents(archive, "vault")
    shutil.copytree(archive.folder / "vault", archive.folder / "kept")
    archive.seal_for(archive.new, having=(archive.old, archive.new))
    assert archive.rekey()["failed"] == []
    shutil.rmtree(archive.folder / "vault")
    (archive.folder / "kept").rename(archive.folder / "vault")
    assert contents(archive, "vault") == before
    status, row = synced(archive)
    assert (status, row["marks"], row["damaged"]) == (0, 4, [])
    assert contents(archive, "vault") == contents(archive, "disk")
    ran = archive("--json", "sync", "--to", "disk")            # and what is older comes not back
    assert ran.json["clusters"][0]["repositories"][0]["marks"] == 0
    archive.seal_for(archive.new, having=(archive.new,))
    assert archive("wal-get", NAMES[0], str(archive.folder / "got")).status == 0
    assert (archive.folder / "got").read_bytes() == segment_bytes(NAMES[0])


def test_a_new_form_that_nobody_opens_here_takes_no_place_of_an_old_one(closed, tmp_path):
    """A bit that rots behind the header, or a forged file, looks like one for another key."""
    synced(closed)
    before = contents(closed, "vault")
    (tmp_path / "vault").rename(tmp_path / "kept")
    closed.seal_for(closed.new, having=(closed.old, closed.new))
    assert closed.rekey()["failed"] == []
    shutil.rmtree(tmp_path / "vault", ignore_errors=True)
    (tmp_path / "kept").rename(tmp_path / "vault")
    closed.seal_for(closed.new, having=(closed.old,))
    status, row = synced(closed)
    assert (status, row["marks"], row["damaged"]) == (0, 0, [])
    assert row["notes"] == ["4 files of WAL keep their old keys: no identity that is set here opens the others"]
    assert contents(closed, "vault") == before


@pytest.fixture(scope="module")
def proven(pg16):
    """A backup with two drills, taken by the command, so that a journal tells of all; never touched, only copied."""
    folder = new_folder()
    pg16.sql("CREATE DATABASE evident TEMPLATE template0")
    pg16.sql(*SHOP, database="evident")
    chain = Chain(pg16, folder, databases=["evident"])
    for words in (("backup",), ("drill",), ("drill",)):
        status, out, err = chain.run(*words)
        assert status == 0, out + err
    yield chain
    pg16.sql("DROP DATABASE evident")
    shutil.rmtree(folder)


@pytest.fixture
def evident(proven, folder):
    """A copy of it, and a second repository that is empty."""
    shutil.copytree(proven.folder / "local", folder / "local")
    chain = Chain(proven.server, folder, databases=["evident"])
    chain.body["repositories"]["vault"] = {"path": str(folder / "vault")}
    return chain


def drills(chain, name="local", suffix=".json"):
    return sorted((chain.folder / name / "app" / "drill").glob(f"*{suffix}"))


def edit(path):
    """Change a number within evidence; it stays JSON that knows its own name."""
    body = json.loads(path.read_bytes())
    body["rto"] = 0.001
    path.write_text(json.dumps(body, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


@pytest.mark.parametrize(("witness", "which"), [("journal", 0), ("journal", 1), ("the evidence after it", 0)])
def test_evidence_that_was_changed_is_named_and_not_copied(evident, witness, which):
    if witness != "journal":
        shutil.rmtree(evident.folder / "local" / "app" / "journal")
    path = drills(evident)[which]
    page = path.with_suffix(".html")
    edit(path)
    row = evident.sync(to="vault")["vault"]
    assert row.error.code == "sync.damaged"
    assert [each.split(":")[1].rpartition("/")[2] for each in sorted(row.damaged)] == [page.name, path.name]
    came = [each.name for each in drills(evident, "vault")]
    assert came == [each.name for each in drills(evident) if each != path]
    assert [each.name for each in drills(evident, "vault", ".html")] == [
        each.name for each in drills(evident, suffix=".html") if each != page]
    assert row.sets == evident.ids("vault") != []


@pytest.mark.parametrize("harm", ["renamed", "no json", "page"])
def test_evidence_that_is_not_what_its_name_says_is_named_and_not_copied(evident, harm):
    shutil.rmtree(evident.folder / "local" / "app" / "journal")
    path = drills(evident)[1]
    page = path.with_suffix(".html")
    if harm == "renamed":
        wrong = path.with_name(path.name.replace("passed", "failed"))
        path.rename(wrong)
    elif harm == "no json":
        wrong = path
        wrong.write_bytes(b"PASSED")
    else:
        wrong = page
        other = drills(evident, suffix=".html")[0]
        page.write_bytes(other.read_bytes())
    row = evident.sync(to="vault")["vault"]
    assert row.error.code == "sync.damaged" and any(wrong.name in each for each in row.damaged)
    assert not (evident.folder / "vault" / "app" / "drill" / wrong.name).exists()


def test_whole_evidence_comes_and_a_good_copy_stands_in(evident):
    shutil.copytree(evident.folder / "local", evident.folder / "third")
    evident.body["repositories"]["third"] = {"path": str(evident.folder / "third")}
    whole = {path.name: path.read_bytes() for path in (*drills(evident), *drills(evident, suffix=".html"))}
    edit(drills(evident)[0])
    row = evident.sync(to="vault")["vault"]
    assert (row.error, row.damaged) == (None, [])
    assert {path.name: path.read_bytes() for path in (evident.folder / "vault" / "app" / "drill").iterdir()} == whole


@pytest.mark.parametrize("event", ["told", "killed before it was"])
def test_an_audit_finds_nothing_in_a_rekeyed_set_that_a_sync_brought(evident, event):
    first, second = make_pair(evident.folder / "first"), make_pair(evident.folder / "second")
    evident.body["encryption"] = {"recipients": [first.public],
                                  "identity_file": [str(first.path), str(second.path)]}

    def done(*words):
        status, out, err = evident.run(*words)
        assert status == 0, out + err

    done("sync")
    away = evident.body["repositories"].pop("vault")
    done("rekey")
    evident.body["repositories"]["vault"] = away
    if event == "told":
        done("sync")
    else:
        assert evident.sync(to="vault")["vault"].error is None
        done("hold", evident.ids("local")[0], "--reason", "so that the journals meet again")
    assert (evident.objects(evident.ids("vault")[0], "vault")[0].parent / "manifest.1.json").exists()
    done("audit")
    later = evident.objects(evident.ids("vault")[0], "vault")[0].parent / "manifest.1.json"
    later.write_bytes(later.read_bytes().replace(b'"tool": "restorable', b'"tool": "restorabl3', 1))
    status, out, err = evident.run("audit")
    assert status == 7 and "manifest.1.json" in out + err
