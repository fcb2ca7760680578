# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every call of every operation fails once, and for good: once changes no result, for good is an error of our own."""
from __future__ import annotations

import base64
import hashlib
import io
import os
from datetime import datetime, timedelta, timezone

import pytest
from botocore.exceptions import ClientError
from botocore.response import StreamingBody

from _restorable.errors import ConfigError, Damaged, NotFound, RestorableError, Unavailable
from kit.faulty_s3 import PASSING, BrokenFrom, Changed, answered

KEY = "shop/backup/20261120T030000Z-dump/app.dump.zst"
MIB = 1024 * 1024
LARGE = os.urandom(5 * MIB + 1000)     # two parts
NOWHERE = 10 ** 6
FOR_GOOD = 10 ** 6
UNTIL = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=35)
LOCK = {"mode": "governance", "weekly": 35}


def put(store):
    return store.put(KEY, [LARGE]).sha256


def get(store):
    return hashlib.sha256(b"".join(store.get("shop/one"))).hexdigest()


def keys(store):
    return [entry.key for entry in store.list("shop/")]


def delete(store):
    store.delete("shop/one")


def check(store):
    store.check()
    return store.conditional, store.checksum, store.notes


def hold(store):
    store.locks.hold(["shop/one"], on=True)


def extend(store):
    store.locks.extend(["shop/one"], UNTIL)


OPERATIONS = {each.__name__: each for each in (put, get, keys, delete, check, hold, extend)}
ORIGINAL = ["shop/one", "shop/three", "shop/two"]
# Of moto's server: many calls, each of which takes long. Two of the six faults that a call may meet take 15 s for both
# operations; all six would take thrice that. So they rotate there, and rclone's server meets all of them at every call.
SLOW = "put", "check"
WITHOUT_LOCKS = "put", "get", "keys", "delete", "check"        # rclone has none


class Bench:
    """A bucket with three objects and a dead upload, listed two objects a page, and a store in it for each trial."""

    def __init__(self, s3):
        self.s3 = s3
        self.locks = {"object_lock": LOCK} if s3.maker == "moto" else {}
        self.paged = Changed(s3.client(), list_objects_v2=lambda real, **words: real(**{"MaxKeys": 2, **words}))

    def fresh(self):
        """Make a bucket."""
        bucket = self.s3.bucket(ObjectLockEnabledForBucket=True) if self.locks else self.s3.bucket()
        for key in ORIGINAL:
            self.s3.client().put_object(Bucket=bucket, Key=key, Body=b"one")
        self.s3.client().create_multipart_upload(Bucket=bucket, Key="shop/dead")
        return bucket

    def run(self, bucket, operation, position, times, error, *, late=False):
        """Return (the client, what the operation gave)."""
        client = BrokenFrom(self.paged, position, times, error, late=late)
        later = datetime.now(timezone.utc) + timedelta(days=2)
        store = self.s3.store(bucket, client=client, part_size=5, parallel=1, now=lambda: later, **self.locks)
        return client, operation(store)

    def state(self, bucket):
        """Return what is there: versions, markers, locks, holds and uploads."""
        client = self.s3.client()
        found = []
        for row in client.list_objects_v2(Bucket=bucket).get("Contents", ()):
            head = client.head_object(Bucket=bucket, Key=row["Key"])
            found.append((row["Key"], row["Size"], head.get("ObjectLockRetainUntilDate"),
                          head.get("ObjectLockLegalHoldStatus")))
        uploads = [each["Key"] for each in client.list_multipart_uploads(Bucket=bucket).get("Uploads", ())]
        if not self.locks:
            return found, [], uploads
        page = client.list_object_versions(Bucket=bucket)
        return found, [row["Key"] for kind in ("Versions", "DeleteMarkers") for row in page.get(kind, ())], uploads


@pytest.fixture
def bench(s3):
    return Bench(s3)


