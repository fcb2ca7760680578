# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where any repository is enough, one that is down or fails in mid-dump stops nothing, is told, and catches up."""
from __future__ import annotations

import contextlib
import json
import shutil
from dataclasses import replace

import pytest

from _restorable.app.report import backup_report, prune_report
from _restorable.errors import ConfigError, Damaged, Refused, Unavailable
from _restorable.model.journal import Facts
from _restorable.ops.audit import audit
from _restorable.ops.copies import no_prune
from _restorable.ops.journal import record
from _restorable.ops.protect import protection_of
from _restorable.ops.reach import Expendable, Losses
from kit.chain import NAME, Chain
from kit.fault import Fault, Faults
from kit.faulty_store import FaultyStore


def gone():
    return Unavailable("repository vault: the host does not answer", code="store.unreachable", hint="Wait.")


@pytest.fixture
def pair(pg16, shop, folder):
    """A chain over two repositories of which any is enough."""
    chain = Chain(pg16, folder, repositories=("disk", "vault"), databases=[shop])
    chain.own["repositories_policy"] = "any"
    chain.body["state_dir"] = str(folder / "state")
    return chain


def failing(chain, *faults, name="vault"):
    """Make one repository fail as planned; returns the context that wants every fault reached."""
    planned = Faults(*faults)
    chain.wrap_store = lambda store: FaultyStore(store, planned) if store.name == name else store
    return planned


def mended(chain):
    chain.wrap_store = lambda store: store


def test_a_repository_that_is_down_is_left_out_and_catches_up(pair):
    with failing(pair, Fault("check", gone())):
        planned = pair.back_up(dry_run=True)
    with failing(pair, Fault("check", gone())):
        report = pair.back_up()
    mended(pair)
    for told in (planned, report):     # what a person, or Ansible, is told of it
        assert any("repository vault lacks backup" in each for each in backup_report(told)["warnings"])
    backup = str(report.manifest.id)
    assert (pair.ids("disk"), pair.ids("vault")) == ([backup], [])
    assert any("vault lacks" in each and "restorable sync --to vault" in each for each in report.warnings)
    rows = {row.name: row.missing for row in pair.list()}
    assert rows == {"disk": (), "vault": (backup,)}
    told = pair.status().health
    assert told.colour == "yellow"
    assert any("vault lacks 1" in each for each in told.reasons)
    assert pair.sync(to="vault")["vault"].sets == [backup]
    assert pair.ids("vault") == [backup]
    assert {each.verdict for each in pair.verify()} == {"passed"}
    assert all(row.missing == () for row in pair.list())


@pytest.mark.parametrize(("verb", "nth"), [("put", 1), ("put", 3), ("put", 6), ("list", 2)])
def test_a_repository_that_fails_in_the_midst_stops_no_other(pair, verb, nth):
    with failing(pair, Fault(verb, gone(), nth=nth)):
        report = pair.back_up()
    mended(pair)
    assert pair.ids("disk") == [str(report.manifest.id)]
    assert pair.ids("vault") == []
    assert any("vault lacks" in each for each in report.warnings)
    assert pair.verify("latest")[0].verdict == "passed"
    assert pair.drill().verdict == "passed"


def test_a_stream_that_breaks_in_one_repository_goes_on_into_the_other(pair, shop, pg16):
    pg16.sql("CREATE TABLE noise AS SELECT decode(md5(g::text), 'hex') AS b FROM generate_series(1, 200000) g",
             database=shop)

    class Breaking(FaultyStore):
        """Fails as the place does, not as the stream: its own put raises once so many bytes have come."""

        def put(self, key, chunks):
            if not key.endswith(".dump.zst"):
                return self.inner.put(key, chunks)

            def counted():
                passed = 0
                for chunk in chunks:
                    passed += len(chunk)
                    if passed > 500_000:
                        raise OSError(28, "No space left on device")
                    yield chunk

            try:
                return self.inner.put(key, counted())
            except OSError:
                raise gone() from None

    pair.wrap_store = lambda store: Breaking(store, Faults()) if store.name == "vault" else store
    report = pair.back_up()
    mended(pair)
    [dump] = report.manifest.dumps()
    assert dump.size > 1_000_000
    assert (pair.ids("disk"), pair.ids("vault")) == ([str(report.manifest.id)], [])
    assert pair.verify("latest")[0].verdict == "passed"


def test_the_last_repository_that_fails_fails_the_run(pair):
    with failing(pair, Fault("check", gone())):
        pair.body["repositories"]["disk"]["path"] = str(pair.folder / "slip" / "disk")
        with pytest.raises(Exception, match="slip"):
            pair.back_up()


def test_with_all_wanted_one_that_is_down_stops_the_run_before_anything_is_written(pair, fails):
    pair.own["repositories_policy"] = "all"
    pair.taken()
    with failing(pair, Fault("check", gone())), fails(pair, "store.unreachable", "vault"):
        pair.back_up()
    with failing(pair, Fault("put", gone(), nth=3)), fails(pair, "store.unreachable", "vault"):
        pair.back_up()


