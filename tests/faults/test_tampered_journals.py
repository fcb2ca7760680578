# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Journals and evidence that were edited, reordered, cut at either end or forged; and honest ones that look odd."""
from __future__ import annotations

import hashlib
import json

import pytest

from _restorable.errors import Refused, Unavailable
from _restorable.host.signer import new_key, signer, verifier
from _restorable.model.journal import Facts, read_event, signed_bytes
from _restorable.model.naming import (
    drill_prefix,
    journal_id_key,
    journal_prefix,
    later_manifest,
    manifest_key,
    object_key,
)
from _restorable.ops.audit import audit
from _restorable.ops.journal import announce, record
from kit.fault import Fault, Faults
from kit.faulty_store import FaultyStore
from kit.journals import CLUSTER, Journals


@pytest.fixture
def journals():
    """Two repositories, three backups and two drills by one writer."""
    made = Journals("local", "offsite")
    for _number in range(2):
        made.drill(made.backup())
    made.backup()
    assert made.audit().verdict == "intact"
    return made


@pytest.fixture
def alone():
    """The same in one repository."""
    made = Journals("local")
    for _number in range(2):
        made.drill(made.backup())
    made.backup()
    assert made.audit().verdict == "intact"
    return made


@pytest.fixture
def signing(tmp_path):
    """The same in one repository, signed."""
    public = new_key(str(tmp_path / "key"))
    made = Journals("local", sign=signer(str(tmp_path / "key")), verify=verifier([public]))
    for _number in range(2):
        made.drill(made.backup())
    assert made.audit().verdict == "intact"
    return made


def rewritten(journals, number, name="", **changes):
    """Change an event and give it a right digest, as somebody does who knows the format."""
    key = journals.event(number)
    body = {**journals.body(key, name), **changes}
    body["digest"] = hashlib.sha256(signed_bytes(body)).hexdigest()
    journals.objects(name)[key] = (json.dumps(body, indent=1, sort_keys=True) + "\n").encode()


def test_an_event_says_who_did_what_where_with_which_result(alone):
    event, signature, _covered = read_event(alone.objects()[alone.event(1)])
    assert (event.who, event.where, event.what, event.result) == (
        "postgres@db1.postgres", "postgres@db1.postgres", "backup", "ok")
    assert (event.number, event.previous, signature, event.tool.split()[0]) == (1, "", {}, "restorable")
    assert list(event.present.values()) == [alone.digest(key) for key in event.present] != []
    after, _signature, _covered = read_event(alone.objects()[alone.event(2)])
    assert (after.number, after.previous) == (2, alone.digest(alone.event(1)))


@pytest.mark.parametrize("changes", [
    {"present": {"shop/backup/x/manifest.json": ["many"]}}, {"present": ["x"]}, {"details": ["x"]}, {"heads": "x"},
    {"deleted": [{"key": "x"}]}], ids=json.dumps)
def test_an_event_whose_facts_have_another_form_is_a_finding_and_stops_no_audit(alone, changes):
    rewritten(alone, 5, **changes)
    assert alone.kinds() == [("unreadable", "local", "db1.postgres 5")]


def test_a_flipped_byte_is_found(alone):
    data = bytearray(alone.objects()[alone.event(5)])
    at = data.index(b"backup")
    data[at] ^= 0x01
    alone.objects()[alone.event(5)] = bytes(data)
    assert alone.kinds() == [("unreadable", "local", "db1.postgres 5")]


def test_an_edited_event_is_found_though_its_own_digest_was_mended(alone):
    rewritten(alone, 3, who="somebody@else")
    assert ("edited", "local", "db1.postgres 3") in alone.kinds()


def test_an_edited_last_event_is_found_by_the_other_repository(journals):
    rewritten(journals, 5, who="somebody@else")
    assert journals.kinds() == [("edited", name, "db1.postgres 5") for name in ("offsite", "local")]


def test_two_events_that_changed_places_are_found(alone):
    objects = alone.objects()
    objects[alone.event(3)], objects[alone.event(4)] = objects[alone.event(4)], objects[alone.event(3)]
    assert {each for each in alone.kinds() if each[0] == "reordered"} == {
        ("reordered", "local", "db1.postgres 3"), ("reordered", "local", "db1.postgres 4")}