def kinds_at(position, *, every):
    """Return (fault, late) of what a position meets: every kind before the call did its work, and one after it.

    Without every it is one of both, another one at each position; so an endpoint that is slow meets each kind too.
    """
    kinds = list(PASSING)
    before = kinds if every else [kinds[2 * position % len(kinds)]]
    return [*((fault, False) for fault in before), (kinds[(2 * position + 1) % len(kinds)], True)]


@pytest.mark.parametrize("name", OPERATIONS)
def test_one_failure_at_any_call_changes_nothing(bench, name):
    if name not in WITHOUT_LOCKS and not bench.locks:
        assert bench.s3.maker == "rclone"
        return
    operation, bucket = OPERATIONS[name], bench.fresh()
    calm, result = bench.run(bucket, operation, NOWHERE, 1, PASSING["500"])
    state = bench.state(bucket)
    for position, verb in enumerate(calm.calls):
        for fault, late in kinds_at(position, every=bench.s3.maker == "rclone" or name not in SLOW):
            bucket = bench.fresh()
            client, again = bench.run(bucket, operation, position, 1, PASSING[fault], late=late)
            assert client.struck == [verb], "a planned fault was not reached"
            assert again == result, (verb, fault, late)
            found = bench.state(bucket)
            lost = [KEY] if late and verb == "create_multipart_upload" else []
            assert (*found[:2], sorted(found[2])) == (*state[:2], sorted([*state[2], *lost])), (verb, fault, late)


DENIED = {("put", "head_object"), ("delete", "head_object"), ("check", "head_object"),
          ("check", "list_multipart_uploads"), ("check", "list_parts"), ("check", "abort_multipart_upload")}


FOREVER = {
    "slow": (PASSING["503"], Unavailable), "reset": (PASSING["reset"], Unavailable),
    "denied": (lambda: answered("AccessDenied", 403), ConfigError),
    "expired": (lambda: answered("ExpiredToken", 400), ConfigError),
    "skewed": (lambda: answered("RequestTimeTooSkewed", 403), Unavailable),
    "no-bucket": (lambda: answered("NoSuchBucket", 404), ConfigError)}


@pytest.mark.parametrize("fault", FOREVER)
@pytest.mark.parametrize("name", OPERATIONS)
def test_a_call_that_fails_for_good_is_told_as_an_error_of_ours(moto_s3, name, fault):
    bench, operation = Bench(moto_s3), OPERATIONS[name]
    error, kinds = FOREVER[fault]
    calm, result = bench.run(bench.fresh(), operation, NOWHERE, 1, error)
    ending = max((calm.calls.index(verb) for verb in ("complete_multipart_upload", "delete_object")
                  if verb in calm.calls), default=0)
    for position, verb in enumerate(calm.calls):
        bucket = bench.fresh()
        if fault == "denied" and (name, verb) in DENIED:
            # one right is missing, and there is another way, or only cleaning needs it
            client, again = bench.run(bucket, operation, position, 1, error)
            assert client.struck == [verb] and (name == "check" or again == result)
            continue
        with pytest.raises(RestorableError) as caught:
            bench.run(bucket, operation, position, FOR_GOOD, error)
        assert isinstance(caught.value, kinds), (verb, caught.value)
        assert caught.value.hint
        if position <= ending:         # what was stored before all calls failed is swept by a later run
            assert [row[0] for row in bench.state(bucket)[0] if not row[0].startswith(".")] == ORIGINAL, verb


@pytest.mark.parametrize("number", [1, 2])
def test_credentials_that_expire_in_mid_upload_leave_what_a_later_check_aborts(s3, number):
    bucket, parts = s3.bucket(), []

    def expiring(real, **words):
        parts.append(words)
        if len(parts) >= number:
            raise answered("ExpiredToken", 400)
        return real(**words)

    def expired(_real, **_words):
        raise answered("ExpiredToken", 400)

    client = Changed(s3.client(), upload_part=expiring, abort_multipart_upload=expired)
    with pytest.raises(ConfigError) as caught:
        s3.store(bucket, client=client, part_size=5, parallel=1).put(KEY, [LARGE])
    assert (caught.value.code, len(parts)) == ("store.credentials_expired", number)
    assert s3.client().list_objects_v2(Bucket=bucket).get("KeyCount", 0) == 0
    assert len(s3.client().list_multipart_uploads(Bucket=bucket)["Uploads"]) == 1
    later = datetime.now(timezone.utc) + timedelta(days=2)
    s3.store(bucket, now=lambda: later).check()
    assert s3.client().list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []


