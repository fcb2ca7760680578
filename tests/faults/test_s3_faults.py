# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An S3 endpoint that fails at every call: what can be sent again is, and what fails for good leaves nothing."""
from __future__ import annotations

import hashlib
import io
import os

import pytest
from botocore.response import StreamingBody

from _restorable.errors import ConfigError, Damaged, Refused, Unavailable
from kit.fault import Fault, Faults
from kit.faulty_s3 import PASSING, BrokenFrom, FaultyClient, answered

KEY = "shop/backup/20261120T030000Z-dump/app.dump.zst"
MIB = 1024 * 1024
SMALL, LARGE = os.urandom(1000), os.urandom(5 * MIB + 1000)    # one request; two parts
NOWHERE = 10 ** 6


def stream(data):
    """Yield data in chunks, as a dump comes."""
    for begin in range(0, len(data), MIB):
        yield data[begin:begin + MIB]


def calls_of(s3, data):
    """Return how many calls a put of these bytes makes, and the calls."""
    counting = BrokenFrom(s3.client(), NOWHERE, 1, PASSING["500"])
    s3.store(client=counting, part_size=5, parallel=1).put(KEY, stream(data))
    return counting.calls


def content(s3, bucket, key=KEY):
    """Return what is really there, or None."""
    store = s3.store(bucket)
    return b"".join(store.get(key)) if [entry.key for entry in store.list(key)] else None


def uploads(s3, bucket):
    """Return the multipart uploads that were begun and neither completed nor aborted."""
    client = s3.client()
    try:
        return [each["Key"] for each in client.list_multipart_uploads(Bucket=bucket).get("Uploads", [])]
    except client.exceptions.ClientError as error:
        assert "NoSuchUpload" in str(error)            # rclone, where none was ever begun
        return []


@pytest.mark.parametrize("late", [False, True], ids=["not-done", "answer-lost"])
@pytest.mark.parametrize(("fault", "data"), [
    *(pytest.param(each, SMALL, id=f"{each}-small") for each in PASSING),
    *(pytest.param(each, LARGE, id=f"{each}-large") for each in ("503", "timeout"))])
def test_a_failure_of_any_one_call_is_survived(s3, data, fault, late):
    bucket = s3.bucket()
    for position, verb in enumerate(calls_of(s3, data)):
        key = f"{KEY}.{position}"
        client = BrokenFrom(s3.client(), position, 1, PASSING[fault], late=late)
        stored = s3.store(bucket, client=client, part_size=5, parallel=1).put(key, stream(data))
        assert client.struck == [verb]
        assert stored.sha256 == hashlib.sha256(data).hexdigest()
        assert content(s3, bucket, key) == data
    # an answer to create_multipart_upload that is lost leaves an upload that nobody knows; check finds it by its age
    assert len(uploads(s3, bucket)) == (1 if late and data is LARGE else 0)


