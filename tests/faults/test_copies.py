# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy that is damaged or gone stops no restore, drill or verification while another is good, and is never hidden."""
from __future__ import annotations

import json
import shutil

import pytest

from _restorable.errors import Damaged, NotFound
from kit.chain import Chain, failed, flipped


@pytest.fixture
def pair(pg16, shop, folder):
    """A chain over two repositories, with one good backup in both."""
    chain = Chain(pg16, folder, repositories=("disk", "vault"), databases=[shop])
    chain.backup = str(chain.taken().id)
    return chain


def flip(path):
    flipped(path, "middle")


def cut(path):
    path.write_bytes(path.read_bytes()[:-10])


def remove(path):
    path.unlink()


def damaged(chain, name, how, repository="disk"):
    [path] = [each for each in chain.objects(chain.backup, repository) if name in each.name]
    how(path)


@pytest.mark.parametrize(("name", "how"), [
    (".dump.zst", flip), (".dump.zst", remove), ("globals.sql", cut), ("manifest.json", flip),
    ("manifest.json", remove)])
def test_a_restore_reads_the_good_copy_and_names_the_bad_one(pair, shop, pg16, how, name):
    damaged(pair, name, how)
    pg16.sql("DROP DATABASE IF EXISTS from_the_good")
    plan, notes = pair.restore(backup=pair.backup, databases=(shop,), into="from_the_good", globals=True)
    assert pg16.sql("SELECT count(*) FROM item", database="from_the_good") == [(500,)]
    pg16.sql("DROP DATABASE from_the_good")
    assert plan.repository == "vault"
    if (name, how) != ("manifest.json", remove):       # without its manifest it is no backup there, but an orphan
        assert "repository disk was passed over" in notes[0]
        assert f"verify {pair.backup} --repository disk" in notes[0]


def test_chosen_tables_come_back_from_the_good_copy(pair, shop, pg16):
    pg16.sql("DROP TABLE item", database=shop)
    damaged(pair, ".dump.zst", flip)
    plan, notes = pair.restore(databases=(shop,), tables=("item",))
    assert pg16.sql("SELECT count(*) FROM item", database=shop) == [(500,)]
    assert plan.repository == "vault" and "disk" in notes[0]


def test_a_restore_in_which_both_copies_are_bad_changes_nothing(pair, shop, pg16):
    damaged(pair, ".dump.zst", flip)
    damaged(pair, ".dump.zst", flip, "vault")
    with pytest.raises(Damaged, match="vault:app/backup"):
        pair.restore(databases=(shop,), into="from_no_good")
    assert pg16.sql("SELECT datname FROM pg_database WHERE datname = 'from_no_good'") == []


def test_a_named_repository_is_the_only_one_that_is_read(pair, shop):
    damaged(pair, ".dump.zst", cut)
    pair.source = "disk"
    with pytest.raises(Damaged, match="disk:app/backup"):
        pair.restore(databases=(shop,), into="from_disk")
    assert [each.repository for each in pair.verify()] == ["disk"]
    assert [each.name for each in pair.list()] == ["disk"]
    pair.source = "attic"
    for work in (pair.verify, pair.list, pair.show, pair.drill):
        with pytest.raises(NotFound, match="'attic'") as caught:
            work()
        assert "disk, vault" in caught.value.hint


@pytest.mark.parametrize(("name", "how"), [
    (".dump.zst", flip), (".dump.zst", remove), (".fingerprint", cut), ("manifest.json", flip),
    ("manifest.json", remove)])
def test_a_drill_proves_the_good_copy_and_tells_the_bad_one(pair, how, name):
    damaged(pair, name, how)
    evidence = pair.drill(pair.backup)
    assert evidence.repository == "vault"
    assert evidence.copies["vault"] == {"verdict": "passed", "levels": []}
    verdicts = {row.name: [each.verdict for each in row.catalogue.committed()] for row in pair.list()}
    if (name, how) == ("manifest.json", remove):
        assert (evidence.verdict, verdicts) == ("passed", {"disk": [], "vault": ["passed"]})
        return
    assert (evidence.verdict, verdicts) == ("failed", {"disk": ["failed"], "vault": ["passed"]})
    assert [each for each in failed(evidence) if "in disk" not in each] == []
    assert pair.status().health.colour == "red"
    status, out, _err = pair.run("drill", pair.backup, "--json")
    assert status == 1
    assert "the copy in vault passed" in json.loads(out)["clusters"][0]["words"]


def test_a_drill_of_the_good_copy_takes_the_verdict_on_the_bad_one_back_nowhere(pair):
    damaged(pair, ".dump.zst", flip)
    pair.drill(pair.backup)
    pair.source = "vault"
    assert pair.drill(pair.backup).verdict == "passed"
    pair.source = ""
    assert {row.name: row.catalogue.get(pair.backup).verdict for row in pair.list()} == \
        {"disk": "failed", "vault": "passed"}
    shutil.copy(next(each for each in pair.objects(pair.backup, "vault") if each.name.endswith(".dump.zst")),
                pair.folder / "disk" / "app" / "backup" / pair.backup)
    pair.drill(pair.backup)
    assert {row.catalogue.get(pair.backup).verdict for row in pair.list()} == {"passed"}


def test_a_verification_reads_every_copy_and_goes_on_where_one_repository_is_gone(pair):
    damaged(pair, ".dump.zst", flip)
    assert {each.repository: each.verdict for each in pair.verify()} == {"disk": "failed", "vault": "passed"}
    shutil.rmtree(pair.folder / "disk")
    (pair.folder / "disk").write_text("no folder")
    assert {each.repository: each.verdict for each in pair.verify()} == {"vault": "passed", "disk": "incomplete"}
    pair.body["state_dir"] = str(pair.folder / "state")
    status, out, err = pair.run("verify")
    assert (status, "disk could not be read" in out) == (3, True), (out, err)
    status, out, _err = pair.run("list")
    assert status == 3 and "repository disk: cannot be read" in out and pair.backup in out


def test_the_newest_of_all_repositories_is_the_latest(pair, shop):
    newer = str(pair.taken().id)
    shutil.rmtree(pair.folder / "disk" / "app" / "backup" / newer)
    plan, _notes = pair.restore(databases=(shop,), into="latest", dry_run=True)
    assert (plan.backup, plan.repository) == (newer, "vault")
    assert pair.drill(dry_run=True).repository == "vault"
    assert pair.show()[0] == "vault"
    assert [each.repository for each in pair.verify("latest")] == ["vault"]


def test_an_unreadable_manifest_hides_no_other_copy_from_show(pair):
    damaged(pair, "manifest.json", flip)
    assert pair.show()[0] == "vault"
