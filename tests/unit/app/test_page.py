# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page that stands beside a drill's evidence."""
from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from html.parser import HTMLParser

import pytest

from _restorable.app.page import evidence_page
from _restorable.model.drill import LEVELS, LEVELS_BASE, Check, Evidence, Objective, in_words
from _restorable.model.naming import BackupId, drill_key

BEGUN = datetime(2026, 12, 6, 4, tzinfo=timezone.utc)
BACKUP = BackupId(BEGUN - timedelta(hours=1), "dump")
HEADS = {"9f0c": {"name": "local", "chains": {"db1.postgres": {"number": 41, "sha256": "ab" * 32}}}}
PASSED = Evidence(
    BEGUN, BEGUN + timedelta(minutes=12), "shop", BACKUP, "the newest", "offsite",
    (Check("L0", "manifest", "ok", seconds=0.1), Check("L2", "restore shop", "ok", "82 objects", seconds=301.0),
     Check("L4", "data shop", "ok", "1204 tables", "90210 rows", "90210 rows", seconds=60.0),
     Check("L5", "amcheck shop", "not_run", "the extension is not installed", optional=True)),
    {"read": 20.0, "restore": 301.0}, 340.0, 3600.0,
    (Objective("rto", 1800, 340.0), Objective("rpo", 1800, 3600.0)), "restorable 0.1.0", "PostgreSQL 16 in a folder",
    {"version": "16.14", "system_identifier": "7431", "pg_dump": "pg_dump 16.14"}, {"shop.dump.zst": "cd" * 32},
    "ada@db1", {"key": "shop/drill/before.json", "sha256": "ef" * 32}, ("a note",),
    drill_key("shop", BEGUN, BACKUP, "passed"), HEADS)


class Reader(HTMLParser):
    """Collects the text, the names of elements, and whatever would load something."""

    def __init__(self):
        super().__init__()
        self.words, self.elements, self.loading, self.open = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.loading += [(tag, name, value) for name, value in attrs if name in ("src", "href") or name[:2] == "on"]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data):
        self.words.append(data)


def page(evidence):
    """Return what a browser would read."""
    reader = Reader()
    reader.feed(evidence_page(evidence.as_dict(), in_words(evidence), "12" * 32).decode())
    assert reader.open == []
    return reader


def text(evidence):
    return re.sub(r"\s+", " ", " ".join(page(evidence).words))


def test_everything_an_auditor_asks_for_is_on_the_page():
    told = text(PASSED)
    for wanted in ("Passed", "shop", str(BACKUP), "2026-12-06 04:00:00 UTC", "2026-12-06 04:12:00 UTC", "5m40s",
                   "objective 30m00s: met", "objective 30m00s: missed", "3 of 4", "0 failed, 1 not run", "90210 rows",
                   "ada@db1", "restorable 0.1.0", "offsite", "PostgreSQL 16.14, system identifier 7431",
                   "pg_dump 16.14", PASSED.key, "12" * 32, "shop/drill/before.json", "ef" * 32, "shop.dump.zst",
                   "cd" * 32, "event 41, " + "ab" * 32, "a note", "the extension is not installed", *LEVELS):
        assert wanted in told, wanted


@pytest.mark.parametrize(("result", "verdict"), [("failed", "Failed"), ("not_run", "Incomplete")])
def test_another_verdict_is_told_in_the_headline_and_in_colour(result, verdict):
    evidence = replace(PASSED, checks=(*PASSED.checks, Check("L3", "structure shop", result, "index a lost", "1", "0")))
    assert verdict in text(evidence)
    assert f'<body class="{evidence.verdict}">' in evidence_page(evidence.as_dict(), "", "").decode()


def test_nothing_in_the_evidence_is_read_as_html():
    evil = "<script>alert(1)</script>\"'&"
    checks = (Check("L4", evil, "failed", evil, evil, evil), Check("L6", evil, "not_run", evil))
    evidence = replace(PASSED, cluster=evil, checks=checks, phases={evil: 1.0}, server=evil, source={"version": evil},
                       objects={evil: evil}, operator=evil, previous={"key": evil, "sha256": evil}, notes=(evil,),
                       picked=evil, repository=evil, tool=evil, key=evil,
                       journal={evil: {"name": evil, "chains": {evil: {"number": 1, "sha256": evil}}}})
    found = page(evidence)
    assert "script" not in found.elements
    assert sum(evil in each for each in found.words) >= 18


BASE = replace(PASSED, recovery={"target": "the end of the archived WAL", "reached": "end of WAL"},
               checks=(Check("L3", "databases", "ok"), Check("L7", "target", "ok")))


def test_the_page_of_a_base_backup_has_the_headings_of_base_backups_and_no_others():
    told = text(BASE)
    for level, meaning in LEVELS_BASE.items():
        assert f"{level} {meaning}" in told
    assert "fingerprint" not in told


def test_the_data_at_risk_of_a_base_backup_is_told_with_the_moments_it_lies_between():
    drawn = replace(BASE, recovery={"target": "time 2026-12-05T00:00:00+00:00"}, picked="the newest, to time x",
                    objectives=())
    assert "snapshot" not in text(BASE) and "snapshot" not in text(drawn)
    assert "from the newest recovered commit to the drill's start" in text(BASE)
    assert "from the newest recovered commit to the recovery target, time 2026-12-05T00:00:00+00:00" in text(drawn)


def test_an_objective_that_was_not_judged_is_not_called_unset():
    older = text(replace(PASSED, picked="drawn at random", objectives=(Objective("rto", 1800, 340.0),)))
    assert "no objective is set" not in older and "not judged: this is not the newest backup" in older


def test_the_page_loads_nothing_and_runs_nothing():
    found = page(PASSED)
    assert found.loading == []
    assert not {"script", "link", "img", "iframe", "form"} & set(found.elements)
    assert "url(" not in evidence_page(PASSED.as_dict(), "", "").decode()


def test_evidence_without_numbers_objects_or_history_has_a_page_too():
    bare = Evidence(BEGUN, BEGUN, "shop", BACKUP, "named", "local", (), {}, None, None)
    assert "not measured" in text(bare)
    assert "no objective is set" in text(bare)
    assert "Incomplete" in text(bare)
