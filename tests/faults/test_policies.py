# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policies of docs/security.md, enforced by moto: each identity can do its work and nothing beyond it."""
from __future__ import annotations

import json
import urllib.request
from datetime import datetime, timedelta, timezone
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from _restorable.errors import ConfigError, Refused
from kit import s3_servers
from kit.chain import NAME, Chain
from kit.faulty_s3 import answered

POLICIES = Path(__file__).parents[2] / "docs" / "policies"
PREFIX = "postgres/"
SECRETS = "access_key_id", "secret_access_key"


LOCK = {"mode": "governance", "days": 7, "weekly": 35}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A moto of our own that asks every request for its policy, buckets in it, and credentials by policy and bucket."""
    with s3_servers.moto(tmp_path_factory.mktemp("guarded")) as server:
        buckets = {"versions": server.bucket(), "locks": server.bucket(ObjectLockEnabledForBucket=True)}
        iam = boto3.client("iam", endpoint_url=server.url, region_name="us-east-1", aws_access_key_id="root",
                           aws_secret_access_key="root")
        keys = {}
        for kind, bucket in buckets.items():
            server.client().put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
            for path in sorted(POLICIES.glob("*.json")):
                user = f"{kind}-{path.stem}"
                iam.create_user(UserName=user)
                text = path.read_text().replace("BUCKET", bucket).replace("PREFIX", PREFIX)
                iam.put_user_policy(UserName=user, PolicyName="only", PolicyDocument=text)
                made = iam.create_access_key(UserName=user)["AccessKey"]
                keys[kind, path.stem] = dict(zip(SECRETS, (made["AccessKeyId"], made["SecretAccessKey"])))
        # a role that somebody assumes for a time, with the rights of a database host
        role = iam.create_role(RoleName="host", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        iam.put_role_policy(RoleName="host", PolicyName="only", PolicyDocument=(
            POLICIES / "backup-host.json").read_text().replace("BUCKET", buckets["versions"]).replace("PREFIX", PREFIX))
        sts = boto3.client("sts", endpoint_url=server.url, region_name="us-east-1", aws_access_key_id="root",
                           aws_secret_access_key="root")
        made = sts.assume_role(RoleArn=role, RoleSessionName="tonight")["Credentials"]
        keys["session"] = dict(zip((*SECRETS, "session_token"), (
            made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])))
        # the auditor of these tests sees everything
        iam.create_user(UserName="auditor")
        iam.put_user_policy(UserName="auditor", PolicyName="all", PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}))
        made = iam.create_access_key(UserName="auditor")["AccessKey"]
        keys["auditor"] = dict(zip(SECRETS, (made["AccessKeyId"], made["SecretAccessKey"])))
        urllib.request.urlopen(urllib.request.Request(f"{server.url}/moto-api/reset-auth", data=b"0", method="POST",
                                                      headers={"Content-Type": "text/plain"}))
        yield server, buckets, keys


@pytest.fixture
def as_host(guarded, good):
    """A function that returns the chain with the credential of one policy, in the bucket of a kind."""
    server, buckets, keys = guarded

    def as_host(policy, kind="versions", **more) -> Chain:
        words = {"prefix": PREFIX, **more, **keys[kind, policy]}
        good.body["repositories"] = {"offsite": server.settings(buckets[kind], **words)}
        good.body["state_dir"] = str(good.folder / "state")
        return good
    return as_host


@pytest.fixture
def client(guarded):
    """A function that returns a bare client with the credential of one policy."""
    server, buckets, keys = guarded
    return lambda policy, kind="versions": server.client(buckets[kind], **keys[kind, policy])


@pytest.fixture
def bucket(guarded):
    """The name of the bucket with versions and no locks."""
    return guarded[1]["versions"]


@pytest.fixture
def auditor(guarded):
    """A client that may do everything."""
    server, buckets, keys = guarded
    return server.client(buckets["versions"], **keys["auditor"])


def versions(client, bucket):
    """Return (key, size) of every version that is there, and the key of every delete marker with size None."""
    page = client.list_object_versions(Bucket=bucket)
    assert not page["IsTruncated"]
    return ([(each["Key"], each["Size"]) for each in page.get("Versions", ())] +
            [(each["Key"], None) for each in page.get("DeleteMarkers", ())])


def denied(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"] == "AccessDenied"


def test_each_identity_does_its_work_and_nothing_beyond_it(as_host, client, bucket, auditor):
    host = as_host("backup-host")
    for _again in range(2):
        status, out, err = host.run("backup")
        assert (status, "warning" in err) == (0, False), err
    keys = [each["Key"] for each in client("backup-host").list_objects_v2(Bucket=bucket)["Contents"]]
    data = next(key for key in keys if "/globals.sql" in key)
    manifest = next(key for key in keys if key.endswith("manifest.json"))
    for policy in ("backup-host", "prune-host"):
        assert denied(client(policy).get_object, Bucket=bucket, Key=data)
    for policy in ("backup-host", "drill-host"):
        for key in (data, manifest, next(key for key in keys if "/journal/" in key)):
            assert denied(client(policy).delete_object, Bucket=bucket, Key=key)
    for policy in ("prune-host", "drill-host"):
        assert denied(client(policy).put_object, Bucket=bucket, Key=f"{PREFIX}{NAME}/backup/x/manifest.json", Body=b"x")
    # a database host that somebody else rules forges no verdict, hold or record, and gives no old set a new manifest
    backup = manifest.split("/")[-2]
    for name in (f"drill/20261206T040000Z.{backup}.failed.json", "drill/backup/x.json", "hold/x.json", "prune/x.json",
                 f"backup/{backup}/verify.20261206T040000Z.damaged.json", f"backup/{backup}/manifest.1.json",
                 f"wal/00000001/0000000100000000/{'0' * 24}-{'0' * 32}.zst.r1.k9c1f03ab.age", "elsewhere"):
        assert denied(client("backup-host").put_object, Bucket=bucket, Key=f"{PREFIX}{NAME}/{name}", Body=b"x"), name
    status, _out, err = host.run("restore", "--database", "any", "--into", "other")
    assert status != 0, err
    auditor.create_multipart_upload(Bucket=bucket, Key=f"{PREFIX}given-up")    # by moto's word in 2010
    status, out, err = as_host("drill-host").run("drill")
    assert (status, "warning" in err, "list_parts was denied, so a multipart upload" in out) == (0, False, True), out
    old, kept = sorted({key.split("/")[3] for key in keys if "/backup/" in key})
    host = as_host("prune-host")
    host.own["retention"] = {"dump": {"last": 1, "min_keep": 0, "min_age": "0", "max_delete_percent": 100}}
    status, out, err = host.run("prune")
    assert (status, "1 backup deleted" in out) == (0, True), out + err
    assert auditor.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []
    left = versions(auditor, bucket)
    assert [each for each in left if f"/backup/{old}/" in each[0] or "/probe-" in each[0] or each[1] is None] == []
    assert any(f"/backup/{kept}/" in key for key, _size in left)
    assert as_host("drill-host").run("audit")[0] == 0


def test_a_host_that_cannot_delete_leaves_what_was_unfinished_to_the_one_that_can(as_host, client, bucket, auditor):
    orphan = f"{PREFIX}{NAME}/backup/20200101T000000Z-dump/any.dump.zst"
    client("backup-host").put_object(Bucket=bucket, Key=orphan, Body=b"half")
    status, _out, err = as_host("backup-host").run("backup")
    assert status == 0, err
    assert orphan in [each["Key"] for each in client("drill-host").list_objects_v2(Bucket=bucket)["Contents"]]
    assert as_host("prune-host").run("prune", "--confirm")[0] == 0
    assert orphan not in [each["Key"] for each in client("drill-host").list_objects_v2(Bucket=bucket)["Contents"]]
    assert orphan not in [key for key, _size in versions(auditor, bucket)]


def test_each_identity_does_its_work_in_a_bucket_that_locks(as_host, guarded, auditor):
    server, buckets, keys = guarded
    bucket = buckets["locks"]

    def store(policy):
        return server.store(bucket, prefix=PREFIX, object_lock=LOCK, **keys["locks", policy])

    def locked(key):
        until = auditor.get_object_retention(Bucket=bucket, Key=PREFIX + key)["Retention"]["RetainUntilDate"]
        return round((until - datetime.now(timezone.utc)) / timedelta(days=1))

    status, _out, err = as_host("backup-host", "locks", object_lock=LOCK).run("backup")
    assert (status, "warning" in err) == (0, False), err
    evidence = f"{NAME}/drill/20261120T030000Z-x.json"
    store("drill-host").put(evidence, [b"{}"])
    data = next(entry.key for entry in store("prune-host").list("") if "/globals.sql" in entry.key)
    assert (locked(data), locked(evidence)) == (7, 7)
    host = as_host("prune-host", "locks", object_lock=LOCK)
    for words, state in ((("--reason", "trial"), "ON"), (("--release",), "OFF")):
        status, _out, err = host.run("hold", "latest", *words)
        assert (status, "warning" in err) == (0, False), err
        told = auditor.get_object_legal_hold(Bucket=bucket, Key=PREFIX + data)["LegalHold"]["Status"]
        assert told == state
        with pytest.raises(Refused) as caught:
            store("prune-host").delete(data)
        assert (caught.value.code, caught.value.details["until"] == "a legal hold") == ("store.retained", state == "ON")
    until = datetime.now(timezone.utc) + timedelta(days=35)
    assert [store("prune-host").locks.extend([data], until, slack=timedelta(hours=1)) for _twice in range(2)] == [1, 0]
    assert locked(data) == 35


def test_who_may_neither_read_nor_ask_for_versions_hides_nothing(guarded, auditor):
    server, buckets, keys = guarded
    key = f"{PREFIX}hidden/cluster.json"
    stored = auditor.put_object(Bucket=buckets["versions"], Key=key, Body=b"x")["VersionId"]
    settings = {"prefix": f"{PREFIX}hidden", **keys["versions", "prune-host"]}
    blind = Blind(server.client(buckets["versions"], **keys["versions", "prune-host"]))
    with pytest.raises(ConfigError, match="has versions") as caught:
        server.store(buckets["versions"], client=blind, **settings).delete("cluster.json")
    assert (caught.value.code, "s3:ListBucketVersions" in caught.value.hint) == ("store.denied", True)
    assert auditor.head_object(Bucket=buckets["versions"], Key=key)["VersionId"] == stored
    assert [each for each in versions(auditor, buckets["versions"]) if each[0] == key] == [(key, 1)]


def test_keys_of_a_session_work_with_their_token_alone(guarded):
    server, buckets, keys = guarded
    session = {"prefix": PREFIX, **keys["session"]}
    store = server.store(buckets["versions"], **session)
    store.check()
    assert store.put("session/cluster.json", [b"{}"]).size == 2
    for change in ({"session_token": "another"}, {"session_token": None}):
        with pytest.raises(ConfigError) as caught:
            server.store(buckets["versions"], **{**session, **change}).check()
        assert caught.value.code in ("store.credentials_expired", "store.credentials")
        assert session["session_token"] not in caught.value.message + caught.value.hint


class Blind:
    """A client whose rights lack what tells versions."""

    def __init__(self, inner):
        self._inner = inner

    def __getattr__(self, verb):
        return getattr(self._inner, verb)

    def head_object(self, **_arguments):
        raise answered("AccessDenied", 403)

    list_object_versions = head_object
