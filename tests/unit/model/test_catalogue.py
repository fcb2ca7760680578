# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue: everything that is known of a cluster's sets, from a listing alone."""
from __future__ import annotations

from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from _restorable.errors import ConfigError, NotFound
from _restorable.model.catalogue import Catalogue

OLD, NEW = "20261119T030000Z-dump", "20261120T030000Z-dump"


def listing(*keys: str) -> list[tuple[str, int]]:
    return [(f"shop/{key}", 10) for key in keys]


def whole(backup: str) -> tuple[str, str]:
    return f"backup/{backup}/app.dump.zst", f"backup/{backup}/manifest.json"


def test_a_set_is_committed_by_its_manifest_and_an_orphan_without():
    catalogue = Catalogue.of("shop", listing(*whole(OLD), f"backup/{NEW}/app.dump.zst"))
    assert [str(each.id) for each in catalogue.committed()] == [OLD]
    assert [(str(each.id), each.state()) for each in catalogue.orphans()] == [(NEW, "orphan")]


def test_the_size_of_a_set_is_the_sum_of_its_objects():
    assert Catalogue.of("shop", listing(*whole(OLD))).backups[0].size == 20


@given(st.randoms())
def test_the_order_of_the_listing_does_not_matter(chance):
    keys = listing(*whole(OLD), *whole(NEW), f"hold/{OLD}.json", f"drill/20261121T040000Z.{OLD}.passed.json",
                   f"drill/20261122T040000Z.{OLD}.failed.json", "cluster.json", "backup/stranger/x")
    shuffled = list(keys)
    chance.shuffle(shuffled)
    assert Catalogue.of("shop", shuffled).backups == Catalogue.of("shop", keys).backups


def test_the_newest_drill_decides():
    both = [f"drill/20261121T040000Z.{OLD}.passed.json", f"drill/20261122T040000Z.{OLD}.failed.json"]
    backup = Catalogue.of("shop", listing(*whole(OLD), *both)).get(OLD)
    assert (backup.verdict, backup.state(), backup.proven) == ("failed", "failed", False)
    assert backup.drilled == datetime(2026, 11, 22, 4, tzinfo=timezone.utc)


def test_the_newest_drill_that_could_not_run_is_known_beside_the_verdict():
    drills = [f"drill/202611{each[0]}T040000Z.{OLD}.{each[1]}.json"
              for each in ((21, "passed"), (23, "incomplete"), (22, "incomplete"))]
    catalogue = Catalogue.of("shop", listing(*whole(OLD), *drills))
    [backup] = catalogue.backups
    assert (backup.verdict, backup.hindered) == ("passed", datetime(2026, 11, 23, 4, tzinfo=timezone.utc))


def test_an_incomplete_drill_proves_nothing_and_condemns_nothing():
    keys = listing(*whole(OLD), f"drill/20261121T040000Z.{OLD}.incomplete.json")
    assert Catalogue.of("shop", keys).get(OLD).state() == "committed"


@pytest.mark.parametrize(("keys", "state"), [
    ([], "committed"), ([f"drill/20261121T040000Z.{OLD}.passed.json"], "proven"),
    ([f"drill/20261121T040000Z.{OLD}.failed.json"], "failed")])
def test_a_state_is_one_word(keys, state):
    assert Catalogue.of("shop", listing(*whole(OLD), *keys)).get(OLD).state() == state


def test_the_newest_finding_decides_whether_a_copy_is_damaged():
    damaged = f"backup/{OLD}/verify.20261121T040000Z.damaged.json"
    whole_again = f"backup/{OLD}/verify.20261121T050000Z.whole.json"
    proof = f"drill/20261121T030000Z.{OLD}.passed.json"
    found = Catalogue.of("shop", listing(*whole(OLD), proof, damaged)).get(OLD)
    assert (found.state(), found.proven) == ("damaged", False)
    assert found.damaged == datetime(2026, 11, 21, 4, tzinfo=timezone.utc)
    assert Catalogue.of("shop", listing(*whole(OLD), proof, damaged, whole_again)).get(OLD).state() == "proven"


