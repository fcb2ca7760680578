# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects that are no longer what was stored: verify and drill say which, restore refuses, other sets are fine."""
from __future__ import annotations

import json
import shutil

import pytest
from faults.conftest import SHOP

from _restorable.errors import ConfigError, Damaged, NotFound, RestorableError, ToolFailed, Unavailable
from _restorable.model.manifest import _digest
from _restorable.store.local import LocalStore
from kit.chain import NAME, Chain, failed, flipped, new_folder, programs
from kit.faulty_store import MisreadingStore

OBJECTS = ["dmg.dump.zst", "dmg.fingerprint.json.zst", "globals.sql.zst", "globals.inventory.json.zst", "manifest.json"]
PLACES = ["first", "middle", "last"]


@pytest.fixture(scope="module")
def taken(pg16):
    """A chain with two good backups that differ by a row; never touched, only copied."""
    folder = new_folder()
    pg16.sql("CREATE DATABASE dmg TEMPLATE template0")
    pg16.sql(*SHOP, database="dmg")
    chain = Chain(pg16, folder, databases=["dmg"])
    chain.taken()
    pg16.sql("INSERT INTO customer (name) VALUES ('new')", database="dmg")
    chain.taken()
    yield chain
    pg16.sql("DROP DATABASE dmg")
    shutil.rmtree(folder)


@pytest.fixture
def copy(taken, folder):
    """A copy of these backups that may be damaged."""
    shutil.copytree(taken.folder / "local", folder / "local")
    return Chain(taken.server, folder, databases=["dmg"])


def newest(chain, name):
    """Return an object's path in the newest set; the suffix does not matter."""
    return next(path for path in chain.objects(chain.ids()[-1]) if path.name.startswith(name.split(".zst")[0]))


def is_found(chain, name, *, word=""):
    """Assert that verify and drill find the newest set damaged, name the object, and find the older one intact."""
    older, damaged = chain.verify()
    assert older.verdict == "passed"
    assert damaged.verdict == "failed"
    told = [f"{check.name}: {check.detail}" for check in damaged.checks if check.result == "failed"]
    assert any(name in line and word in line for line in told), told
    evidence = chain.drill()
    assert evidence.verdict == "failed"
    assert any(name in line for line in failed(evidence)), failed(evidence)
    assert [each.state() for each in chain.list()[0].catalogue.committed()] == ["committed", "failed"]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", OBJECTS)
def test_a_flipped_bit_in_any_object_is_found(copy, name, place):
    flipped(newest(copy, name), place)
    is_found(copy, "manifest" if name == "manifest.json" else name.removesuffix(".zst"))


def states(chain):
    return [each.state() for each in chain.list()[0].catalogue.committed()]


def test_what_verify_finds_is_told_until_the_copy_is_found_whole(copy):
    path = newest(copy, "dmg.dump.zst")
    whole, bad = path.read_bytes(), copy.ids()[-1]
    assert copy.drill().verdict == "passed"
    assert copy.status().health.colour == "green"
    flipped(path, "middle")
    assert [each.noted for each in copy.verify()] == [False, True]
    assert [each.noted for each in copy.verify()] == [False, False]
    assert states(copy) == ["committed", "damaged"]
    red = copy.status().health
    assert red.colour == "red"
    assert red.reasons[0].startswith(f"the newest backup {bad} is damaged, found ")
    path.write_bytes(whole)
    assert [each.noted for each in copy.verify()] == [False, True]
    assert states(copy) == ["committed", "proven"]
    assert copy.status().health.colour == "green"


def test_a_drill_that_finds_a_damaged_copy_whole_again_ends_the_alarm(copy):
    path = newest(copy, "dmg.dump.zst")
    whole = path.read_bytes()
    path.unlink()
    assert copy.verify("latest")[0].noted
    path.write_bytes(whole)
    assert states(copy) == ["committed", "damaged"]
    assert copy.drill().verdict == "passed"
    assert states(copy) == ["committed", "proven"]


def test_a_drill_counts_also_where_it_may_not_end_a_finding(copy, monkeypatch):
    path, put = newest(copy, "dmg.dump.zst"), LocalStore.put
    whole = path.read_bytes()
    path.unlink()
    assert copy.verify("latest")[0].noted
    path.write_bytes(whole)

    def closed(store, key, chunks):
        if "/verify." in key:
            raise ConfigError(f"object {store.name}:{key} is closed to these credentials", code="store.denied")
        return put(store, key, chunks)
    monkeypatch.setattr(LocalStore, "put", closed)
    evidence = copy.drill()
    assert evidence.verdict == "passed"
    assert "is closed to these credentials: so `restorable list` goes on to call" in evidence.notes[-1]
    assert states(copy) == ["committed", "damaged"]


