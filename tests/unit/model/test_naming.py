# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names: reversible, portable, sorted by time, and refused when they are none."""
from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from _restorable.errors import ConfigError
from _restorable.model import naming
from _restorable.model.naming import KINDS, BackupId, check_cluster, escape, unescape

THREE = datetime(2026, 11, 20, 3, tzinfo=timezone.utc)
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
LABELS = st.text("abcdefghijklmnopqrstuvwxyz0123456789_.", max_size=48)
TIMES = st.datetimes(datetime(1980, 1, 1), datetime(2199, 12, 31), timezones=st.just(timezone.utc))
IDS = st.builds(BackupId, TIMES, st.sampled_from(KINDS), LABELS)


@given(NAMES)
def test_an_escaped_name_comes_back(name):
    assert unescape(escape(name)) == name


@given(NAMES)
def test_an_escaped_name_is_safe_on_any_file_system(name):
    assert set(escape(name)) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-%ABCDEF")


@given(NAMES, NAMES)
def test_different_names_stay_different_where_case_does_not_count(one, other):
    if one != other:
        assert escape(one).lower() != escape(other).lower()


@given(IDS)
def test_an_id_is_read_back_from_its_text(backup):
    assert BackupId.parse(str(backup)) == backup


@given(IDS, IDS)
def test_ids_sort_by_time_as_text_and_as_values(one, other):
    if one.time != other.time:
        assert (one < other) == (one.time < other.time) == (str(one) < str(other))


@given(TIMES, st.integers(-14, 14))
def test_an_id_means_the_same_moment_in_every_zone(time, hours):
    elsewhere = time.astimezone(timezone(timedelta(hours=hours)))
    assert BackupId(elsewhere, "dump") == BackupId(time, "dump")


@pytest.mark.parametrize("text", [
    "", "latest", "20261120T030000Z", "20261120T030000Z-", "20261120T030000Z-full", "20261399T000000Z-dump",
    "20261120T030000-dump", "20261120T030000Z-dump-", "20261120T030000Z-dump-A", "20261120T030000Z-dump\n",
    "x20261120T030000Z-dump", "20261120T030000Z-dump-" + "a" * 49, "20261120T030000Z-dump-a/b"])
def test_what_is_no_id_is_refused_with_its_text(text):
    with pytest.raises(ConfigError, match="is not valid") as caught:
        BackupId.parse(text)
    assert repr(text) in caught.value.message and "restorable list" in caught.value.hint


def test_an_id_without_a_zone_cannot_be_made():
    with pytest.raises(ValueError, match="aware"):
        BackupId(datetime(2026, 11, 20), "dump")


def test_a_second_run_in_the_same_second_gets_the_next_one():
    assert str(BackupId(THREE, "dump", "hourly").later()) == "20261120T030001Z-dump-hourly"


@pytest.mark.parametrize("name", ["shop", "a", "0", "shop.example_1-2", "A" * 63])
def test_a_cluster_may_be_named(name):
    assert check_cluster(name) == name


@pytest.mark.parametrize("name", ["", ".", "..", "-x", ".state", "a/b", "a b", "é", "A" * 64, "shop\n"])
def test_a_cluster_may_not_be_named(name):
    with pytest.raises(ConfigError, match="cluster name"):
        check_cluster(name)


@pytest.mark.parametrize("name", ["", "a/b", ".hidden", "/"])
def test_an_object_never_leaves_its_set(name):
    with pytest.raises(ValueError, match="no object name"):
        naming.object_key("shop", BackupId(THREE, "dump"), name)


@given(IDS, NAMES)
def test_the_key_of_an_object_is_split_into_what_it_was_made_of(backup, name):
    key = naming.object_key("shop", backup, escape(name))
    assert naming.split_set_key(key) == ("shop", str(backup), escape(name))


@given(IDS, TIMES, st.sampled_from(["passed", "failed", "incomplete"]))
def test_the_name_of_evidence_tells_all(backup, begun, verdict):
    key = naming.drill_key("shop", begun, backup, verdict)
    assert naming.parse_drill_key(key) == (begun.replace(microsecond=0), backup, verdict)


@pytest.mark.parametrize("key", ["shop/drill/x.json", "shop/drill/20261399T000000Z.20261120T030000Z-dump.passed.json",
                                 "shop/drill/20261120T030000Z.nonsense.passed.json",
                                 "shop/drill/20261120T030000Z.20261120T030000Z-dump.unknown.json"])
def test_what_is_no_evidence_is_passed_over(key):
    assert naming.parse_drill_key(key) is None


def test_the_name_of_a_prunes_record_tells_its_policy():
    assert naming.parse_prune_key(naming.prune_key("shop", THREE, "1f0c")) == (THREE, "1f0c")
    assert naming.parse_prune_key("shop/prune/20261399T000000Z.1f0c.json") is None


def test_every_key_of_a_cluster_is_below_its_folder():
    backup = BackupId(THREE, "dump")
    keys = [naming.cluster_key("shop"), naming.hold_key("shop", backup), naming.manifest_key("shop", backup),
            naming.drill_key("shop", THREE, backup, "passed"), naming.prune_key("shop", THREE, "1f")]
    assert all(key.startswith(naming.cluster_prefix("shop")) for key in keys)
    assert naming.cluster_prefix("app") not in naming.cluster_prefix("app-archive")


def test_every_name_of_a_drills_evidence_is_one_of_the_same_drill():
    names = naming.every_name("shop/drill/20261206T040000Z.20261120T030000Z-dump.passed.json")
    assert [naming.parse_drill_key(each)[2] for each in names] == ["passed", "failed", "incomplete"]
    assert len({naming.parse_drill_key(each)[:2] for each in names}) == 1
