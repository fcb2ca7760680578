# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""New keys for stored backups: without the server, killed at every step, damaged, half done, held and adopted."""
from __future__ import annotations

import json
import shutil
from dataclasses import replace
from itertools import count

import pytest
from faults.conftest import SHOP

from _restorable.app.report_keys import rekey_report
from _restorable.model.journal import Facts
from _restorable.ops.audit import audit
from _restorable.ops.journal import record
from _restorable.ops.rekey import rekey
from kit.agecommand import age_command, run
from kit.agekeys import make_pair
from kit.chain import Chain, failed, flipped, new_folder
from kit.mortal import Killed, Locked, Mortal, StoppedAt

REPOSITORIES = ("disk", "vault")


@pytest.fixture(scope="module")
def taken(pg16):
    """A chain over two repositories with two sealed backups; never touched, only copied."""
    folder = new_folder()
    pg16.sql("CREATE DATABASE keyed TEMPLATE template0")
    pg16.sql(*SHOP, database="keyed")
    chain = Chain(pg16, folder, repositories=REPOSITORIES, databases=["keyed"])
    chain.pair = make_pair(folder / "old")
    chain.body["encryption"] = {"recipients": [chain.pair.public], "identity_file": str(chain.pair.path)}
    chain.taken()
    chain.taken()
    yield chain
    pg16.sql("DROP DATABASE keyed")
    shutil.rmtree(folder)


@pytest.fixture
def copy(taken, folder):
    """A copy that is told to seal for a new key, and has both identities."""
    for name in REPOSITORIES:
        shutil.copytree(taken.folder / name, folder / name)
    chain = Chain(taken.server, folder, repositories=REPOSITORIES, databases=["keyed"])
    chain.old, chain.new = taken.pair, make_pair(folder / "new")
    chain.body["encryption"] = {"recipients": [chain.new.public],
                                "identity_file": [str(chain.old.path), str(chain.new.path)]}
    return chain


def done(chain, wish="all", **options):
    return rekey_report(rekey(chain.world(), wish, **options), dry_run=options.get("dry_run", False))


def with_keys(chain, *pairs):
    chain.body["encryption"]["identity_file"] = [str(pair.path) for pair in pairs]
    return chain


def verdicts(chain):
    return [found.verdict for found in chain.verify()]


def told(chain):
    """Write the event of the backups, as the command does, and return them to an audit that finds nothing."""
    keys = tuple(f"app/backup/{backup}/manifest.json" for backup in chain.ids("disk"))
    assert record(chain.world(), Facts("backup", "ok", keys=keys)) == ()
    assert findings(chain) == []


def findings(chain):
    return [(each.kind, each.where) for each in audit(chain.world(), None).findings]


def torn(chain):
    """Say whether a kill struck between two journals, so that one lacks an event until the next one is written."""
    return len({len(list((chain.folder / name / "app" / "journal").rglob("*.json"))) for name in REPOSITORIES}) > 1


def names(chain, repository="disk"):
    return [path.name for path in chain.objects(chain.ids(repository)[0], repository)]


def test_after_a_rekey_the_new_key_opens_everything_and_the_old_one_nothing(copy):
    report = done(copy)
    assert [(each["action"], each["before"], each["after"]) for each in report["sets"]] == [
        ("rekeyed", [copy.old.key_id], [copy.new.key_id])] * 2
    assert (report["changed"], report["failed"], report["warnings"], len(report["keys"])) == (True, [], [], 2)
    with_keys(copy, copy.new)
    assert verdicts(copy) == ["passed"] * 4
    evidence = copy.drill()
    assert (evidence.verdict, failed(evidence)) == ("passed", [])
    with_keys(copy, copy.old)
    assert set(verdicts(copy)) == {"incomplete"}
    assert sorted(names(copy)) == sorted([
        "globals.inventory.json.zst.r1.age", "globals.sql.zst.r1.age", "keyed.dump.zst.r1.age",
        "keyed.fingerprint.json.zst.r1.age", "manifest.1.json", "manifest.json"])
    disk, vault = ({key.partition("/")[2]: value for key, value in copy.files("/backup/").items()
                    if key.startswith(name)} for name in REPOSITORIES)
    assert disk == vault


def test_a_second_rekey_has_nothing_to_do_and_a_third_key_makes_a_third_generation(copy, folder):
    done(copy)
    before = copy.files()
    again = done(copy)
    assert (again["changed"], [each["action"] for each in again["sets"]]) == (False, ["current"] * 2)
    assert copy.files() == before
    third = make_pair(folder / "third")
    copy.body["encryption"]["recipients"] = [third.public, copy.new.public]
    done(copy)
    assert [name for name in names(copy) if name.startswith("manifest")] == [
        "manifest.1.json", "manifest.2.json", "manifest.json"]
    assert "keyed.dump.zst.r2.age" in names(copy) and "keyed.dump.zst.r1.age" not in names(copy)
    for pair in (third, copy.new):
        assert verdicts(with_keys(copy, pair)) == ["passed"] * 4