def test_a_prune_a_hold_and_a_drill_go_on_where_one_is_down(pair):
    first = str(pair.taken().id)
    pair.taken(), pair.taken()
    for work in (pair.hold, lambda: pair.prune(last=1, min_keep=0, min_age="0", confirm=True), pair.drill):
        with failing(pair, Fault("check", gone())):
            work()
    mended(pair)
    assert first not in pair.ids("disk") and first in pair.ids("vault")
    assert len(pair.ids("disk")) == 2
    row = next(each for each in pair.list() if each.name == "vault").catalogue
    assert not any(each.held or each.proven for each in row.committed())
    done = pair.sync()
    assert done["vault"].marks == 3 and done["vault"].sets == []      # the hold, the evidence and its page
    row = next(each for each in pair.list() if each.name == "vault").catalogue
    assert row.committed()[-1].held and row.committed()[-1].proven


def test_each_repository_has_its_own_retention(pair):
    pair.body["repositories"]["vault"]["retention"] = {"dump": {"last": 1, "min_keep": 0, "min_age": "0"}}
    old, new = str(pair.taken().id), str(pair.taken().id)
    plans = {each.repository: each.plan for each in pair.prune(daily=7, dry_run=True)}
    assert [str(row.id) for row in plans["vault"].dropped] == [old]
    assert plans["disk"].dropped == ()
    pair.prune(daily=7)
    assert (pair.ids("disk"), pair.ids("vault")) == ([old, new], [new])
    assert all(row.missing == () for row in pair.list())       # what its own retention drops is not missing
    assert pair.sync()["vault"].sets == []


def test_two_writers_with_one_id_are_never_mixed(pair):
    class Late(FaultyStore):
        """Another host's object comes under the same key just before ours."""

        def put(self, key, chunks):
            if key.endswith(".dump.zst"):
                self.inner.put(key, [b"another host's"])
            return self.inner.put(key, chunks)

    pair.wrap_store = lambda store: Late(store, Faults()) if store.name == "vault" else store
    with pytest.raises(Refused) as caught:
        pair.back_up()
    assert caught.value.code == "store.exists"
    mended(pair)
    assert pair.ids("disk") == pair.ids("vault") == []


def test_a_set_that_another_host_took_in_the_same_second_stays(pair):
    class Overtaken(FaultyStore):
        """Another host commits a whole set under our id just before our first object."""

        def put(self, key, chunks):
            if key.endswith("globals.sql.zst"):
                for name in ("globals.sql.zst", "manifest.json"):
                    self.inner.put(f"{key.rpartition('/')[0]}/{name}", [b"another host's"])
            return self.inner.put(key, chunks)

    pair.wrap_store = lambda store: Overtaken(store, Faults()) if store.name == "vault" else store
    with pytest.raises(Refused) as caught:
        pair.back_up()
    assert caught.value.code == "store.exists"
    mended(pair)
    assert pair.ids("disk") == [] and len(pair.ids("vault")) == 1


def test_damage_that_a_repository_reports_gives_it_up(pair):
    bad = Damaged("repository vault stored other bytes than it was given", code="store.differs", hint="Check it.")
    with failing(pair, Fault("put", bad, nth=4)):
        report = pair.back_up()
    assert any("other bytes" in each for each in report.warnings)


class Denying(FaultyStore):
    """Takes everything and deletes nothing but its own probes, as the policy of docs/policies/backup-host.json does."""

    def delete(self, key):
        raise ConfigError(f"object {self.name}:{key} is closed to these credentials", code="store.denied")


def test_an_orphan_that_may_not_be_deleted_costs_no_backup(pair):
    pair.taken()
    orphan = pair.folder / "vault" / NAME / "backup" / "20200101T000000Z-dump" / "any.dump.zst"
    orphan.parent.mkdir()
    orphan.write_bytes(b"half")
    pair.wrap_store = lambda store: Denying(store, Faults()) if store.name == "vault" else store
    report = pair.back_up()
    pruned = prune_report(pair.prune(last=2, min_keep=0, min_age="0", confirm=True))
    mended(pair)
    assert any("repository vault: what is left of 20200101T000000Z-dump could not be deleted" in each
               for each in pruned["warnings"])
    assert report.swept == () and orphan.exists()
    assert not any("vault lacks" in each for each in report.warnings)
    assert str(report.manifest.id) in pair.ids("vault")


def test_a_full_repository_is_left_out_and_told(pair):
    class Full(FaultyStore):
        def free_bytes(self):
            return 1

    pair.taken()
    pair.wrap_store = lambda store: Full(store, Faults()) if store.name == "vault" else store
    report = pair.back_up()
    assert any("vault lacks" in each and "free" in each for each in report.warnings)
    pair.wrap_store = lambda store: Full(store, Faults())
    with pytest.raises(Unavailable) as caught:
        pair.back_up()
    assert caught.value.code == "store.no_room"
    mended(pair)
    assert len(pair.ids("disk")) == 2 and len(pair.ids("vault")) == 1