def short(lengths):
    """Return a get_object whose bodies end after so many bytes, one after the other; the rest is whole."""
    left = list(lengths)

    def get_object(real, **words):
        answer = real(**words)
        if left:
            promised, data = answer["ContentLength"], answer["Body"].read(left.pop(0))
            answer["Body"].close()
            answer["Body"] = StreamingBody(io.BytesIO(data), promised)
        return answer
    return get_object


@pytest.mark.parametrize("lengths", [[0], [1], [5 * MIB], [1000, 0, 70_000], [5 * MIB + 999]])
def test_a_body_that_is_too_short_is_read_on(s3, lengths):
    bucket = s3.bucket()
    s3.store(bucket, part_size=5).put(KEY, [LARGE])
    store = s3.store(bucket, client=Changed(s3.client(), get_object=short(lengths)))
    assert b"".join(store.get(KEY)) == LARGE


def test_bodies_that_are_always_too_short_are_given_up(moto_s3):
    bucket = moto_s3.bucket()
    moto_s3.store(bucket).put(KEY, [LARGE])
    store = moto_s3.store(bucket, client=Changed(moto_s3.client(), get_object=short([1000] + [0] * NOWHERE)))
    with pytest.raises(Unavailable):
        list(store.get(KEY))


@pytest.mark.parametrize("method", ["sha256", "md5"])
def test_a_body_with_other_bytes_than_its_digest_is_damaged_before_its_end(moto_s3, method):
    bucket, data = moto_s3.bucket(), LARGE[:100_000]
    moto_s3.store(bucket, checksum=method).put(KEY, [data])

    def spoilt(real, **words):
        answer = real(**words)
        answer["Body"].close()
        if method == "sha256":         # as AWS tells it, and moto does not
            answer["ChecksumSHA256"] = base64.b64encode(hashlib.sha256(data).digest()).decode()
        return {**answer, "Body": StreamingBody(io.BytesIO(data[:-1] + bytes([data[-1] ^ 1])), len(data))}

    with pytest.raises(Damaged) as caught:
        list(moto_s3.store(bucket, client=Changed(moto_s3.client(), get_object=spoilt)).get(KEY))
    assert caught.value.code == "object.damaged"


def test_an_object_that_is_not_there_is_told_before_the_first_byte(s3):
    with pytest.raises(NotFound) as caught:
        next(iter(s3.store(s3.bucket()).get(KEY)))
    assert caught.value.code == "store.missing"


def test_who_may_do_all_but_list_is_told_at_each_listing_and_can_put_and_get(moto_s3):
    bucket = moto_s3.bucket()

    def no_list(_real, **_words):
        raise answered("AccessDenied", 403)

    store = moto_s3.store(bucket, client=Changed(moto_s3.client(), list_objects_v2=no_list), part_size=5)
    assert store.put(KEY, [LARGE]).size == len(b"".join(store.get(KEY)))
    for act in (store.check, lambda: list(store.list(""))):
        with pytest.raises(ConfigError) as caught:
            act()
        assert (caught.value.code, "s3:ListBucket" in caught.value.hint) == ("store.denied", True)


def test_the_layer_of_faults_complains_of_one_that_was_not_reached(moto_s3):
    with pytest.raises(AssertionError, match="call 7 was not reached: list_objects_v2"):
        with BrokenFrom(moto_s3.client(), 7, 1, PASSING["500"]) as client:
            list(moto_s3.store(client=client).list(""))
    with pytest.raises(ClientError):
        moto_s3.client().head_object(Bucket=moto_s3.bucket(), Key=KEY)
