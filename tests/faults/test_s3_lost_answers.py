# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An answer that is lost although its request did its work: the object is stored once, and known as ours."""
from __future__ import annotations

import os

import pytest

from _restorable.errors import Refused, Unavailable
from kit.faulty_s3 import PASSING, BrokenFrom, Changed, denied

KEY = "shop/backup/20261120T030000Z-dump/app.dump.zst"
MIB = 1024 * 1024
SMALL, LARGE = os.urandom(1000), os.urandom(5 * MIB + 1000)    # one request; two parts
ENDINGS = {"put_object", "complete_multipart_upload"}


@pytest.fixture
def bucket(moto_s3):
    """A bucket with versions."""
    name = moto_s3.bucket()
    moto_s3.client().put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def write_only(client):
    """Return a client whose credential may write and list, and neither read nor delete."""
    return Changed(client, head_object=denied, get_object=denied, delete_object=denied, list_object_versions=denied)


def unconditional(client):
    """Return a client of an endpoint that does not know If-None-Match, and so overwrites."""
    def put(real, IfNoneMatch=None, **words):
        return real(**words)
    return Changed(client, put_object=put, complete_multipart_upload=put)


def sizes(s3, bucket):
    """Return the sizes of all versions that are there; markers have none."""
    page = s3.client().list_object_versions(Bucket=bucket)
    return [each["Size"] for each in page.get("Versions", ())] + [None for _each in page.get("DeleteMarkers", ())]


def calls_of(s3, wrapped, data, *, conditional):
    """Return the calls of a put that nothing disturbs."""
    with BrokenFrom(wrapped(s3.client()), 0, 0, PASSING["reset"]) as counting:
        counting.struck.append("none")
        stored(s3, s3.bucket(), counting, data, conditional=conditional)
    return counting.calls


def stored(s3, bucket, client, data, *, conditional=False, key=KEY, **settings):
    """Put with a store that knows, or does not, that the endpoint refuses a second put by itself."""
    store = s3.store(bucket, client=client, part_size=5, parallel=1, **settings)
    store.conditional = conditional
    return store.put(key, [data])


@pytest.mark.parametrize("conditional", [True, False], ids=["asked", "not-asked"])
@pytest.mark.parametrize("data", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("fault", ["500", "reset"])
def test_a_write_only_credential_survives_a_lost_answer(moto_s3, fault, data, conditional):
    calls = calls_of(moto_s3, write_only, data, conditional=conditional)
    assert ENDINGS & set(calls)
    for position, verb in enumerate(calls):
        bucket = moto_s3.bucket()
        moto_s3.client().put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        if verb == "head_object":
            continue                   # it is denied at once, so no answer is lost
        with BrokenFrom(write_only(moto_s3.client()), position, 1, PASSING[fault], late=True) as client:
            assert stored(moto_s3, bucket, client, data, conditional=conditional).size == len(data)
        assert client.struck == [verb]
        assert sizes(moto_s3, bucket) == [len(data)], verb


@pytest.mark.parametrize("wrapped", [unconditional, lambda client: write_only(unconditional(client))],
                         ids=["reads", "write-only"])
@pytest.mark.parametrize("data", [SMALL, LARGE], ids=["small", "large"])
def test_an_endpoint_that_overwrites_gets_no_second_version(moto_s3, data, wrapped):
    for position, verb in enumerate(calls_of(moto_s3, wrapped, data, conditional=False)):
        if verb not in ENDINGS:
            continue
        bucket = moto_s3.bucket()
        moto_s3.client().put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        with BrokenFrom(wrapped(moto_s3.client()), position, 1, PASSING["timeout"], late=True) as client:
            stored(moto_s3, bucket, client, data)
        assert (client.struck, sizes(moto_s3, bucket)) == ([verb], [len(data)])


def test_another_writer_is_not_taken_for_us_after_a_lost_answer(moto_s3, bucket):
    def lost(real, **words):
        if not sizes(moto_s3, bucket):
            moto_s3.client().put_object(Bucket=bucket, Key=KEY, Body=b"of another writer")
            raise PASSING["reset"]()
        return real(**words)

    for wrapped, kind, code in ((lambda client: client, Refused, "store.exists"),
                                (write_only, Unavailable, "store.unclear")):
        with pytest.raises(kind) as caught:
            stored(moto_s3, bucket, Changed(wrapped(moto_s3.client()), put_object=lost), SMALL, conditional=True)
        assert caught.value.code == code
        assert sizes(moto_s3, bucket) == [len(b"of another writer")]
        moto_s3.client().delete_object(Bucket=bucket, Key=KEY,
                                       VersionId=moto_s3.client().head_object(Bucket=bucket, Key=KEY)["VersionId"])


def test_the_same_bytes_of_another_writer_are_refused_where_no_answer_was_lost(moto_s3, bucket):
    moto_s3.client().put_object(Bucket=bucket, Key=KEY, Body=SMALL)
    with pytest.raises(Refused) as caught:
        stored(moto_s3, bucket, write_only(moto_s3.client()), SMALL, conditional=True)
    assert caught.value.code == "store.exists"


def test_a_put_that_fails_after_all_takes_its_own_version_away(moto_s3, bucket):
    # what an endpoint says nothing of is read; who may delete and not look knows the version by the answer
    def silent(real, **words):
        return {**real(**words), "ETag": "", "ChecksumSHA256": ""}

    client = Changed(moto_s3.client(), put_object=silent, get_object=denied, head_object=denied)
    with pytest.raises(Exception, match="get_object was denied"):
        stored(moto_s3, bucket, client, SMALL, conditional=True)
    assert sizes(moto_s3, bucket) == []


@pytest.mark.parametrize("wrapped", [lambda client: client, unconditional], ids=["conditional", "overwrites"])
def test_a_check_leaves_no_version_of_its_probe(moto_s3, bucket, wrapped):
    moto_s3.store(bucket, client=wrapped(moto_s3.client())).check()
    assert sizes(moto_s3, bucket) == []


@pytest.mark.parametrize("position", range(1, 7))
def test_a_check_that_loses_an_answer_leaves_no_version_of_its_probe(moto_s3, bucket, position):
    with BrokenFrom(moto_s3.client(), position, 1, PASSING["reset"], late=True) as client:
        store = moto_s3.store(bucket, client=client)
        store.check()
    assert (store.conditional, sizes(moto_s3, bucket)) == (True, []), client.struck


def test_an_object_of_before_versions_were_kept_is_deleted_and_not_hidden(moto_s3):
    bucket = moto_s3.bucket()
    moto_s3.store(bucket).put(KEY, [SMALL])
    moto_s3.client().put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    # AWS calls the version of such an object null, moto leaves it out
    client = Changed(moto_s3.client(), head_object=lambda real, **words: {"VersionId": "null", **real(**words)})
    moto_s3.store(bucket, client=client).delete(KEY)
    assert sizes(moto_s3, bucket) == []
