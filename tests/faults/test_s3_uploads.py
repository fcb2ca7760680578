# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Multipart uploads that nobody ends are aborted; running ones, and those that are another's business, are left."""
from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from _restorable.errors import ConfigError, Unavailable
from kit.faulty_s3 import Changed, answered, denied

KEY = "shop/backup/20261120T030000Z-dump/app.dump.zst"


def begun(s3, bucket, key=KEY, parts=0):
    """Begin an upload with this many parts. moto tells that every one began in 2010."""
    client = s3.client()
    upload = client.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    for number in range(1, parts + 1):
        client.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=b"x")
    return upload


def left(s3, bucket):
    """Return the ids of the uploads that are there."""
    return [each["UploadId"] for each in s3.client().list_multipart_uploads(Bucket=bucket).get("Uploads", ())]


def in_days(days):
    later = datetime.now(timezone.utc) + timedelta(days=days)
    return lambda: later


def test_an_upload_that_began_long_ago_and_still_gets_parts_runs_on(moto_s3):
    bucket = moto_s3.bucket()
    running, dead = begun(moto_s3, bucket, parts=3), begun(moto_s3, bucket, f"{KEY}.dead")
    one = Changed(moto_s3.client(), list_parts=lambda real, **words: real(**words, MaxParts=1))
    store = moto_s3.store(bucket, client=one)
    store.check()
    assert (left(moto_s3, bucket), dead != running, store.notes) == ([running], True, ())


def test_an_upload_whose_newest_part_is_old_is_aborted(s3):
    bucket = s3.bucket()
    begun(s3, bucket, parts=2)
    store = s3.store(bucket, now=in_days(2))
    store.check()
    assert (left(s3, bucket), store.notes) == ([], ())


def test_uploads_are_found_on_every_page(rclone_s3):
    bucket = rclone_s3.bucket()
    for number in range(3):
        begun(rclone_s3, bucket, f"{KEY}.{number}")
    asked = []

    def one(real, **words):
        asked.append(words)
        return real(**words, MaxUploads=1)

    rclone_s3.store(bucket, client=Changed(rclone_s3.client(), list_multipart_uploads=one), now=in_days(2)).check()
    assert (left(rclone_s3, bucket), len(asked)) == ([], 3)


@pytest.mark.parametrize("verb", ["abort_multipart_upload", "list_parts"])
def test_who_may_not_clean_up_is_told_and_goes_on(s3, verb):
    bucket = s3.bucket()
    uploads = [begun(s3, bucket, f"{KEY}.{number}") for number in range(2)]
    store = s3.store(bucket, client=Changed(s3.client(), **{verb: denied}), now=in_days(2))
    store.check()
    assert sorted(left(s3, bucket)) == sorted(uploads)
    assert len(store.notes) == 1 and f"{verb} was denied, so 2 multipart uploads" in store.notes[0]


@pytest.mark.parametrize("verb", ["abort_multipart_upload", "list_parts"])
def test_an_upload_that_ends_meanwhile_is_no_trouble(s3, verb):
    bucket = s3.bucket()
    upload = begun(s3, bucket)

    def gone(real, **words):
        s3.client().abort_multipart_upload(Bucket=bucket, Key=KEY, UploadId=upload)
        return real(**words)

    store = s3.store(bucket, client=Changed(s3.client(), **{verb: gone}), now=in_days(2))
    store.check()
    assert (left(s3, bucket), store.notes) == ([], ())


@pytest.mark.parametrize("verb", ["abort_multipart_upload", "list_parts", "list_multipart_uploads"])
def test_an_endpoint_that_fails_while_it_is_cleaned_up_is_not_trusted(moto_s3, verb):
    bucket = moto_s3.bucket()
    begun(moto_s3, bucket)

    def broken(_real, **_words):
        raise answered("SlowDown", 503)

    with pytest.raises(Unavailable) as caught:
        moto_s3.store(bucket, client=Changed(moto_s3.client(), **{verb: broken}), now=in_days(2)).check()
    assert caught.value.code == "store.busy"


def test_a_probe_that_may_not_be_read_is_an_error_that_names_the_right(s3):
    bucket = s3.bucket()
    with pytest.raises(ConfigError) as caught:
        s3.store(bucket, client=Changed(s3.client(), get_object=denied)).check()
    assert (caught.value.code, "s3:GetObject" in caught.value.hint) == ("store.denied", True)
    assert s3.client().list_objects_v2(Bucket=bucket).get("KeyCount", 0) == 0
