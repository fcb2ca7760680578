# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policies of docs/security.md, enforced by moto: each identity can do its work and nothing beyond it."""
from __future__ import annotations

import urllib.request
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from kit import s3_servers
from kit.chain import NAME, Chain

POLICIES = Path(__file__).parents[2] / "docs" / "policies"
PREFIX = "postgres/"
SECRETS = "access_key_id", "secret_access_key"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A moto of our own that asks every request for its policy, a bucket in it, and credentials by policy."""
    with s3_servers.moto(tmp_path_factory.mktemp("guarded")) as server:
        bucket = server.bucket()
        server.client().put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        iam = boto3.client("iam", endpoint_url=server.url, region_name="us-east-1", aws_access_key_id="root",
                           aws_secret_access_key="root")
        keys = {}
        for path in sorted(POLICIES.glob("*.json")):
            iam.create_user(UserName=path.stem)
            text = path.read_text().replace("BUCKET", bucket).replace("PREFIX", PREFIX)
            iam.put_user_policy(UserName=path.stem, PolicyName="only", PolicyDocument=text)
            made = iam.create_access_key(UserName=path.stem)["AccessKey"]
            keys[path.stem] = dict(zip(SECRETS, (made["AccessKeyId"], made["SecretAccessKey"])))
        urllib.request.urlopen(urllib.request.Request(f"{server.url}/moto-api/reset-auth", data=b"0", method="POST",
                                                      headers={"Content-Type": "text/plain"}))
        yield server, bucket, keys


@pytest.fixture
def as_host(guarded, good):
    """A function that returns the chain with the credential of one policy."""
    server, bucket, keys = guarded

    def as_host(policy) -> Chain:
        good.body["repositories"] = {"offsite": server.settings(bucket, prefix=PREFIX, **keys[policy])}
        good.body["state_dir"] = str(good.folder / "state")
        return good
    return as_host


@pytest.fixture
def client(guarded):
    """A function that returns a bare client with the credential of one policy."""
    server, bucket, keys = guarded
    return lambda policy: server.client(bucket, **keys[policy])


def denied(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"] == "AccessDenied"


def test_each_identity_does_its_work_and_nothing_beyond_it(as_host, client, guarded):
    bucket = guarded[1]
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
    status, _out, err = host.run("restore", "--database", "any", "--into", "other")
    assert status != 0, err
    status, out, err = as_host("drill-host").run("drill")
    assert (status, "warning" in err) == (0, False), err
    host = as_host("prune-host")
    host.own["retention"] = {"dump": {"last": 1, "min_keep": 0, "min_age": "0", "max_delete_percent": 100}}
    status, out, err = host.run("prune")
    assert (status, "1 backup deleted" in out) == (0, True), out + err
    assert as_host("drill-host").run("audit")[0] == 0


def test_a_host_that_cannot_delete_leaves_what_was_unfinished_to_the_one_that_can(as_host, client, guarded):
    bucket = guarded[1]
    orphan = f"{PREFIX}{NAME}/backup/20200101T000000Z-dump/any.dump.zst"
    client("backup-host").put_object(Bucket=bucket, Key=orphan, Body=b"half")
    status, _out, err = as_host("backup-host").run("backup")
    assert status == 0, err
    assert orphan in [each["Key"] for each in client("drill-host").list_objects_v2(Bucket=bucket)["Contents"]]
    assert as_host("prune-host").run("prune", "--confirm")[0] == 0
    assert orphan not in [each["Key"] for each in client("drill-host").list_objects_v2(Bucket=bucket)["Contents"]]
