# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the checks of a drill add up to."""
from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from _restorable.model.drill import LEVELS, Check, Evidence, Objective, in_words, verdict
from _restorable.model.naming import BackupId

THREE = datetime(2026, 11, 20, 3, tzinfo=timezone.utc)
OK = Check("L0", "object a", "ok")
FAILED = Check("L4", "data app", "failed", "table public.a differs", "3 rows", "2 rows")
MISSING = Check("L3", "structure app", "not_run", "no fingerprint")
OPTIONAL = Check("L6", "own checks", "not_run", "none are set", optional=True)
CHECKS = st.lists(st.sampled_from([OK, FAILED, MISSING, OPTIONAL]), max_size=6)


def evidence(*checks: Check, **changes) -> Evidence:
    values = {"begun": THREE, "ended": THREE + timedelta(seconds=9), "cluster": "shop",
              "backup": BackupId(THREE, "dump"), "picked": "the newest", "repository": "local", "checks": checks,
              "phases": {"compare": 1.5}, "rto": 4.0, "rpo": 60.0}
    return Evidence(**{**values, **changes})


@pytest.mark.parametrize(("checks", "expected"), [
    ([], "incomplete"), ([OK], "passed"), ([OK, OPTIONAL], "passed"), ([OPTIONAL], "incomplete"),
    ([OK, MISSING], "incomplete"), ([OK, MISSING, FAILED], "failed"), ([FAILED], "failed")])
def test_could_not_run_is_never_a_pass(checks, expected):
    assert verdict(checks) == expected


@given(CHECKS)
def test_a_failure_is_never_outvoted(checks):
    assert verdict([*checks, FAILED]) == "failed"


@given(CHECKS, st.randoms())
def test_the_order_of_checks_does_not_matter(checks, chance):
    shuffled = list(checks)
    chance.shuffle(shuffled)
    assert verdict(shuffled) == verdict(checks)


@pytest.mark.parametrize(("target", "measured", "met"), [
    (0, None, True), (0, 99.0, True), (10, 9.0, True), (10, 10.0, True), (10, 10.1, False), (10, None, False)])
def test_an_objective_that_was_not_measured_is_not_met(target, measured, met):
    assert Objective("rto", target, measured).met is met


def test_evidence_is_plain_json_with_the_verdict_and_its_format():
    body = json.loads(json.dumps(evidence(OK, FAILED, objectives=(Objective("rto", 3.0, 4.0),)).as_dict()))
    assert (body["format"], body["verdict"], body["backup"]) == (1, "failed", "20261120T030000Z-dump")
    assert body["begun"] == "2026-11-20T03:00:00+00:00"
    assert body["objectives"] == [{"name": "rto", "target": 3.0, "measured": 4.0, "met": False}]


def test_a_failure_is_told_with_its_first_finding():
    assert in_words(evidence(OK, FAILED)) == \
        "FAILED: backup 20261120T030000Z-dump of shop: L4 data app: table public.a differs"


def test_what_is_missing_is_told_with_its_reason():
    assert in_words(evidence(OK, MISSING)).endswith("is not proven: L3 structure app: no fingerprint")
    assert in_words(evidence()).endswith("is not proven: nothing was checked")
    assert "INCOMPLETE" in in_words(evidence(OPTIONAL))


def test_equality_is_claimed_only_where_data_was_compared():
    assert "equals what was dumped" in in_words(evidence(OK, Check("L4", "data app", "ok")))
    assert "nothing to compare with" in in_words(evidence(OK, OPTIONAL))


def test_equality_is_not_claimed_where_rows_were_only_counted():
    counted = Check("L4", "rows app", "ok")
    assert in_words(evidence(OK, counted)) == (
        "PASSED: backup 20261120T030000Z-dump of shop was restored; structure and row counts equal what was dumped, "
        "contents were not compared; 2 checks ok")
    assert "contents were not compared" in in_words(evidence(Check("L4", "data other", "ok"), counted))


def test_the_ladder_has_seven_rungs_in_order():
    assert list(LEVELS) == [f"L{number}" for number in range(7)]