def test_an_event_that_was_taken_out_of_the_middle_is_found(alone):
    del alone.objects()[alone.event(3)]
    assert ("gap", "local", "db1.postgres 3") in alone.kinds()


def test_events_that_were_taken_away_at_the_beginning_are_found(alone):
    del alone.objects()[alone.event(1)]
    assert ("gap", "local", "db1.postgres 1") in alone.kinds()


@pytest.mark.parametrize("name", ["local", "offsite"])
def test_a_chain_that_was_cut_at_its_tail_is_found_by_the_other_repository(journals, name):
    del journals.objects(name)[journals.event(5)]
    assert journals.kinds() == [("cut", name, "db1.postgres 5")]


def test_a_cut_tail_in_a_lone_repository_is_found_by_evidence(alone):
    for number in (3, 4, 5):       # evidence of event 4 saw event 3
        del alone.objects()[alone.event(number)]
    assert ("cut", "local", "db1.postgres 3") in alone.kinds()


def test_a_cut_tail_in_a_lone_repository_is_found_by_another_writer(alone):
    alone.backup(writer="db2.postgres")
    del alone.objects()[alone.event(5)]
    assert alone.kinds() == [("cut", "local", "db1.postgres 5")]


def test_a_chain_that_was_cut_in_both_repositories_is_found_by_evidence(journals):
    for name in ("local", "offsite"):
        for number in (3, 4, 5):
            del journals.objects(name)[journals.event(number)]
    assert {each[:2] for each in journals.kinds()} >= {("cut", "local"), ("cut", "offsite")}


def test_a_journal_that_was_emptied_is_found_though_a_new_one_was_begun(journals):
    objects = journals.objects("offsite")
    for key in [key for key in objects if "/journal/" in key]:
        del objects[key]
    assert {each[0] for each in journals.kinds()} == {"replaced"}
    journals.backup()
    assert ("replaced", "offsite") in {each[:2] for each in journals.kinds()}


def test_a_rewritten_chain_is_found_by_its_signatures(signing):
    previous = ""
    for number in range(1, 5):     # everything is rewritten consistently; only the key is missing
        rewritten(signing, number, who="somebody@else", previous=previous)
        previous = signing.digest(signing.event(number))
    assert {each[0] for each in signing.kinds()} >= {"signature"}


def test_an_unsigned_event_after_a_signed_one_is_found(signing):
    signing.sign = None
    signing.backup()
    assert signing.kinds() == [("unsigned", "local", "db1.postgres 5")]


def test_a_chain_without_any_signature_is_found_where_keys_are_asked_for(signing):
    signing.sign = None
    signing.backup(writer="db2.postgres")
    assert signing.kinds() == [("unsigned", "local", "db2.postgres 1")]


def test_events_from_before_the_first_signature_are_bound_by_it(tmp_path):
    journals = Journals("local")
    journals.backup()
    public = new_key(str(tmp_path / "key"))
    journals.sign, journals.verify = signer(str(tmp_path / "key")), verifier([public])
    journals.backup()
    assert journals.kinds() == []
    rewritten(journals, 1, who="somebody@else")
    assert ("edited", "local", "db1.postgres 1") in journals.kinds()


def test_a_signature_by_another_key_is_found(signing, tmp_path):
    new_key(str(tmp_path / "other"))
    signing.sign = signer(str(tmp_path / "other"))
    signing.backup()
    [finding] = signing.audit().findings
    assert (finding.kind, "unknown key" in finding.message) == ("signature", True)


# --- evidence and backups ---


def evidence(journals, name=""):
    return sorted(key for key in journals.objects(name) if key.startswith(drill_prefix(CLUSTER)))


@pytest.mark.parametrize("at", [0, 1], ids=["the first", "the last"])
def test_edited_evidence_is_found(alone, at):
    key = evidence(alone)[at]
    alone.objects()[key] = alone.objects()[key].replace(b"restore shop", b"restore none")
    assert ("edited", "local", key) in alone.kinds()


