# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bucket's settings: what differs from the wish, what is never turned off, what a lifecycle would destroy."""
from __future__ import annotations

import math

import pytest

from _restorable.model.bucket import SETTINGS, Bucket, changes, lifecycle_warnings, wanted

WISH = Bucket(True, True, True, "AES256", "", 7)
KEPT = {"backups": 124.0, "WAL": 3.0}


def test_a_bucket_that_is_not_there_lacks_everything_and_is_made_first():
    names = changes(Bucket(), wanted(Bucket(), WISH))
    assert names == ("exists", "versioning", "public_access_block", "encryption", "abort_multipart_days")


def test_a_bucket_as_wanted_needs_nothing():
    assert changes(WISH, wanted(WISH, WISH)) == ()


def test_a_lock_brings_versions_and_comes_first():
    goal = wanted(Bucket(exists=True), Bucket(True, False, False, object_lock=True))
    assert goal.versioning and changes(Bucket(exists=True), goal) == ("object_lock", "versioning", "encryption")
    assert SETTINGS[0] == "object_lock"


def test_nothing_that_protects_is_turned_off():
    strict = Bucket(True, True, True, "aws:kms", "key", 7, object_lock=True)
    goal = wanted(strict, Bucket(True, True, False, "", "", 7))
    assert (goal.versioning, goal.object_lock, goal.encryption, goal.kms_key_id) == (True, True, "aws:kms", "key")


@pytest.mark.parametrize(("wish", "found", "goal"), [
    (("", ""), ("", ""), ("AES256", "")), (("", ""), ("aws:kms:dsse", "theirs"), ("aws:kms:dsse", "theirs")),
    (("aws:kms", ""), ("aws:kms", "theirs"), ("aws:kms", "theirs")),
    (("aws:kms", "ours"), ("aws:kms", "theirs"), ("aws:kms", "ours")),
    (("AES256", ""), ("aws:kms", "theirs"), ("AES256", ""))])
def test_encryption_is_what_was_asked_for_or_what_is_there(wish, found, goal):
    got = wanted(Bucket(True, True, True, *found), Bucket(True, True, True, *wish))
    assert (got.encryption, got.kms_key_id) == goal


def rule(prefix="", **what):
    return {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": prefix}, **what}


@pytest.mark.parametrize(("given", "said"), [
    (rule(Expiration={"Days": 30}), "deletes objects after 30 days, and retention keeps backups up to 124 days"),
    (rule("pg/", Expiration={"Days": 30}), "deletes objects after 30 days, and retention"),
    (rule("pg/shop/", Expiration={"Days": 30}), "deletes objects after 30 days, and retention"),
    (rule("p", Expiration={"Days": 30}), "deletes objects after 30 days, and retention"),
    (rule(Expiration={"Days": 4000}), "whatever they are: also the newest backups"),
    (rule(Expiration={"Date": "2030-01-01"}), "deletes everything on 2030-01-01"),
    (rule(Transitions=[{"Days": 1, "StorageClass": "DEEP_ARCHIVE"}]), "moves objects to DEEP_ARCHIVE"),
    ({"ID": "theirs", "Status": "Enabled", "Prefix": "pg/", "Expiration": {"Days": 1}}, "after 1 days"),
    ({"ID": "theirs", "Status": "Enabled", "Filter": {"And": {"Prefix": "pg/", "Tags": []}},
      "Expiration": {"Days": 1}}, "after 1 days"),
])
def test_a_rule_that_works_against_retention_is_told(given, said):
    [warning] = lifecycle_warnings([given], "pg/", KEPT)
    assert warning.startswith("lifecycle rule theirs ") and said in warning


@pytest.mark.parametrize("given", [
    rule("logs/", Expiration={"Days": 1}),
    rule("pg-old/", Expiration={"Days": 1}),
    {**rule(Expiration={"Days": 1}), "Status": "Disabled"},
    rule(AbortIncompleteMultipartUpload={"DaysAfterInitiation": 7}),
    rule(NoncurrentVersionExpiration={"NoncurrentDays": 1}),
    rule(Expiration={"ExpiredObjectDeleteMarker": True}),
    rule(Transitions=[{"Days": 30, "StorageClass": "STANDARD_IA"}]),
])
def test_a_rule_that_does_no_harm_is_not_told(given):
    assert lifecycle_warnings([given], "pg/", KEPT) == ()


def test_what_is_kept_for_ever_is_in_danger_of_every_expiration():
    kept = {**KEPT, "base backups": math.inf, "evidence": 4000.5}
    [warning] = lifecycle_warnings([rule(Expiration={"Days": 4000})], "", kept)
    assert warning.endswith("retention keeps base backups for ever, evidence up to 4001 days")
