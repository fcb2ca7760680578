# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a bucket, its rights and its neighbours can do to a repository."""
from __future__ import annotations

import sys
from datetime import datetime, timedelta, timezone

import pytest
from botocore.exceptions import ClientError

from _restorable.errors import ConfigError, Refused, Unavailable
from _restorable.model.naming import BackupId, object_key
from _restorable.store.s3 import S3Store
from kit.fault import Fault, Faults
from kit.faulty_s3 import FaultyClient, answered
from kit.s3_servers import KEY_ID

NOW = datetime.now(timezone.utc).replace(microsecond=0)
BACKUP = BackupId(NOW, "dump")
KEY = object_key("shop", BACKUP, "app.dump.zst")
LOCK = {"mode": "governance", "days": 7, "weekly": 35}


def keys(store, prefix=""):
    return [entry.key for entry in store.list(prefix)]


def read(store, key):
    return b"".join(store.get(key))


class Denying:
    """A client whose rights lack some calls."""

    def __init__(self, inner, verbs):
        self._inner, self._verbs, self.denied = inner, verbs, []

    def __getattr__(self, verb):
        if verb not in self._verbs:
            return getattr(self._inner, verb)

        def denied(**_arguments):
            self.denied.append(verb)
            raise answered("AccessDenied", 403)
        return denied


@pytest.mark.parametrize(("change", "code"), [
    ({"access_key_id": "somebody-else"}, "store.credentials"),
    ({"secret_access_key": "not-the-secret"}, "store.credentials")])
def test_wrong_credentials_are_told_as_such(rclone_s3, change, code):
    store = rclone_s3.store(rclone_s3.bucket(), **change)
    for act in (lambda: store.check(write=False), store.check, lambda: store.put(KEY, [b"x"])):
        with pytest.raises(ConfigError) as caught:
            act()
        assert caught.value.code in (code, "store.denied")     # the answer to a HEAD has no body that says more
    assert "not-the-secret" not in caught.value.message + caught.value.hint


def test_expired_credentials_are_told_as_such(moto_s3):
    with Faults(Fault("list_objects_v2", answered("ExpiredToken", 400))) as faults:
        with pytest.raises(ConfigError) as caught:
            moto_s3.store(client=FaultyClient(moto_s3.client(), faults)).check()
    assert caught.value.code == "store.credentials_expired"


def test_a_wrong_clock_is_told_with_its_cure(moto_s3):
    with Faults(Fault("list_objects_v2", answered("RequestTimeTooSkewed", 403))) as faults:
        with pytest.raises(Unavailable) as caught:
            moto_s3.store(client=FaultyClient(moto_s3.client(), faults)).check()
    assert (caught.value.code, "timedatectl" in caught.value.hint) == ("store.clock", True)


def test_a_missing_bucket_is_told_with_the_playbook_that_makes_it(s3):
    store = s3.store("no-such-bucket")
    for act in (lambda: store.check(write=False), lambda: list(store.list("")), lambda: store.put(KEY, [b"x"])):
        with pytest.raises(ConfigError) as caught:
            act()
        assert caught.value.code == "store.no_bucket"
        assert "restorable.postgres.bucket" in caught.value.hint


def test_a_right_to_list_that_is_missing_is_found_before_anything_is_written(s3):
    bucket = s3.bucket()
    client = Denying(s3.client(), ["list_objects_v2"])
    for write in (False, True):
        with pytest.raises(ConfigError) as caught:
            s3.store(bucket, client=client).check(write=write)
        assert (caught.value.code, "s3:ListBucket" in caught.value.hint) == ("store.denied", True)
    assert keys(s3.store(bucket)) == [] and client.denied


def test_who_may_write_and_list_but_not_read_can_store_and_is_kept_from_overwriting(moto_s3):
    bucket = moto_s3.bucket()
    client = Denying(moto_s3.client(), ["head_object", "get_object"])
    store = moto_s3.store(bucket, client=client)
    store.put(KEY, [b"first"])
    with pytest.raises(Refused) as caught:
        store.put(KEY, [b"second"])
    assert caught.value.code == "store.exists"
    assert read(moto_s3.store(bucket), KEY) == b"first" and client.denied


