# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Buckets as code, on two servers: made, checked, made again without a change, and warned of."""
from __future__ import annotations

import itertools
import json
import os

import pytest

from _restorable.app import wire
from _restorable.errors import ConfigError, NotFound
from _restorable.model.bucket import Bucket
from _restorable.model.settings import Settings
from _restorable.ops.bucket import ensure
from _restorable.store.s3_bucket import S3Bucket
from kit.plays import Ansible
from kit.s3_servers import SECRET

WISH = Bucket(True, True, True, "AES256", "", 7)
KEPT = {"backups": 7.0, "base backups": 2.5}

_numbers = itertools.count()


@pytest.fixture
def name():
    """The name of a bucket that is not there yet."""
    return f"new-{next(_numbers)}-{os.getpid()}"


def bucket(server, name, **more):
    return S3Bucket(server.repository(name, prefix="pg", **more), pause=lambda _seconds: None)


def test_a_bucket_is_made_as_wanted_and_stays_so(moto_s3, name):
    planned = ensure(bucket(moto_s3, name), WISH, KEPT, dry_run=True)
    assert (planned.before.exists, planned.after) == (False, WISH)
    assert not bucket(moto_s3, name).read().exists
    made = ensure(bucket(moto_s3, name), WISH, KEPT, dry_run=False)
    assert (made.after, made.changed, made.warnings) == (WISH, planned.changed, ())
    assert bucket(moto_s3, name).read() == WISH
    again = ensure(bucket(moto_s3, name), WISH, KEPT, dry_run=False)
    assert (again.changed, again.after) == ((), WISH)
    moto_s3.store(name).check()


def test_a_bucket_with_object_lock_locks(moto_s3, name):
    wish = Bucket(True, True, False, "aws:kms", "key-1", 7, object_lock=True)
    made = ensure(bucket(moto_s3, name), wish, KEPT, dry_run=False)
    assert made.after == Bucket(True, True, True, "aws:kms", "key-1", 7, object_lock=True)
    store = moto_s3.store(name, object_lock={"days": 1})
    store.put("shop/backup/20261120T030000Z-dump/x", [b"x"])
    version = store.client.head_object(Bucket=name, Key="shop/backup/20261120T030000Z-dump/x")
    assert version["ObjectLockMode"] == "GOVERNANCE"


def test_other_peoples_rules_stay_and_are_warned_of(moto_s3, name):
    client = moto_s3.client()
    client.create_bucket(Bucket=name)
    theirs = {"ID": "expire", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 3}}
    client.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": [theirs]})
    made = ensure(bucket(moto_s3, name), WISH, KEPT, dry_run=False)
    [warning] = made.warnings
    assert warning.endswith("expire deletes objects after 3 days, and retention keeps backups up to 7 days")
    assert {each["ID"] for each in bucket(moto_s3, name).rules()} == {
        "expire", "restorable-abort-stale-multipart-uploads"}


def test_one_setting_that_somebody_changed_is_set_again(moto_s3, name):
    ensure(bucket(moto_s3, name), WISH, KEPT, dry_run=False)
    moto_s3.client().delete_public_access_block(Bucket=name)
    assert ensure(bucket(moto_s3, name), WISH, KEPT, dry_run=False).changed == ("public_access_block",)


def test_settings_that_an_endpoint_does_not_have_are_told_and_not_believed(rclone_s3, name):
    made = ensure(bucket(rclone_s3, name), WISH, KEPT, dry_run=False)
    assert "exists" in made.changed and made.after.exists
    assert not made.after.versioning
    assert any("versioning" in warning for warning in made.warnings)
    rclone_s3.store(name).check()


def test_an_endpoint_that_lacks_settings_is_not_as_wanted(rclone_s3, name, tmp_path):
    settings = rclone_s3.settings(name)
    secrets = {key: settings.pop(key) for key in ("access_key_id", "secret_access_key")}
    words = {"cluster": "shop", "repositories": {"offsite": settings}, "repository_secrets": {"offsite": secrets}}
    ansible = Ansible(tmp_path)
    lacks = "the endpoint lacks versioning, public_access_block, encryption, abort_multipart_days"
    assert ansible.module("s3_bucket", **words)["words"] == f"{name}: made; {lacks}"
    again = ansible.module("s3_bucket", **words)
    assert (again["changed"], again["words"]) == (False, f"{name}: nothing to change; {lacks}")


def test_the_encryption_of_a_bucket_stays_where_none_was_asked_for(moto_s3, name, tmp_path):
    client = moto_s3.client()
    client.create_bucket(Bucket=name)
    client.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [
        {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "key-1"}}]})
    settings = moto_s3.settings(name)
    secrets = {key: settings.pop(key) for key in ("access_key_id", "secret_access_key")}
    done = Ansible(tmp_path).module("s3_bucket", cluster="shop", repositories={"offsite": settings},
                                    repository_secrets={"offsite": secrets})
    assert "encryption" not in done["buckets"][0]["changed"]
    after = bucket(moto_s3, name).read()
    assert (after.encryption, after.kms_key_id) == ("aws:kms", "key-1")


def test_wrong_credentials_make_nothing(rclone_s3, name):
    with pytest.raises(ConfigError):
        ensure(bucket(rclone_s3, name, secret_access_key="not-the-secret"), WISH, KEPT, dry_run=False)
    assert not bucket(rclone_s3, name).read().exists


def test_a_cluster_without_a_bucket_is_told_so(tmp_path):
    settings = Settings.of({"repositories": {"local": {"path": str(tmp_path)}}, "clusters": {"shop": {}}})
    with pytest.raises(NotFound, match="no bucket"):
        wire.open_buckets(settings, settings.cluster("shop"))


def test_the_module_plans_makes_and_is_idempotent(moto_s3, name, tmp_path):
    ansible = Ansible(tmp_path)
    settings = moto_s3.settings(name, object_lock={"days": 1})
    secrets = {key: settings.pop(key) for key in ("access_key_id", "secret_access_key")}
    words = {"cluster": "shop", "repositories": {"offsite": settings}, "repository_secrets": {"offsite": secrets}}
    planned = ansible.module("s3_bucket", "--check", **words)
    made = ansible.module("s3_bucket", **words)
    again = ansible.module("s3_bucket", **words)
    [plan], [done] = planned["buckets"], made["buckets"]
    assert (planned["changed"], made["changed"], again["changed"]) == (True, True, False)
    assert (planned["words"], made["words"]) == (f"{name}: would be made", f"{name}: made")
    assert plan["after"] == done["after"] and done["after"]["object_lock"] and again["words"] == f"{name}: as wanted"
    assert SECRET not in json.dumps([planned, made, again])


def test_what_retention_keeps_of_base_backups_wal_and_evidence_is_warned_of_too(moto_s3, name, tmp_path):
    client = moto_s3.client()
    client.create_bucket(Bucket=name)
    theirs = {"ID": "expire", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 20}}
    client.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": [theirs]})
    settings = {**moto_s3.settings(name), "retention": {"base": {"daily": 60}}}
    secrets = {key: settings.pop(key) for key in ("access_key_id", "secret_access_key")}
    retention = {"dump": {"daily": 7}, "wal": {"days": 30}, "evidence": "500d"}
    done = Ansible(tmp_path).module("s3_bucket", cluster="shop", repositories={"offsite": settings},
                                    repository_secrets={"offsite": secrets},
                                    settings={"clusters": {"shop": {"retention": retention}}})
    [warning] = done["buckets"][0]["warnings"]
    assert warning.endswith("expire deletes objects after 20 days, and retention keeps evidence up to 500 days, "
                            "base backups up to 60 days, WAL up to 30 days")