def test_a_drill_expects_the_time_of_the_last_one_that_passed(copy):
    assert copy.drill(dry_run=True).expected_seconds is None
    passed = copy.drill()
    newest(copy, "dmg.dump.zst").unlink()
    assert copy.drill().verdict == "failed"
    assert copy.drill(dry_run=True).expected_seconds == pytest.approx(sum(passed.phases.values()))


def test_a_newest_manifest_that_is_cut_off_turns_the_status_red_at_once(copy):
    assert copy.drill().verdict == "passed"
    bad = copy.ids()[-1]
    newest(copy, "manifest.json").write_text("{")
    red = copy.status().health
    assert red.colour == "red"
    assert red.reasons[0].startswith(f"the newest backup {bad} is damaged, found ")


def test_a_repository_that_takes_no_finding_is_warned_of(copy, monkeypatch):
    flipped(newest(copy, "dmg.dump.zst"), "middle")

    def full(store, key, chunks):
        raise Unavailable(f"repository {store.name}: no space left", code="store.full")
    monkeypatch.setattr(LocalStore, "put", full)
    found = copy.verify("latest")[0]
    assert (found.verdict, found.noted) == ("failed", False)
    assert found.warnings[0].startswith("repository local: no space left: so `restorable list`")


@pytest.mark.parametrize("name", OBJECTS)
def test_what_was_read_wrongly_once_is_read_again_and_no_damage(copy, name):
    ending, newer, stores = newest(copy, name).name, copy.ids()[-1], []
    copy.wrap_store = lambda store: stores.append(MisreadingStore(store, f"{newer}/{ending}")) or stores[-1]
    [found] = copy.verify("latest")
    copy.wrap_store = lambda store: store
    assert (stores[-1].left, stores[-1].readings) == (0, 2 if name != "dmg.fingerprint.json.zst" else 3)
    assert (found.verdict, found.noted, states(copy)) == ("passed", False, ["committed", "committed"])
    [told] = found.warnings
    assert "read wrongly once: " in told and ("manifest" if name == "manifest.json" else ending) in told


def test_what_was_read_wrongly_twice_is_damage(copy):
    path = newest(copy, "dmg.dump.zst")
    copy.wrap_store = lambda store: MisreadingStore(store, path.name, times=2)
    [found] = copy.verify("latest")
    copy.wrap_store = lambda store: store
    assert (found.verdict, found.noted, states(copy)) == ("failed", True, ["committed", "damaged"])


@pytest.mark.parametrize("at", [1, 2], ids=["at once", "when it is read again"])
def test_a_store_that_is_unreachable_is_no_damage(copy, at):
    path = newest(copy, "dmg.dump.zst")
    away = Unavailable("repository local: the network went away", code="store.unreachable")

    class Away(MisreadingStore):
        def get(self, key):
            if key.endswith(self.ending) and self.readings == at - 1:
                self.readings += 1
                raise away
            yield from super().get(key)
    stores = []
    copy.wrap_store = lambda store: stores.append(Away(store, path.name)) or stores[-1]
    [found] = copy.verify("latest")
    copy.wrap_store = lambda store: store
    assert stores[-1].readings == at
    assert (found.verdict, found.noted, states(copy)) == ("incomplete", False, ["committed", "committed"])


def test_the_alarm_of_a_damaged_backup_outlives_it_until_another_one_is_proven(copy):
    flipped(newest(copy, "dmg.dump.zst"), "middle")
    bad = copy.ids()[-1]
    assert copy.drill().verdict == "failed"
    for _set in range(2):
        copy.taken()
    copy.prune(last=1, min_keep=0, min_age="0", max_delete_percent=100, confirm=True)
    assert bad not in copy.ids()
    red = copy.status()
    assert red.health.colour == "red"
    assert red.health.reasons[0] == f"the last drill failed, of {bad}, which is gone; no other backup was proven since"
    assert f".{bad}.failed.json" in red.last_evidence
    assert copy.drill().verdict == "passed"
    assert copy.status().health.colour == "green"