def test_without_credentials_the_places_where_they_are_looked_for_are_named(moto_s3, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    store = moto_s3.store("any", access_key_id=None, secret_access_key=None)
    with pytest.raises(ConfigError) as caught:
        store.check()
    assert (caught.value.code, "credentials_file" in caught.value.hint) == ("store.no_credentials", True)


@pytest.mark.parametrize("way", ["variables", "file", "profile"])
def test_credentials_come_from_variables_files_and_profiles(rclone_s3, monkeypatch, tmp_path, way):
    secret = rclone_s3.settings("any")["secret_access_key"]
    path = tmp_path / "credentials"
    name = "backup" if way == "profile" else "default"
    path.write_text(f"[{name}]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {secret}\n")
    path.chmod(0o600)
    more = {"access_key_id": None, "secret_access_key": None}
    if way == "variables":
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    elif way == "file":
        more["credentials_file"] = str(path)
    else:
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
        more["profile"] = name
    store = rclone_s3.store(rclone_s3.bucket(), **more)
    store.put(KEY, [b"x"])
    assert read(store, KEY) == b"x"


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_credentials_file_that_others_can_read_is_refused(moto_s3, tmp_path, mode):
    path = tmp_path / "credentials"
    path.write_text("[default]\n")
    path.chmod(mode)
    store = moto_s3.store("any", access_key_id=None, secret_access_key=None, credentials_file=str(path))
    with pytest.raises(ConfigError, match=f"{mode:04o}") as caught:
        store.check()
    assert f"chmod 0600 {path}" in caught.value.hint


def test_without_boto3_the_package_is_named(moto_s3, monkeypatch):
    monkeypatch.setitem(sys.modules, "botocore.exceptions", None)     # boto3 is made of botocore
    with pytest.raises(ConfigError) as caught:
        S3Store(moto_s3.repository("any")).check()
    assert (caught.value.code, "pip install boto3" in caught.value.hint) == ("store.no_boto3", True)


def test_a_prefix_that_begins_alike_is_another_repository(s3):
    bucket = s3.bucket()
    one, other = s3.store(bucket, prefix="backup"), s3.store(bucket, prefix="backup-prod/")
    one.put(KEY, [b"one"])
    other.put(KEY, [b"other"])
    s3.client().put_object(Bucket=bucket, Key="backup.txt", Body=b"x")
    assert (keys(one), keys(other)) == ([KEY], [KEY])
    one.delete(KEY)
    assert (keys(one), read(other, KEY)) == ([], b"other")


def test_in_a_versioned_bucket_what_is_deleted_is_gone_and_older_markers_hide_nothing(moto_s3):
    bucket = moto_s3.bucket()
    client = moto_s3.client()
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    store = moto_s3.store(bucket)
    store.put(KEY, [b"hidden by somebody"])
    client.delete_object(Bucket=bucket, Key=KEY)                # leaves a marker and the version
    assert keys(store) == []
    store.put(KEY, [b"again"])
    assert (keys(store), read(store, KEY)) == ([KEY], b"again")
    store.delete(KEY)
    assert keys(store) == []
    versions = client.list_object_versions(Bucket=bucket)
    assert [each["Size"] for each in versions["Versions"]] == [len(b"hidden by somebody")]
    assert len(versions["DeleteMarkers"]) == 1


@pytest.fixture
def locked(moto_s3):
    """A store in a bucket with object lock."""
    return moto_s3.store(moto_s3.bucket(ObjectLockEnabledForBucket=True), object_lock=LOCK, part_size=5)


@pytest.mark.parametrize("data", [b"small", bytes(6 * 1024 * 1024)], ids=["small", "large"])
def test_a_locked_backup_cannot_be_deleted_and_says_until_when(locked, data):
    locked.put(KEY, [data])
    with pytest.raises(Refused) as caught:
        locked.delete(KEY)
    assert caught.value.code == "store.retained"
    until = datetime.fromisoformat(caught.value.details["until"])
    assert abs(until - (datetime.now(timezone.utc) + timedelta(days=7))) < timedelta(minutes=5)
    assert read(locked, KEY) == data


def test_what_must_go_one_day_is_not_locked(locked):
    for key in ("shop/cluster.json", "shop/hold/x.json", "shop/prune/x.json"):
        locked.put(key, [b"x"])
        locked.delete(key)
    assert keys(locked) == []


def test_a_lock_is_made_longer_and_never_shorter(locked):
    locked.put(KEY, [b"x"])
    until = NOW + timedelta(days=35)
    assert locked.locks.extend([KEY], until) == 1
    assert locked.locks.extend([KEY], NOW + timedelta(days=20)) == 0
    with pytest.raises(Refused) as caught:
        locked.delete(KEY)
    assert datetime.fromisoformat(caught.value.details["until"]) == until


def test_a_legal_hold_keeps_what_no_lock_keeps_until_it_is_released(moto_s3):
    store = moto_s3.store(moto_s3.bucket(ObjectLockEnabledForBucket=True), object_lock={"weekly": 35})
    store.put(KEY, [b"x"])
    for _twice in range(2):
        store.locks.hold([KEY], on=True)
    with pytest.raises(Refused) as caught:
        store.delete(KEY)
    assert caught.value.details["until"] == "a legal hold"
    store.locks.hold([KEY], on=False)
    store.delete(KEY)
    assert keys(store) == []


def test_uploads_that_a_dead_writer_left_are_aborted_by_a_check_and_running_ones_are_not(rclone_s3):
    bucket = rclone_s3.bucket()
    client = rclone_s3.client()
    for key in ("mine/shop/x", "other/shop/x"):
        client.create_multipart_upload(Bucket=bucket, Key=key)
    rclone_s3.store(bucket, prefix="mine").check()
    assert len(client.list_multipart_uploads(Bucket=bucket)["Uploads"]) == 2
    later = datetime.now(timezone.utc) + timedelta(days=2)
    rclone_s3.store(bucket, prefix="mine", now=lambda: later).check()
    assert [each["Key"] for each in client.list_multipart_uploads(Bucket=bucket)["Uploads"]] == ["other/shop/x"]


def test_a_check_leaves_nothing_and_needs_no_right_to_clean_up(s3):
    bucket = s3.bucket()
    client = Denying(s3.client(), ["list_multipart_uploads"])
    store = s3.store(bucket, client=client)
    store.check()
    assert client.denied and s3.client().list_objects_v2(Bucket=bucket).get("KeyCount", 0) == 0
    # moto keeps If-None-Match, rclone does not
    assert store.conditional is (s3.maker == "moto")


def test_what_settings_ask_for_is_what_an_object_has(moto_s3):
    bucket = moto_s3.bucket()
    store = moto_s3.store(bucket, sse="aws:kms", kms_key_id="key-1", storage_class="STANDARD_IA",
                          tags={"team": "db ops: a+b=c"}, part_size=5)
    for key, size in (("shop/small", 10), ("shop/large", 6 * 1024 * 1024)):
        store.put(key, [bytes(size)])
        head = moto_s3.client().head_object(Bucket=bucket, Key=key)
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"], head["StorageClass"]) == (
            "aws:kms", "key-1", "STANDARD_IA")
        assert moto_s3.client().get_object_tagging(Bucket=bucket, Key=key)["TagSet"] == [
            {"Key": "team", "Value": "db ops: a+b=c"}]
        assert len(read(store, key)) == size