def test_evidence_that_changed_places_is_found(alone):
    first, second = evidence(alone)
    objects = alone.objects()
    objects[first], objects[second] = objects[second], objects[first]
    assert {("reordered", "local", first), ("reordered", "local", second)} <= set(alone.kinds())


@pytest.mark.parametrize("at", [0, 1], ids=["in the beginning", "at the tail"])
def test_evidence_that_was_cut_off_is_found(alone, at):
    key = evidence(alone)[at]
    del alone.objects()[key]
    assert ("missing", "local", key) in alone.kinds()


def test_a_manifest_that_changed_since_its_backup_is_found(journals):
    [key] = [key for key in journals.objects() if key.endswith("manifest.json")][:1]
    journals.objects()[key] = b"{}"
    assert journals.kinds() == [("edited", "local", key)]


def test_a_backup_that_vanished_without_an_event_is_found(journals):
    made = journals.backup()
    del journals.objects("offsite")[manifest_key(CLUSTER, made)]
    assert journals.kinds() == [("missing", "offsite", manifest_key(CLUSTER, made))]


def test_a_backup_that_a_prune_announced_may_be_gone(journals):
    made = journals.backup()
    key = manifest_key(CLUSTER, made)
    announce(journals.world(), Facts("prune", "begun", deleted={"offsite": (key,)}))
    del journals.objects("offsite")[key]
    assert journals.kinds() == []
    del journals.objects("local")[key]
    assert journals.kinds() == [("missing", "local", key)]


def test_a_later_manifest_without_an_event_is_found_and_one_with_an_event_is_bound(alone):
    made = alone.backup()
    later = object_key(CLUSTER, made, later_manifest(1))
    alone.objects()[later] = b"other objects"
    assert alone.kinds() == [("added", "local", later)]
    record(alone.world(), Facts("rekey", "ok", keys=(later,)))
    assert alone.kinds() == []
    alone.objects()[later] = b"others again"
    assert alone.kinds() == [("edited", "local", later)]
    announce(alone.world(), Facts("prune", "begun", deleted={"local": (manifest_key(CLUSTER, made),)}))
    del alone.objects()[later], alone.objects()[manifest_key(CLUSTER, made)]
    assert alone.kinds() == []


# --- honest journals that look odd ---


def broken(journals, name, verb="check", **how):
    """Return a world in which one repository fails."""
    error = Unavailable("the network went away", code="store.unreachable")
    world = journals.world()
    faults = Faults(*(Fault(verb, error, nth=number) for number in range(1, 9)))
    stores = tuple(FaultyStore(each, faults) if each.name == name else each for each in world.stores)
    object.__setattr__(world, "stores", stores)
    return world


@pytest.mark.parametrize("name", ["local", "offsite"])
@pytest.mark.parametrize("verb", ["check", "put"])
def test_a_repository_that_was_down_reads_as_missed_and_not_as_cut(journals, name, verb):
    [warning] = record(broken(journals, name, verb), Facts("restore", "ok"))
    assert name in warning and "the network went away" in warning
    assert journals.kinds() == []
    journals.backup()
    assert journals.kinds() == []


def test_two_writers_at_once_do_not_read_as_tampering(journals):
    for _number in range(3):
        journals.backup(writer="db2.postgres")
        journals.backup()
    assert journals.kinds() == []
    assert [each.chain for each in journals.audit().repositories[0].chains] == ["db1.postgres", "db2.postgres"]


def test_two_writers_of_one_chain_at_once_both_get_their_event(journals):
    world, store = journals.world(), journals.stores["local"]

    class Racing(FaultyStore):
        raced = False

        def put(self, key, chunks):
            if key.endswith("000006.json") and not self.raced:
                self.raced = True
                record(journals.world(), Facts("restore", "ok"))
            return self.inner.put(key, chunks)
    object.__setattr__(world, "stores", (Racing(store, Faults()), journals.stores["offsite"]))
    assert record(world, Facts("hold", "ok")) == ()
    assert [journals.body(journals.event(number))["what"] for number in (6, 7)] == ["restore", "hold"]
    assert journals.kinds() == []