@pytest.mark.parametrize("left", [0, -2], ids=["to nothing", "by two bytes"])
@pytest.mark.parametrize("name", OBJECTS)
def test_a_truncated_object_is_found(copy, name, left):
    path = newest(copy, name)
    path.write_bytes(path.read_bytes()[:left])
    is_found(copy, "manifest" if name == "manifest.json" else name.removesuffix(".zst"))


def test_a_dump_that_cannot_be_read_is_not_told_as_restored(copy):
    path = newest(copy, "dmg.dump.zst")
    path.write_bytes(path.read_bytes()[:-2])
    evidence = copy.drill()
    assert [each.result for each in evidence.checks if each.name == "restore dmg"] == ["not_run"]
    status, out, _err = copy.run("drill")
    assert (status != 0, "L2  not run" in out) == (True, True), out


@pytest.mark.parametrize("name", OBJECTS[:-1])
def test_a_missing_object_is_found(copy, name):
    newest(copy, name).unlink()
    is_found(copy, name.removesuffix(".zst"), word="does not exist")


@pytest.mark.parametrize("name", OBJECTS)
def test_objects_swapped_between_backups_are_found(copy, name):
    one, other = (next(path for path in copy.objects(each) if path.name.startswith(name.split(".zst")[0]))
                  for each in copy.ids())
    first, second = one.read_bytes(), other.read_bytes()
    if first == second:                # globals of one server do not change by a row
        assert name.startswith("globals")
        return
    one.write_bytes(second)
    other.write_bytes(first)
    for found in copy.verify():
        assert found.verdict == "failed"
        assert any(name.removesuffix(".zst").split(".json")[0] in check.name for check in found.checks
                   if check.result == "failed")
    assert copy.drill().verdict == "failed"


def test_a_missing_manifest_makes_a_set_an_orphan_which_nobody_takes_for_a_backup(copy):
    newest(copy, "manifest.json").unlink()
    assert [each.state() for each in copy.list()[0].catalogue.backups] == ["committed", "orphan"]
    assert str(copy.drill().backup) == copy.ids()[0]