@pytest.mark.parametrize(("ends", "name"), [("manifest.json", "disk"), ("cluster.json", "vault")])
def test_what_lists_and_cannot_be_read_stops_no_backup(pair, ends, name):
    class Shut(FaultyStore):
        def get(self, key):
            if key.endswith(ends):
                raise gone()
            yield from self.inner.get(key)

    pair.taken()
    pair.wrap_store = lambda store: Shut(store, Faults()) if store.name == name else store
    report = pair.back_up()
    mended(pair)
    assert any("does not answer" in each for each in report.warnings)
    assert str(report.manifest.id) in pair.ids("disk")


def test_readers_hold_their_lock_while_the_first_repository_is_gone(pair):
    with failing(pair, Fault("check", gone()), name="disk"):
        world = pair.world()
        assert world.any_is_enough
        held = []

        class Watched:
            def hold(self, purpose, *, shared=False):
                held.append((purpose, shared))
                return contextlib.nullcontext()

        with no_prune(replace(world, reading=Watched()), "restore"):
            assert held == [("restore", True)]
        with pytest.raises(Unavailable):
            world.stores[0].check()


def test_a_repository_that_may_be_lost_still_locks_its_objects():
    class Locking:
        name, locks = "vault", object()

    losses = Losses(2)
    store = Expendable(Locking(), losses)
    assert protection_of(store) is Locking.locks
    losses.take("vault", gone())
    assert protection_of(store) is None


POLICY = {"last": 1, "min_keep": 0, "min_age": "0", "confirm": True}


def test_a_prune_tells_what_it_could_not_delete(pair):
    old, new = str(pair.taken().id), str(pair.taken().id)
    pair.wrap_store = lambda store: Denying(store, Faults()) if store.name == "vault" else store
    disk, vault = pair.prune(**POLICY)
    assert (disk.freed > 0, disk.deleted, disk.error) == (True, True, "")
    assert (vault.freed, vault.deleted, [str(each) for each in vault.stayed]) == (0, False, [old])
    assert "closed to these credentials" in vault.error
    told = prune_report([disk, vault])
    assert [each["backup"] for each in told["repositories"][1]["dropped"]] == []
    assert any("vault" in each for each in told["warnings"])
    mended(pair)
    assert (pair.ids("disk"), pair.ids("vault")) == ([new], [old, new])
    for path in (pair.folder / "vault" / NAME / "prune").glob("*.json"):
        assert old not in json.loads(path.read_text())["deleted"]


@pytest.mark.parametrize("verb", ["check", "put"])
def test_what_a_prune_tells_while_a_repository_is_away_does_not_read_as_cut_off_there(pair, verb):
    for _set in range(2):
        pair.taken()
    assert record(pair.world(), Facts("backup", "ok")) == ()
    with failing(pair, Fault(verb, gone())):
        pair.prune(last=1, min_keep=0, min_age=0, max_delete_percent=100, confirm=True)
    mended(pair)
    events = {name: len(list((pair.folder / name / NAME / "journal").rglob("0*.json"))) for name in ("disk", "vault")}
    assert events["disk"] > events["vault"]
    assert audit(pair.world(), None).findings == ()


def test_an_audit_misses_a_set_that_a_prune_announced_and_left(pair):
    old = str(pair.taken().id)
    pair.taken()
    assert pair.run("prune", "--dry-run")[0] == 0
    pair.wrap_store = lambda store: Denying(store, Faults()) if store.name == "vault" else store
    pair.prune(**POLICY)
    mended(pair)
    assert audit(pair.world(), None).findings == ()
    shutil.rmtree(pair.folder / "vault" / NAME / "backup" / old)
    assert [(each.kind, each.repository) for each in audit(pair.world(), None).findings] == [("missing", "vault")]


def test_a_repository_that_is_down_shows_in_what_prune_hold_adopt_and_drill_tell(pair, tmp_path):
    pair.taken(), pair.taken()
    with failing(pair, Fault("check", gone())):
        _backup, _changed, warnings = pair.hold()
    assert any("vault lacks the hold" in each for each in warnings)
    with failing(pair, Fault("check", gone())):
        rows = {each.repository: each for each in pair.prune(**POLICY)}
    assert "does not answer" in rows["vault"].error and not rows["vault"].deleted
    (tmp_path / "shop-2026-01-01.sql").write_text("--\n-- PostgreSQL database dump\n--\n")
    with failing(pair, Fault("check", gone())):
        assert any("vault lacks" in each for each in pair.adopt(tmp_path, "shop-*").warnings)
    # the evidence of the drill is the first that it puts
    with failing(pair, Fault("put", gone())):
        assert any("vault lacks" in each for each in pair.drill().notes)