def test_a_writer_killed_between_two_repositories_reads_as_cut_until_its_next_event(journals):
    """Nothing that a kill leaves tells it from a cut; docs/security.md says so."""
    world = journals.world()
    with Faults(Fault("put", KeyboardInterrupt("kill -9"))) as faults:
        object.__setattr__(world, "stores", (world.stores[0], FaultyStore(world.stores[1], faults)))
        with pytest.raises(KeyboardInterrupt):
            record(world, Facts("restore", "ok"))
    [finding] = journals.audit().findings
    assert (finding.kind, finding.repository, finding.where) == ("cut", "offsite", "db1.postgres 6")
    assert "repository local has 1 later event" in finding.message and "restore ok" in finding.message
    journals.backup()
    assert journals.kinds() == []


class Busy(FaultyStore):
    """Lets another host work behind each listing of the journal, as far as there is work."""

    def __init__(self, inner, *work):
        super().__init__(inner, Faults())
        self.work = list(work)

    def list(self, prefix):
        entries = list(self.inner.list(prefix))
        yield from entries
        if prefix == journal_prefix(CLUSTER) and self.work:
            self.work.pop(0)()


def beside(journals, *work):
    """Audit while another host works; return what is found."""
    world = journals.world()
    local = Busy(journals.stores["local"], *work)
    object.__setattr__(world, "stores", (local, *world.stores[1:]))
    found = audit(world, journals.verify).findings
    assert local.work == []
    return [(each.kind, each.repository, each.where) for each in found]


def other_backup(journals):
    journals.backup(writer="db2.postgres")


def pruned(journals, backup):
    """Delete a backup everywhere as a prune of another host does."""
    key = manifest_key(CLUSTER, backup)
    journals.clock.move(3600)
    announce(journals.world("db2.postgres"), Facts("prune", "begun", deleted=dict.fromkeys(journals.stores, (key,))))
    for name in journals.stores:
        del journals.objects(name)[key]


@pytest.mark.parametrize("times", [1, 2, 4])
def test_what_another_host_writes_during_an_audit_does_not_read_as_tampering(journals, times):
    other_backup(journals)
    assert beside(journals, *[lambda: other_backup(journals)] * times) == []


def test_what_another_host_prunes_during_an_audit_does_not_read_as_missing(journals):
    made = journals.backup()
    assert beside(journals, lambda: pruned(journals, made)) == []


def test_a_cut_chain_is_found_though_another_host_writes_meanwhile(journals):
    other_backup(journals)
    del journals.objects("offsite")[journals.event(5)]
    assert beside(journals, *[lambda: other_backup(journals)] * 3) == [("cut", "offsite", "db1.postgres 5")]


def test_a_repository_that_was_added_later_lacks_nothing(journals):
    added = Journals("local", "offsite", "third")
    added.stores.update(journals.stores)
    added.clock = journals.clock
    added.drill(added.backup())
    assert added.kinds() == []


def test_another_repository_that_is_not_audited_is_a_note(journals):
    report = journals.audit(without="offsite")
    assert (report.findings, "of a repository offsite is not among" in report.notes[0]) == ((), True)


def test_work_that_only_read_makes_no_journal_in_an_empty_repository():
    journals = Journals("local")
    assert record(journals.world(), Facts("restore", "refused", "restore.not_empty"), write=False) == ()
    assert journals.objects() == {}


def test_what_cannot_be_recorded_is_not_deleted(journals):
    with pytest.raises(Refused, match="nothing was deleted, because the journal of repository offsite") as caught:
        announce(broken(journals, "offsite", "put"), Facts("prune", "begun"))
    assert caught.value.code == "journal.unwritable"
    assert "--confirm" in caught.value.hint


def test_a_damaged_id_is_told(journals):
    journals.objects()[journal_id_key(CLUSTER)] = b"{"
    [warning] = record(journals.world(), Facts("restore", "ok"))
    assert "journal/repository.json cannot be read" in warning
