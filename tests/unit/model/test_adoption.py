# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the name of somebody's dump file tells: its series and its time."""
from __future__ import annotations

import re
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from _restorable.errors import ConfigError
from _restorable.model.adoption import LABEL_LENGTH, Misdated, Pattern, Unfit, local_time, series_label
from _restorable.model.naming import BackupId


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def read(name: str, pattern: str = "*", place: str = "UTC") -> tuple[str, datetime | None]:
    found = Pattern.of(pattern)
    assert found.matches(name)
    named = found.read(name, place)
    return named.stem, named.time


@pytest.mark.parametrize(("pattern", "taken", "left"), [
    ("app-YYYYMMDD.sql.gz", ["app-20261120.sql.gz"],
     ["app-archive-20261120.sql.gz", "app-20261120.sql.gz.tmp", "my-app-20261120.sql.gz", "app-2026112.sql.gz",
      "app-20261120xsql.gz"]),
    ("staging-db-YYYYMMDD-HHMMSS.sql.gz", ["staging-db-20261120-030000.sql.gz"],
     ["staging-db-20261120.sql.gz", "staging-db-archive-20261120-030000.sql.gz"]),
    ("backup_*.sql.gz", ["backup_20261120.sql.gz", "backup_.sql.gz"], ["backup.sql.gz", "backup_1.sql"]),
    ("*_full_*.backup", ["modulo_full_20261120.backup"], ["modulo_20261120.backup"]),
    ("app-YYYY-MM-DD_HH-MM*.dump", ["app-2026-11-20_03-00.dump", "app-2026-11-20_03-00-x.dump"], ["app-20261120.dump"]),
    ("*", ["anything"], [".hidden", ".app-20261120.sql.gz"]),
    ("a?c", ["abc"], ["ac", "abbc"]),
    ("a+(b)[c]", ["a+(b)[c]"], ["aab"]), ("app_*.sql", ["app_\n.sql"], ["app_.sql\n"]),
])
def test_a_pattern_takes_whole_names_only(pattern, taken, left):
    found = Pattern.of(pattern)
    assert [name for name in (*taken, *left) if found.matches(name)] == taken


@pytest.mark.parametrize("text", ["", "/backups/*.gz", "a/b"])
def test_a_pattern_is_of_names_not_of_paths(text):
    with pytest.raises(ConfigError, match="is not a pattern of file names"):
        Pattern.of(text)


@pytest.mark.parametrize(("name", "stem", "time"), [
    ("staging-db-20261120-030405.sql.gz", "staging-db", "2026-11-20 03:04:05"),
    ("app-2026-11-20_03-04-05.sql.gz", "app", "2026-11-20 03:04:05"),
    ("app.20261120T030405Z.dump", "app", "2026-11-20 03:04:05"),
    ("app-2026-11-20T03:04:05+0100.sql", "app", "2026-11-20 02:04:05"),
    ("app-2026-11-20T03:04:05-05:30.sql", "app", "2026-11-20 08:34:05"),
    ("app_20261120030405.sql.gz", "app", "2026-11-20 03:04:05"),
    ("app_202611200304.sql.gz", "app", "2026-11-20 03:04:00"),
    ("app_2026-11-20_03h04.sql", "app", "2026-11-20 03:04:00"),
    ("app_2026112003.sql", "app", "2026-11-20 03:00:00"),
    ("backup_20261120.sql.gz", "backup", "2026-11-20 00:00:00"),
    ("2026_11_20-app.backup", "app", "2026-11-20 00:00:00"),
    ("backup_1795143845.sql.gz", "backup", "2026-11-20 03:04:05"),
    ("modulo_full_20261120.backup", "modulo_full", "2026-11-20 00:00:00"),
    ("app-20261120-v2.sql.gz", "app-v2", "2026-11-20 00:00:00"),
    ("20261120.sql.gz", "", "2026-11-20 00:00:00"),
    ("client20251399-20261120.sql", "client20251399", "2026-11-20 00:00:00"),
    ("app12345678.sql", "app12345678", None), ("latest.sql.gz", "latest", None), ("app-123.dump", "app-123", None)])
