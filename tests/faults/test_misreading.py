# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A drill over a network that gives wrong bytes now and then: no good backup is called bad, and no bad one good."""
from __future__ import annotations

import os
import shutil

import pytest
from faults.conftest import SHOP

from _restorable.errors import Damaged, ToolFailed, Unavailable
from _restorable.host.clock import SystemClock
from _restorable.host.progress import Silent
from _restorable.ops.ladder import Ladder
from _restorable.ops.reread import CLIMBS, climbed, to_its_end
from kit.agekeys import make_pair
from kit.chain import Chain, failed, flipped, new_folder
from kit.faulty_store import MisreadingStore

# what is read wrongly, how many readings were right before, and whether the drill began again: not where the plan is
# made. Globals are read at L0, and again as they are restored; what is compared with is read again where it is needed.
READINGS = [("manifest.json", 0, False), ("manifest.json", 1, True), ("misread.dump.zst.age", 0, True),
            ("globals.sql.zst.age", 0, True), ("globals.sql.zst.age", 1, True),
            ("misread.fingerprint.json.zst.age", 2, False), ("misread.fingerprint.json.zst.age", 3, False),
            ("globals.inventory.json.zst.age", 1, False)]


@pytest.fixture(scope="module")
def taken(pg16):
    """A chain with two sealed backups; never touched, only copied."""
    folder = new_folder()
    pg16.sql("CREATE DATABASE misread TEMPLATE template0")
    pg16.sql(*SHOP, database="misread")
    chain = Chain(pg16, folder, databases=["misread"])
    pair = make_pair(folder / "identity")
    chain.body["encryption"] = {"recipients": [pair.public], "identity_file": str(pair.path)}
    chain.taken()
    chain.taken()
    yield chain
    pg16.sql("DROP DATABASE misread")
    shutil.rmtree(folder)


@pytest.fixture
def copy(taken, folder):
    shutil.copytree(taken.folder / "local", folder / "local")
    chain = Chain(taken.server, folder, databases=["misread"])
    chain.body["encryption"] = taken.body["encryption"]
    return chain


def drilled(chain, ending, **how):
    """Drill over such a network; return the evidence and what stood in between."""
    stores = []
    chain.wrap_store = lambda store: stores.append(MisreadingStore(store, ending, **how)) or stores[-1]
    evidence = chain.drill(keep_on_failure=True)
    chain.wrap_store = lambda store: store
    return evidence, stores[-1]


def states(chain):
    return [each.state() for each in chain.list()[0].catalogue.committed()]


@pytest.mark.parametrize(("name", "after", "again"), READINGS)
def test_what_a_drill_reads_wrongly_once_makes_no_backup_bad(copy, name, after, again):
    evidence, store = drilled(copy, f"{copy.ids()[-1]}/{name}", after=after)
    assert (store.left, evidence.verdict, failed(evidence)) == (0, "passed", [])
    assert states(copy) == ["committed", "proven"]
    assert any("read wrongly once: " in each and name in each for each in evidence.notes) == again, evidence.notes
    assert not evidence.server.startswith("none")
    # nor is anything kept of a beginning that proved nothing
    assert os.listdir(copy.scratch) == [] and not any("rm -r" in each for each in evidence.notes)


def test_the_key_of_an_older_backup_that_is_read_wrongly_once_alarms_nobody(copy):
    older = copy.ids()[0]
    tried = [item.name for item in copy.show(older)[2].items if item.encryption][-1]       # one object of these keys
    evidence, store = drilled(copy, f"{older}/{tried}")
    assert (store.left, store.readings, evidence.verdict) == (0, 2, "passed"), failed(evidence)


class Away(MisreadingStore):
    """Cannot be reached instead."""

    def get(self, key):
        if key.endswith(self.ending):
            self.readings += 1
            if self.readings <= self.left:
                raise Unavailable("connection reset by peer", code="store.unavailable")
        yield from self.inner.get(key)