def test_a_rekey_needs_no_server_and_one_set_can_be_named(copy):
    copy.own["connection"] = {"host": "/no/such/socket"}
    report = done(copy, copy.ids("disk")[0])
    assert [each["backup"] for each in report["sets"]] == [copy.ids("disk")[0]]
    assert [each.key_ids() for each in (copy.show(backup)[2] for backup in copy.ids("disk"))] == [
        (copy.new.key_id,), (copy.old.key_id,)]


def test_a_dry_run_says_the_same_and_writes_nothing(copy):
    before = copy.files()
    planned = done(copy, dry_run=True)
    assert (copy.files(), planned["changed"]) == (before, False)
    assert planned["sets"] == done(copy)["sets"]


def test_a_kill_at_any_write_leaves_every_set_readable_and_the_next_rekey_ends_the_work(copy, folder):
    """Every put and delete of a rekey of one set in two repositories is struck once, and an audit finds it honest."""
    told(copy)
    clean = {name: shutil.copytree(folder / name, folder / f"{name}.clean") for name in REPOSITORIES}
    wish, struck = copy.ids("disk")[0], 0
    for at in range(100):
        for name, path in clean.items():
            shutil.rmtree(folder / name)
            shutil.copytree(path, folder / name)
        left = count(at, -1)
        copy.wrap_store = lambda store, left=left: Mortal(store, left)
        try:
            done(copy, wish)
        except Killed:
            struck += 1
        else:
            break
        finally:
            copy.wrap_store = lambda store: store
        assert set(verdicts(copy)) == {"passed"}, at
        assert [kind for kind, _where in findings(copy)] == ["cut"] * torn(copy), at
        assert done(copy, wish)["failed"] == []
        if torn(copy):
            record(copy.world(), Facts("restore", "ok"))
        assert findings(copy) == [], at
        assert verdicts(with_keys(copy, copy.new, copy.old)) == ["passed"] * 4
        assert "keyed.dump.zst.age" not in names(copy) + names(copy, "vault"), at
        assert len(names(copy)) == len(names(copy, "vault")) == 6, at
    assert struck >= 2 * (4 + 1 + 4)   # four objects and a manifest stored, four objects deleted, in each of two


def test_what_a_rekey_did_before_it_was_stopped_is_bound_by_events(copy):
    told(copy)
    second = copy.ids("disk")[1]
    copy.wrap_store = lambda store: StoppedAt(store, second)
    with pytest.raises(Killed):
        done(copy)
    copy.wrap_store = lambda store: store
    first = next(path for path in copy.objects(copy.ids("disk")[0], "disk") if path.name == "manifest.1.json")
    assert findings(copy) == []
    assert [each["action"] for each in done(copy)["sets"]] == ["current", "rekeyed"]
    assert findings(copy) == []
    whole = first.read_bytes()
    first.write_bytes(whole.replace(b'"tool": "restorable', b'"tool": "restorabl3', 1))
    assert [kind for kind, _where in findings(copy)] == ["edited"]
    first.unlink()
    assert [kind for kind, _where in findings(copy)] == ["missing"]


def test_another_manifest_than_the_one_that_was_announced_is_found(copy):
    """A rekey that is killed before it stores its manifest leaves a name that an intruder could take."""
    told(copy)
    wish = copy.ids("disk")[0]
    copy.wrap_store = lambda store: StoppedAt(store, f"{wish}/manifest.1.json")
    with pytest.raises(Killed):
        done(copy, wish)
    copy.wrap_store = lambda store: store
    assert findings(copy) == []
    folder = copy.objects(wish, "disk")[0].parent
    (folder / "manifest.1.json").write_bytes((folder / "manifest.json").read_bytes())
    assert [kind for kind, _where in findings(copy)] == ["added"]
    assert [each["action"] for each in done(copy)["sets"]] == ["rekeyed"] * 2
    assert ("added", f"app/backup/{wish}/manifest.1.json") in findings(copy)       # a rekey launders nothing