def test_an_unknown_set_is_answered_with_the_newest_ones_newest_first():
    with pytest.raises(NotFound) as caught:
        Catalogue.of("shop", listing(*whole(OLD), *whole(NEW))).get("20250101")
    assert caught.value.hint.endswith(f"the newest are: {NEW}, {OLD}.")


def test_an_adopted_set_is_called_so_until_it_is_proven():
    adopted = "20261119T030000Z-adopted-app"
    assert Catalogue.of("shop", listing(*whole(adopted))).get(adopted).state() == "adopted"
    proof = f"drill/20261121T040000Z.{adopted}.passed.json"
    assert Catalogue.of("shop", listing(*whole(adopted), proof)).get(adopted).state() == "proven"


def test_a_hold_is_known_by_its_name():
    assert Catalogue.of("shop", listing(*whole(OLD), f"hold/{OLD}.json")).get(OLD).held


def test_what_is_not_ours_is_named_and_not_counted():
    foreign = "backup/my-files/precious.sql", "backup/20261399T000000Z-dump/x"
    catalogue = Catalogue.of("shop", listing(*whole(OLD), *foreign))
    assert len(catalogue.backups) == 1
    assert sorted(catalogue.strangers) == ["20261399T000000Z-dump", "my-files"]


def test_a_backup_is_got_by_id_by_a_unique_beginning_or_as_the_latest():
    catalogue = Catalogue.of("shop", listing(*whole(OLD), *whole(NEW)))
    assert str(catalogue.get("latest").id) == str(catalogue.get("20261120").id) == str(catalogue.get(NEW).id) == NEW


def test_an_id_that_begins_another_is_still_exact():
    labelled = f"{OLD}-hourly"
    catalogue = Catalogue.of("shop", listing(*whole(OLD), *whole(labelled)))
    assert str(catalogue.get(OLD).id) == OLD
    with pytest.raises(ConfigError, match="fits 2 backups"):
        catalogue.get("20261119")


@pytest.mark.parametrize("text", ["", "2025", "nonsense"])
def test_an_unknown_backup_is_named_with_the_newest_known(text):
    catalogue = Catalogue.of("shop", listing(*whole(OLD), *whole(NEW)))
    with pytest.raises((NotFound, ConfigError)) as caught:
        catalogue.get(text)
    assert NEW in caught.value.hint or OLD in caught.value.hint


def test_the_latest_of_nothing_is_not_found():
    with pytest.raises(NotFound):
        Catalogue.of("shop", []).get("latest")


def test_an_orphan_is_never_got():
    with pytest.raises(NotFound):
        Catalogue.of("shop", listing(f"backup/{OLD}/app.dump.zst")).get(OLD)


def test_a_drill_that_could_not_run_takes_no_proof_away():
    catalogue = Catalogue.of("shop", listing(*whole(OLD), f"drill/20261121T040000Z.{OLD}.passed.json",
                                             f"drill/20261122T040000Z.{OLD}.incomplete.json"))
    assert catalogue.backups[0].state() == "proven"
    assert catalogue.backups[0].drilled == datetime(2026, 11, 21, 4, tzinfo=timezone.utc)


def test_a_drill_that_could_not_run_is_told_where_no_other_was_made():
    catalogue = Catalogue.of("shop", listing(*whole(OLD), f"drill/20261122T040000Z.{OLD}.incomplete.json"))
    assert (catalogue.backups[0].verdict, catalogue.backups[0].proven) == ("incomplete", False)


@pytest.mark.parametrize(("name", "missing"), [
    ("app.missing.json", ("app",)), ("%4D%C3%B6bel.missing.json.zst.age", ("Möbel",)), ("missing.dump.zst", ()),
    ("app.missing.jsonx", ()), ("missing.json", ())])
def test_a_listing_shows_which_databases_a_set_lacks(name, missing):
    [found] = Catalogue.of("shop", [(f"shop/backup/20261120T030000Z-dump/{each}", 1)
                                    for each in ("manifest.json", name)]).backups
    assert (found.missing, found.state()) == (missing, "partial" if missing else "committed")