@pytest.mark.parametrize(("network", "times"), [(Away, 1), (MisreadingStore, 2)])
def test_a_drill_that_passes_knows_its_server_and_its_age_whatever_its_plan_could_not_read(copy, network, times):
    copy.own["objectives"] = {"rpo": "1d", "rto": "1h"}
    name = f"{copy.ids()[-1]}/manifest.json"
    stores = []
    copy.wrap_store = lambda store: stores.append(network(store, name, times=times)) or stores[-1]
    evidence = copy.drill()
    assert (stores[-1].readings > times, evidence.verdict) == (True, "passed"), failed(evidence)
    assert evidence.server.startswith("PostgreSQL 16.") and evidence.source["version_num"] and evidence.objects
    assert {each.name for each in evidence.objectives} == {"rpo", "rto"} and evidence.rpo is not None


def test_earlier_evidence_that_cannot_be_read_tells_no_expectation_and_stops_no_drill(copy):
    assert copy.drill().verdict == "passed" and copy.drill(dry_run=True).expected_seconds
    stores = []
    copy.wrap_store = lambda store: stores.append(Away(store, ".passed.json")) or stores[-1]
    plan = copy.drill(dry_run=True)
    assert (stores[-1].readings, plan.expected_seconds, plan.server[:13]) == (1, None, "PostgreSQL 16")


class EveryOther(MisreadingStore):
    """Reads wrongly whenever a drill brings the object to its server, and rightly when it is read again."""

    def get(self, key):
        self.left = 1 - self.readings % 2
        yield from super().get(key)


def test_what_is_never_read_rightly_while_it_is_restored_stays_unproven_and_is_not_called_bad(copy):
    stores = []
    name = f"{copy.ids()[-1]}/misread.dump.zst.age"
    copy.wrap_store = lambda store: stores.append(EveryOther(store, name)) or stores[-1]
    evidence = copy.drill(keep_on_failure=True)
    copy.wrap_store = lambda store: store
    assert (stores[-1].readings, evidence.verdict) == (2 * CLIMBS, "incomplete")
    assert states(copy) == ["committed", "committed"]
    assert sum("read wrongly once: " in each for each in evidence.notes) == 1, evidence.notes
    # of what each beginning would keep there is the last one's, and it is named
    [kept] = os.listdir(copy.scratch)
    [note] = [each for each in evidence.notes if "rm -r" in each]
    assert f"kept in {copy.scratch / kept}. Remove it with `rm -r {copy.scratch / kept}`" in note


def test_damage_is_found_all_the_same_and_restored_only_once(copy):
    path = next(path for path in copy.objects(copy.ids()[-1]) if path.name.startswith("misread.dump"))
    flipped(path, "middle")
    evidence, _store = drilled(copy, path.name, times=0)
    assert (evidence.verdict, states(copy)) == ("failed", ["committed", "failed"])
    assert not any("read wrongly" in each for each in evidence.notes)


def stream(*chunks, end=None):
    yield from chunks
    if end:
        raise end


def test_damage_that_a_consumer_stumbles_over_is_told_before_what_it_led_to():
    with pytest.raises(Damaged), to_its_end(stream(b"SELEKT", b";", end=Damaged("object.sql"))) as chunks:
        next(chunks)
        raise ToolFailed("syntax error", code="tool.failed")


def test_a_consumer_that_fails_with_the_right_bytes_is_told_as_it_failed():
    with pytest.raises(ToolFailed), to_its_end(stream(b"SELECT", b";")) as chunks:
        next(chunks)
        chunks.close()
        raise ToolFailed("syntax error", code="tool.failed")


def test_what_fails_for_the_machine_reads_nothing_more():
    source = stream(b"SELECT", end=Damaged("never reached"))
    with pytest.raises(Unavailable), to_its_end(source) as chunks:
        next(chunks)
        raise Unavailable("no space left", code="stage.full")


def test_words_of_a_database_that_look_like_an_object_hide_no_failure(copy):
    name = copy.objects(copy.ids()[-1])[0].name
    words = f"ERROR: relation \"local:app/backup/{copy.ids()[-1]}/{name}\" is lost"
    ladder = Ladder(SystemClock(), Silent(), frozenset())
    climbed(copy.world(), copy.world().stores[0], ladder, lambda: ladder.failed("L2", "restore misread", words))
    assert [(each.result, each.detail) for each in ladder.checks] == [("failed", words)]