def test_a_name_is_split_into_series_and_time(name, stem, time):
    assert read(name) == (stem, utc(time) if time else None)


@pytest.mark.parametrize(("pattern", "name", "time"), [
    ("app_DD-MM-YYYY.sql", "app_03-04-2026.sql", "2026-04-03 00:00:00"),
    ("app_MM.DD.YYYY.sql", "app_03.04.2026.sql", "2026-03-04 00:00:00"),
    ("app-YYYYMMDDTHHMMSSZ.sql", "app-20261120T030405Z.sql", "2026-11-20 03:04:05"),
    ("COMMODORE-YYYYMMDD.sql", "COMMODORE-20261120.sql", "2026-11-20 00:00:00")])
def test_placeholders_say_what_stands_where(pattern, name, time):
    assert read(name, pattern)[1] == utc(time)


def test_a_time_in_a_name_is_of_the_given_zone_unless_it_names_its_own():
    assert read("app-20261120-030000.sql", place="Europe/Berlin")[1] == utc("2026-11-20 02:00")
    assert read("app-20260720-030000.sql", place="Europe/Berlin")[1] == utc("2026-07-20 01:00")
    assert read("app-20261120T030000Z.sql", place="Europe/Berlin")[1] == utc("2026-11-20 03:00")


def test_an_hour_that_came_twice_is_taken_as_the_first_and_told():
    moment, note = local_time(datetime(2026, 10, 25, 2, 30), "Europe/Berlin")
    assert moment == utc("2026-10-25 00:30")
    assert note == "2026-10-25 02:30:00 came twice in Europe/Berlin; taken as the first"


def test_an_hour_that_never_came_is_refused():
    with pytest.raises(Misdated, match="2026-03-29 02:30:00 does not exist in Europe/Berlin"):
        read("app-20260329-023000.sql", place="Europe/Berlin")


@pytest.mark.parametrize(("name", "pattern", "said"), [
    ("app-20261399.sql", "*", "20261399"), ("app-20260230.sql", "app-YYYYMMDD.sql", "20260230"),
    ("app-20261120-250000.sql", "app-YYYYMMDD-HHMMSS.sql", "20261120-250000"),
    ("app-20261120-250000.sql", "*", "250000"),
    ("app_03_04_2026.sql", "*", "does not tell the day from the month")])
def test_a_time_that_cannot_be_is_refused_and_quoted(name, pattern, said):
    with pytest.raises(Unfit, match=said):
        read(name, pattern)


def test_a_glob_that_matches_two_series_keeps_them_apart():
    names = ["app-20261120.sql.gz", "app-archive-20261120.sql.gz"]
    assert [series_label(read(name, "app-*.sql.gz")[0], {}) for name in names] == ["app", "app_archive"]


@pytest.mark.parametrize(("stem", "label"), [
    ("staging-db", "staging_db"), ("modulo_full", "modulo_full"), ("App", "app"), ("shop.example", "shop.example"),
    ("", "files")])
def test_a_label_reads_like_its_series(stem, label):
    assert series_label(stem, {}) == label


def test_a_label_that_another_series_has_is_never_given_again():
    assert series_label("a_b", {"a_b": "a-b"}) != "a_b"
    assert series_label("a-b", {"a_b": "a-b"}) == "a_b"


def test_letters_that_a_label_cannot_hold_do_not_merge_series():
    assert len({series_label(stem, {}) for stem in ("möbel", "mäbel", "m bel", "x" * 60, "x" * 61)}) == 5


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=70), unique=True, max_size=8))
def test_two_series_never_share_a_label(stems):
    known: dict[str, str] = {}
    for stem in stems:
        label = series_label(stem, known)
        assert known.setdefault(label, stem) == stem


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_every_label_can_stand_in_an_id(stem):
    label = series_label(stem, {})
    assert re.fullmatch(r"[a-z0-9_.]+", label) and len(label) <= LABEL_LENGTH
    backup = BackupId(utc("2026-11-20"), "adopted", label)
    assert BackupId.parse(str(backup)) == backup