def test_a_kill_under_object_lock_is_ended_by_the_next_rekey_and_cleaned_once_the_lock_is_over(copy, folder):
    """What a killed rekey left can neither be deleted nor be written over: the next one takes other names."""
    clean = {name: shutil.copytree(folder / name, folder / f"{name}.clean") for name in REPOSITORIES}
    wish = copy.ids("disk")[0]
    left_behind = set()
    for at in range(10):               # four objects and a manifest are stored, in each of two repositories
        for name, path in clean.items():
            shutil.rmtree(folder / name)
            shutil.copytree(path, folder / name)
        with_keys(copy, copy.old, copy.new)
        left = count(at, -1)
        copy.wrap_store = lambda store, left=left: Mortal(Locked(store), left)
        with pytest.raises(Killed):
            done(copy, wish)
        copy.wrap_store = Locked
        report = done(copy, wish)
        assert (report["failed"], len(report["sets"])) == ([], 1), at
        assert len(report["warnings"]) == 2 and "retained: 2030-01-01" in report["warnings"][0], report["warnings"]
        assert verdicts(with_keys(copy, copy.new, copy.old)) == ["passed"] * 4
        left_behind |= {name for name in names(copy) if ".r2." in name}
        again = done(copy, wish)       # nothing is left to do but to wait
        assert (again["failed"], [each["action"] for each in again["sets"]]) == ([], ["current"]), at
        copy.wrap_store = lambda store: store
        over = done(copy, wish)
        assert (over["failed"], over["warnings"]) == ([], []), at
        for name in REPOSITORIES:
            kept = [each for each in names(copy, name) if not each.startswith("manifest")]
            assert len(kept) == 4 and not any(each.endswith(".zst.age") for each in kept), (at, kept)
        assert verdicts(with_keys(copy, copy.new)) == ["passed", "incomplete"] * 2
    assert left_behind                 # the names of the first run were taken


def test_an_object_that_a_lock_keeps_is_never_taken_for_another_one_of_its_name(copy, folder):
    """A repository that was out of the settings for a while holds a locked object under a name that others use."""
    wish = copy.ids("disk")[0]
    world = copy.world()
    left = count(1, -1)
    with pytest.raises(Killed):
        rekey(replace(world, stores=(Mortal(Locked(world.stores[1]), left),)), wish)
    rekey(replace(world, stores=world.stores[:1]), wish)
    copy.wrap_store = Locked
    report = done(copy, wish)
    assert [each["action"] for each in report["sets"]] == ["failed"]
    assert "vault" in report["failed"][0] and ".r1.age" in report["failed"][0]
    assert verdicts(with_keys(copy, copy.new, copy.old)) == ["passed"] * 4
    copy.wrap_store = lambda store: store
    assert done(copy, wish)["failed"] == []
    assert verdicts(with_keys(copy, copy.new, copy.old)) == ["passed"] * 4


def test_a_damaged_object_is_never_carried_over_and_stops_no_other_set(copy):
    path = next(path for path in copy.objects(copy.ids("disk")[0], "disk") if path.name == "keyed.dump.zst.age")
    flipped(path, "last")
    before = copy.files(copy.ids("disk")[0])
    report = done(copy)
    assert [each["action"] for each in report["sets"]] == ["failed", "rekeyed"]
    assert "keyed.dump.zst.age" in report["failed"][0] and "SHA-256" in report["failed"][0]
    assert {key: value for key, value in copy.files(copy.ids("disk")[0]).items() if ".r1." not in key} == before
    assert verdicts(copy) == ["failed", "passed", "passed", "passed"]


def test_without_the_old_identity_nothing_is_written(copy):
    before = copy.files()
    report = done(with_keys(copy, copy.new))
    assert [each["action"] for each in report["sets"]] == ["failed"] * 2
    assert copy.old.key_id in report["failed"][0]
    assert copy.files() == before


def test_a_reader_in_between_keeps_the_old_objects_until_the_next_rekey(copy):
    with copy.world().reading.hold("drill", shared=True):
        report = done(copy)
    assert len(report["warnings"]) == 4 and "stay in repository disk" in report["warnings"][0]
    assert "keyed.dump.zst.age" in names(copy)
    assert done(copy)["changed"] is False
    assert "keyed.dump.zst.age" not in names(copy)


def test_unsealed_and_adopted_sets_are_sealed_and_known_again(copy, folder, pg16):
    copy.body["encryption"]["required"] = False
    copy.body["encryption"]["recipients"] = []
    copy.taken()
    old = folder / "older"
    old.mkdir()
    script = run(f"{pg16.bin_dir}/pg_dump", "-h", pg16.folder, "-U", pg16.superuser, "keyed")
    (old / "keyed-20260101.sql").write_bytes(script)
    copy.adopt(old, "keyed-YYYYMMDD.sql")
    copy.body["encryption"].update(recipients=[copy.new.public], required=True)
    assert [each["action"] for each in done(copy)["sets"]] == ["rekeyed"] * 4
    assert set(verdicts(with_keys(copy, copy.new))) == {"passed"}
    assert copy.adopt(old, "keyed-YYYYMMDD.sql").files[0].action == "known"
    assert copy.drill(copy.ids("disk")[0]).verdict == "passed"


