# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an endpoint's error means: the class says what to do next, the hint says how, and nothing secret is told."""
from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
    SSLError,
)

from _restorable.errors import ConfigError, Damaged, NotFound, Unavailable
from _restorable.store.s3_errors import Place, explain, is_passing
from kit.faulty_s3 import answered

PLACE = Place("offsite", "acme-backups", "https://s3.example")


@pytest.mark.parametrize(("error", "kind", "code", "passing"), [
    (answered("InvalidAccessKeyId", 403), ConfigError, "store.credentials", False),
    (answered("SignatureDoesNotMatch", 403), ConfigError, "store.credentials", False),
    (answered("ExpiredToken", 400), ConfigError, "store.credentials_expired", False),
    (answered("AccessDenied", 403), ConfigError, "store.denied", False),
    (answered("403", 403), ConfigError, "store.denied", False),
    (answered("NoSuchBucket", 404), ConfigError, "store.no_bucket", False),
    (answered("NoSuchKey", 404), NotFound, "store.missing", False),
    (answered("PermanentRedirect", 301), ConfigError, "store.region", False),
    (answered("NotImplemented", 501), ConfigError, "store.unable", False),
    (answered("KMS.NotFoundException", 400), ConfigError, "store.kms", False),
    (answered("RequestTimeTooSkewed", 403), Unavailable, "store.clock", False),
    (answered("InvalidObjectState", 403), Unavailable, "store.archived", False),
    (answered("QuotaExceeded", 400), Unavailable, "store.full", False),
    (answered("SlowDown", 503), Unavailable, "store.busy", True),
    (answered("InternalError", 500), Unavailable, "store.failed", True),
    (answered("", 502), Unavailable, "store.failed", True),
    (answered("RequestTimeout", 400), Unavailable, "store.failed", True),
    (answered("OperationAborted", 409), Unavailable, "store.failed", True),
    (answered("XAmzContentSHA256Mismatch", 400), Damaged, "store.corrupted", True),
    (answered("BadDigest", 400), Damaged, "store.corrupted", True),
    (answered("InvalidArgument", 400), Unavailable, "store.failed", False),
    (EndpointConnectionError(endpoint_url="https://s3.example"), Unavailable, "store.unreachable", True),
    (ConnectTimeoutError(endpoint_url="https://s3.example"), Unavailable, "store.unreachable", True),
    (ReadTimeoutError(endpoint_url="https://s3.example"), Unavailable, "store.unreachable", True),
    (ConnectionResetError(104, "reset by peer"), Unavailable, "store.unreachable", True),
    (NoCredentialsError(), ConfigError, "store.no_credentials", False),
    (SSLError(endpoint_url="https://s3.example", error="self-signed"), ConfigError, "store.tls", False),
])
def test_every_error_says_what_to_do_next(error, kind, code, passing):
    told = explain(error, PLACE, "put_object", "shop/x")
    assert (type(told), told.code, is_passing(error)) == (kind, code, passing)
    assert "offsite" in told.message and told.hint.endswith(".")


@pytest.mark.parametrize(("call", "action"), [("list_objects_v2", "s3:ListBucket"), ("put_object", "s3:PutObject"),
                                              ("delete_object", "s3:DeleteObject")])
def test_what_is_denied_is_told_with_the_right_that_is_missing(call, action):
    assert action in explain(answered("AccessDenied", 403), PLACE, call, "").hint


@pytest.mark.parametrize("call", ["head_bucket", "list_objects_v2"])
def test_a_bare_404_of_a_bucket_is_a_missing_bucket(call):
    assert explain(answered("404", 404), PLACE, call, "").code == "store.no_bucket"


def test_a_wrong_clock_is_told_with_its_difference():
    theirs = format_datetime(datetime.now(timezone.utc) - timedelta(minutes=20), usegmt=True)
    told = explain(answered("RequestTimeTooSkewed", 403, date=theirs), PLACE, "put_object", "x")
    seconds = int(told.message.rpartition(" by ")[2].partition(" ")[0])
    assert told.message.endswith("ahead") and 1190 <= seconds <= 1300


@pytest.mark.parametrize(("minutes", "code"), [(-20, "store.clock"), (0, "store.denied"), (20, "store.clock")])
def test_an_access_that_is_denied_to_a_wrong_clock_is_told_as_such(minutes, code):
    theirs = format_datetime(datetime.now(timezone.utc) + timedelta(minutes=minutes), usegmt=True)
    assert explain(answered("AccessDenied", 403, date=theirs), PLACE, "put_object", "x").code == code


def test_nothing_that_was_signed_is_told():
    error = ClientError({"Error": {"Code": "SignatureDoesNotMatch", "Message": "no", "StringToSign": "Gehe'im",
                                   "AWSAccessKeyId": "AKIA"}, "ResponseMetadata": {"HTTPStatusCode": 403}}, "PutObject")
    told = explain(error, PLACE, "put_object", "x")
    assert "Gehe'im" not in told.message + told.hint and "AKIA" not in told.message + told.hint