def edited(chain, change, *, signed):
    """Change the newest manifest, with its own digest made right again or not."""
    path = newest(chain, "manifest.json")
    body = json.loads(path.read_text())
    change(body)
    if signed:
        body["digest"] = _digest(body)
    path.write_text(json.dumps(body, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def test_an_edited_manifest_is_found(copy):
    edited(copy, lambda body: body["databases"][0].update(rows=1), signed=False)
    is_found(copy, "manifest", word="edited or damaged")
    with pytest.raises(Damaged) as caught:
        copy.restore(databases=("dmg",), into="other")
    assert caught.value.code == "manifest.damaged"


def test_a_manifest_that_leaves_out_an_object_is_found_even_with_its_digest_made_right(copy):
    def without_fingerprint(body):
        body["items"] = [item for item in body["items"] if item["role"] != "fingerprint"]
    edited(copy, without_fingerprint, signed=True)
    evidence = copy.drill()
    assert evidence.verdict == "incomplete"
    assert [each.name for each in evidence.checks if each.result == "not_run" and not each.optional] == [
        "structure dmg", "data dmg"]


def test_older_data_under_a_forged_manifest_passes_verify_and_never_a_drill(copy):
    """Without signatures a forged manifest cannot be known by its bytes; its data still differ from its fingerprint."""
    older, newer = (copy.objects(each)[0].parent for each in copy.ids())
    before = json.loads((older / "manifest.json").read_text())
    shutil.copy(older / "dmg.dump.zst", newer / "dmg.dump.zst")

    def with_older_dump(body):
        dump = next(item for item in before["items"] if item["role"] == "dump")
        body["items"] = [dump if item["role"] == "dump" else item for item in body["items"]]
    edited(copy, with_older_dump, signed=True)
    assert copy.verify("latest")[0].verdict == "passed"
    evidence = copy.drill()
    assert evidence.verdict == "failed"
    assert any("table public.customer rows" in line for line in failed(evidence)), failed(evidence)


def test_an_unknown_manifest_version_is_refused_and_names_both_versions(copy):
    edited(copy, lambda body: body.update(format=99), signed=True)
    is_found(copy, "manifest", word="format 99, this version reads 1 to 2")
    with pytest.raises(Damaged, match="format 99") as caught:
        copy.restore(databases=("dmg",), into="other")
    assert caught.value.code == "manifest.unknown_format"
    with pytest.raises(Damaged, match="format 99"):
        copy.show()


def test_a_renamed_set_is_found(copy):
    folder = newest(copy, "manifest.json").parent
    folder.rename(folder.with_name("20200101T000000Z-dump-" + folder.name.rpartition("-")[2]))
    [renamed, _other] = copy.verify()
    assert "belongs to" in renamed.checks[0].detail


def test_a_damaged_newest_backup_stops_no_new_one_and_is_told(copy):
    flipped(newest(copy, "manifest.json"), "middle")
    damaged = copy.ids()[-1]
    report = copy.back_up()
    assert any(damaged in line and "restorable verify" in line for line in report.warnings)
    assert copy.drill().verdict == "passed"


@pytest.mark.parametrize("place", PLACES)
def test_a_damaged_binding_is_never_taken_for_this_server(copy, fails, place):
    path = copy.folder / "local" / NAME / "cluster.json"
    data = bytearray(path.read_bytes())
    at = {"first": 0, "middle": path.read_text().index("system_identifier") + 25, "last": len(data) - 1}[place]
    data[at] ^= 0x01
    path.write_bytes(data)
    code = "repository.other_server" if place == "middle" else "repository.binding_damaged"
    with fails(copy, code):
        copy.back_up()


def test_a_restore_of_a_damaged_dump_leaves_no_database_behind(copy, pg16):
    flipped(newest(copy, "dmg.dump.zst"), "last")
    with pytest.raises(Damaged, match=r"local:app/backup/.*/dmg\.dump\.zst"):
        copy.restore(databases=("dmg",), into="fresh")
    assert pg16.sql("SELECT datname FROM pg_database WHERE datname LIKE 'fresh%'") == []
    with pytest.raises(Damaged):
        copy.restore(databases=("dmg",), replace=True)
    assert pg16.sql("SELECT count(*) FROM customer", database="dmg") == [(201,)]
    assert pg16.sql("SELECT datname FROM pg_database WHERE datname LIKE 'dmg%'") == [("dmg",)]


def test_a_restore_that_fails_midway_leaves_no_database_behind_and_the_old_one_in_its_place(copy, pg16):
    halfway = 'case "$*" in *--file=*|*--list*) exec $REAL "$@";; *) $REAL "$@"; exit 3;; esac'
    copy.own["bin_dir"] = programs(pg16, copy.folder, pg_restore=halfway)
    for wish in ({"into": "fresh"}, {"replace": True}):
        with pytest.raises(ToolFailed, match="status 3"):
            copy.restore(databases=("dmg",), **wish)
        assert pg16.sql("SELECT datname FROM pg_database WHERE datname ~ '^(fresh|dmg)'") == [("dmg",)]
    assert pg16.sql("SELECT count(*) FROM customer", database="dmg") == [(201,)]


class At:
    """A Progress that does something as a phase begins."""

    def __init__(self, phase, work):
        self._phase, self._work = phase, work

    def phase(self, name, total=None):
        if name == self._phase:
            self._work()

    def advance(self, count):
        return None


@pytest.mark.parametrize("options", [{}, {"no_owner": True}], ids=["whole", "without owners"])
def test_a_database_that_somebody_makes_just_before_a_restore_is_left_alone(copy, pg16, options):
    def make():
        pg16.sql("CREATE DATABASE fresh TEMPLATE template0")
        pg16.sql("CREATE TABLE customer AS SELECT 'of somebody else' AS name", database="fresh")
    copy.progress = At("restore fresh", make)
    with pytest.raises(RestorableError) as caught:
        copy.restore(databases=("dmg",), into="fresh", **options)
    try:
        assert (caught.value.code, "'fresh'" in caught.value.message) == ("restore.database_exists", True)
        assert pg16.sql("SELECT name FROM customer", database="fresh") == [("of somebody else",)]
    finally:
        pg16.sql("DROP DATABASE fresh")


def test_a_backup_that_is_not_there_is_named_and_nothing_is_made(copy, fails):
    for work in (lambda: copy.restore(backup="20300101T000000Z-dump"), lambda: copy.drill("20300101T000000Z-dump"),
                 lambda: copy.verify("20300101T000000Z-dump"), lambda: copy.hold("20300101T000000Z-dump"),
                 lambda: copy.show("20300101T000000Z-dump")):
        with fails(copy, "backup.unknown", "20300101T000000Z-dump", copy.ids()[-1]) as caught:
            work()
        assert isinstance(caught.value, NotFound)