def test_a_pruned_rekeyed_set_is_gone_with_all_its_manifests(copy):
    done(copy)
    first = copy.ids("disk")[0]
    from _restorable.ops.sweep import delete_set
    for store in copy.world().stores:
        names_there = tuple(path.name for path in copy.objects(first, store.name))
        delete_set(store, "app", copy.show(first)[2].id, names_there)
    assert copy.files(first) == {}


def test_a_journal_sees_every_manifest_of_a_rekeyed_set_and_its_pruning(copy):
    status, out, err = copy.run("rekey", "--json")
    assert status == 0, err
    assert [each["action"] for each in json.loads(out)["clusters"][0]["sets"]] == ["rekeyed"] * 2
    assert copy.run("audit")[0] == 0, copy.run("audit")
    second = copy.objects(copy.ids("disk")[1], "disk")[0].parent / "manifest.1.json"
    kept = second.read_bytes()
    second.write_bytes(kept.replace(b"restorable ", b"restorabl3 ", 1))
    assert copy.run("audit")[0] == 7
    second.write_bytes(kept)
    copy.taken()
    copy.own["retention"] = {"dump": {"last": 1, "min_keep": 0, "min_age": 0, "max_delete_percent": 100}}
    status, out, err = copy.run("prune", "--confirm")
    assert status == 0, err
    assert len(copy.ids("disk")) < 3, out
    assert copy.run("audit")[0] == 0, copy.run("audit")


def test_the_age_command_opens_what_was_rekeyed(copy, request):
    age = age_command(request)
    done(copy)
    path = next(path for path in copy.objects(copy.ids("disk")[0], "disk") if path.name.startswith("keyed.dump"))
    assert run("zstd", "-dc", data=run(age, "-d", "-i", copy.new.path, path)).startswith(b"PGDMP")
    [line] = [each for each in copy.show(copy.ids("disk")[0])[2].restore if "keyed.dump" in each]
    assert line.startswith("age -d -i key.txt keyed.dump.zst.r1.age | zstd -d | pg_restore")


def test_a_restore_whose_first_copy_is_bad_reads_the_other_one_by_its_own_manifest(copy, pg16):
    world = copy.world()
    rekey(replace(world, stores=world.stores[1:]))         # as if it had been killed before it came to the other one
    names = {each: {path.name for path in copy.objects(copy.ids("disk")[0], each)} for each in REPOSITORIES}
    assert names["disk"] != names["vault"]
    [first] = [path for path in copy.objects(copy.ids("disk")[0], "disk") if ".dump" in path.name]
    flipped(first, "middle")
    plan, notes = copy.restore(backup=copy.ids("disk")[0], databases=("keyed",), into="keyed_again", globals=True)
    try:
        assert (plan.repository, "disk was passed over" in notes[0]) == ("vault", True)
        assert pg16.sql("SELECT count(*) FROM item", database="keyed_again") == [(500,)]
    finally:
        pg16.sql("DROP DATABASE keyed_again")


def test_what_a_rekey_adds_to_a_held_set_comes_under_its_legal_hold_too(taken, moto_s3, folder):
    bucket = moto_s3.bucket(ObjectLockEnabledForBucket=True)
    chain = Chain(taken.server, folder, databases=["keyed"])
    chain.body |= {"repositories": {"offsite": moto_s3.settings(bucket, object_lock={"days": 1})},
                   "state_dir": str(folder / "state"),
                   "encryption": {"recipients": [taken.pair.public], "identity_file": str(taken.pair.path)}}
    chain.taken()
    chain.hold()

    def free():
        """Return the objects of backups that no legal hold keeps."""
        client = moto_s3.client()
        keys = [each["Key"] for each in client.list_objects_v2(Bucket=bucket)["Contents"] if "/backup/" in each["Key"]]
        states = {key: client.get_object(Bucket=bucket, Key=key).get("ObjectLockLegalHoldStatus") for key in keys}
        return len(keys), sorted(key.rpartition("/")[2] for key, state in states.items() if state != "ON")

    assert free() == (5, [])
    chain.body["encryption"]["recipients"] = [make_pair(folder / "new").public]
    report = done(chain)
    assert report["failed"] == [] and "a legal hold" in report["warnings"][0]
    assert free() == (10, [])
    # a kill after the new manifest, or a rekey by hands that may not hold: the next one makes up for it
    [key] = [each["Key"] for each in moto_s3.client().list_objects_v2(Bucket=bucket)["Contents"]
             if each["Key"].endswith("/manifest.1.json")]
    moto_s3.client().put_object_legal_hold(Bucket=bucket, Key=key, LegalHold={"Status": "OFF"})
    assert (free(), done(chain)["changed"]) == ((10, ["manifest.1.json"]), False)
    assert free() == (10, [])
    chain.hold(release=True)
    assert len(free()[1]) == 10