def test_an_endpoint_without_a_certificate_that_is_trusted_is_refused(moto_s3):
    url = moto_s3.url.replace("http://", "https://")
    with pytest.raises((ConfigError, Unavailable)) as caught:
        moto_s3.store("any", endpoint_url=url, retries=0).check()
    assert caught.value.code in ("store.tls", "store.unreachable")


def test_moto_itself_refuses_what_a_lock_forbids(moto_s3, locked):
    # what the tests above rely on: it is the server that says no
    locked.put(KEY, [b"x"])
    client, bucket = moto_s3.client(), locked.settings.bucket
    version = client.head_object(Bucket=bucket, Key=KEY)["VersionId"]
    with pytest.raises(ClientError, match="AccessDenied"):
        client.delete_object(Bucket=bucket, Key=KEY, VersionId=version)


@pytest.mark.parametrize("data", [b"small", bytes(6 * 1024 * 1024)], ids=["small", "large"])
def test_a_bucket_that_locks_all_that_comes_is_as_fit_as_another(moto_s3, data):
    bucket = moto_s3.bucket(ObjectLockEnabledForBucket=True)
    moto_s3.client().put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration={
        "ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}})
    store = moto_s3.store(bucket, part_size=5)
    store.check()                      # the few bytes of the check stay until their lock ends, and show in no listing
    assert (store.conditional, keys(store)) == (True, [])
    store.put(KEY, [data])
    assert read(store, KEY) == data
    if data == b"small":               # moto forgets a bucket's own lock where an object came in parts
        with pytest.raises(Refused) as caught:
            store.delete(KEY)
        assert caught.value.code == "store.retained"