@pytest.mark.parametrize("data", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize(("fault", "kind"), [("503", Unavailable), ("denied", ConfigError)])
def test_a_call_that_fails_for_good_leaves_nothing_visible(s3, data, fault, kind):
    bucket = s3.bucket()
    error = {**PASSING, "denied": lambda: answered("AccessDenied", 403)}[fault]
    calls = calls_of(s3, data)
    for position, verb in enumerate(calls):
        key = f"{KEY}.{position}"
        # six times is once more than a call is made again; what comes after, such as the abort, works. Before the last
        # call of a put is made again, the key is looked at
        times = 11 if verb in ("put_object", "complete_multipart_upload") else 6
        client = BrokenFrom(s3.client(), position, times if fault in PASSING else 1, error)
        store = s3.store(bucket, client=client, part_size=5, parallel=1)
        if (fault, verb) == ("denied", "head_object"):
            store.put(key, stream(data))       # who may not read looks for the key in a listing
            assert content(s3, bucket, key) == data
            continue
        with pytest.raises(kind):
            store.put(key, stream(data))
        assert client.struck
        assert content(s3, bucket, key) is None, verb
    assert uploads(s3, bucket) == []


@pytest.mark.parametrize("fault", PASSING)
def test_a_call_is_made_again_a_bounded_number_of_times(moto_s3, fault):
    client = BrokenFrom(moto_s3.client(), 0, NOWHERE, PASSING[fault])
    pauses = []
    store = moto_s3.store(client=client, pause=pauses.append)
    with pytest.raises(Unavailable):
        list(store.list(""))
    assert client.calls == ["list_objects_v2"] * 6
    assert len(pauses) == 5 and min(pauses) > 0 and max(pauses) <= 3.2


def test_a_page_of_a_listing_that_fails_once_loses_no_key(moto_s3):
    bucket = moto_s3.bucket()
    store = moto_s3.store(bucket)
    store.check()
    for number in range(3):
        store.put(f"shop/backup/{number}/manifest.json", [b"x"])
    client = moto_s3.client()
    with Faults(Fault("list_objects_v2", PASSING["reset"](), nth=2)) as faults:
        faulty = FaultyClient(Pages(client, 1), faults)
        assert [entry.key for entry in moto_s3.store(bucket, client=faulty).list("")] == [
            f"shop/backup/{number}/manifest.json" for number in range(3)]


class Pages:
    """A client whose listings come in pages of a few keys."""

    def __init__(self, inner, size):
        self._inner, self._size = inner, size

    def __getattr__(self, verb):
        return getattr(self._inner, verb)

    def list_objects_v2(self, **arguments):
        return self._inner.list_objects_v2(**arguments, MaxKeys=self._size)


class Cut(Pages):
    """A client whose endpoint says that there is more, and not where."""

    def list_objects_v2(self, **arguments):
        answer = super().list_objects_v2(**arguments)
        return {key: value for key, value in answer.items() if key != "NextContinuationToken"}


def test_a_listing_that_ends_in_the_middle_is_no_listing(moto_s3):
    bucket = moto_s3.bucket()
    store = moto_s3.store(bucket)
    for name in ("a", "b"):
        store.put(f"shop/{name}", [b"x"])
    with pytest.raises(Unavailable, match="in the middle"):
        list(moto_s3.store(bucket, client=Cut(moto_s3.client(), 1)).list(""))


@pytest.mark.parametrize("place", [0, 1, 5 * MIB + 999])
def test_a_body_that_breaks_is_read_on_where_it_broke(s3, place):
    bucket = s3.bucket()
    s3.store(bucket, part_size=5).put(KEY, stream(LARGE))
    with Faults(Fault("get_object", PASSING["reset"](), after_bytes=place)) as faults:
        store = s3.store(bucket, client=FaultyClient(s3.client(), faults))
        assert hashlib.sha256(b"".join(store.get(KEY))).digest() == hashlib.sha256(LARGE).digest()


def test_a_body_that_always_breaks_at_one_place_is_given_up(moto_s3):
    bucket = moto_s3.bucket()
    moto_s3.store(bucket).put(KEY, [SMALL])
    plan = [Fault("get_object", PASSING["reset"](), nth=nth, after_bytes=500 if nth == 1 else 0) for nth in range(1, 7)]
    with Faults(*plan) as faults:
        store = moto_s3.store(bucket, client=FaultyClient(moto_s3.client(), faults))
        with pytest.raises(Unavailable) as caught:
            list(store.get(KEY))
    assert caught.value.code == "store.unreachable"


def test_an_object_that_is_replaced_while_it_is_read_is_damaged(moto_s3):
    bucket = moto_s3.bucket()
    store = moto_s3.store(bucket)
    store.put(KEY, [SMALL])
    with Faults(Fault("get_object", PASSING["reset"](), after_bytes=500)) as faults:
        chunks = moto_s3.store(bucket, client=FaultyClient(moto_s3.client(), faults)).get(KEY)
        assert next(chunks) == SMALL[:500]
        moto_s3.client().put_object(Bucket=bucket, Key=KEY, Body=SMALL[::-1])
        with pytest.raises(Damaged, match="replaced"):
            list(chunks)


class Corrupting(Pages):
    """A client whose bytes are changed on the way, where no signature guards them."""

    def __init__(self, inner, verb):
        super().__init__(inner, 0)
        self._verb = verb

    def __getattr__(self, verb):
        method = getattr(self._inner, verb)
        if verb != self._verb:
            return method

        def call(Body, **arguments):
            spoilt = bytearray(Body)
            spoilt[len(spoilt) // 2] ^= 1
            sums = {name: value for name, value in arguments.items() if not name.startswith("Checksum")}
            return method(Body=spoilt, **sums)

        return call


@pytest.mark.parametrize(("data", "verb"), [(SMALL, "put_object"), (LARGE, "upload_part")], ids=["small", "large"])
def test_an_endpoint_that_keeps_other_bytes_is_found_out_and_keeps_nothing(s3, data, verb):
    bucket = s3.bucket()
    store = s3.store(bucket, client=Corrupting(s3.client(), verb), part_size=5)
    with pytest.raises(Damaged) as caught:
        store.put(KEY, stream(data))
    assert caught.value.code == "store.corrupted"
    assert content(s3, bucket) is None


@pytest.mark.parametrize("method", ["sha256", "crc32", "md5"])
def test_every_way_to_have_bytes_checked_stores_them(s3, method):
    store = s3.store(checksum=method, part_size=5)
    for key, data in (("shop/small", SMALL), ("shop/large", LARGE)):
        assert store.put(key, stream(data)).sha256 == hashlib.sha256(data).hexdigest()
        assert b"".join(store.get(key)) == data


def test_bytes_that_an_endpoint_spoils_are_refused_by_it_and_sent_again(rclone_s3):
    # rclone checks Content-MD5, so that what was spoilt once is told at once
    once = [True]

    class Once(Corrupting):
        def __getattr__(self, verb):
            if verb == self._verb and once:
                once.clear()
                return super().__getattr__(verb)
            return getattr(self._inner, verb)

    bucket = rclone_s3.bucket()
    rclone_s3.store(bucket, client=Once(rclone_s3.client(), "put_object"), checksum="md5").put(KEY, [SMALL])
    assert content(rclone_s3, bucket) == SMALL and not once


def test_other_bytes_than_the_endpoint_promises_are_never_read_to_their_end(rclone_s3):
    bucket = rclone_s3.bucket()
    rclone_s3.store(bucket).put(KEY, [SMALL])
    store = rclone_s3.store(bucket, client=Swapped(rclone_s3.client(), SMALL[::-1]))
    with pytest.raises(Damaged, match="checksum"):
        list(store.get(KEY))


class Swapped(Pages):
    """A client that gives another body of the same length."""

    def __init__(self, inner, body):
        super().__init__(inner, 0)
        self._body = body

    def get_object(self, **arguments):
        answer = self._inner.get_object(**arguments)
        return {**answer, "Body": StreamingBody(io.BytesIO(self._body), len(self._body))}


def test_a_key_taken_between_two_looks_is_refused_and_kept(s3):
    bucket = s3.bucket()

    def chunks():
        yield LARGE
        s3.store(bucket).put(KEY, [b"of another writer"])

    with pytest.raises(Refused) as caught:
        s3.store(bucket, part_size=5).put(KEY, chunks())
    assert caught.value.code == "store.exists"
    assert content(s3, bucket) == b"of another writer"
    assert uploads(s3, bucket) == []


def test_an_interrupt_leaves_no_upload(s3):
    bucket = s3.bucket()

    def chunks():
        yield LARGE
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        s3.store(bucket, part_size=5).put(KEY, chunks())
    assert (content(s3, bucket), uploads(s3, bucket)) == (None, [])
