# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""moto's server with what AWS does and it does not: moto_aws.py -H 127.0.0.1 -p PORT.

It tells an object's retention, and asks for the rights that AWS asks for beside the one of a request itself: a put with
a lock or with tags needs their rights too, and who may read an object is told of its locks only if he may read those.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
"""
from __future__ import annotations

from typing import Any

from moto import settings
from moto.core.authorization import ActionAuthenticatorMixin
from moto.s3 import responses
from moto.s3.exceptions import S3ClientError
from moto.server import main

Response = responses.S3Response
KEYS = responses.ACTION_MAP["KEY"]
KEYS["GET"].update({"retention": "GetObjectRetention", "legal-hold": "GetObjectLegalHold"})
KEYS["PUT"].update({"retention": "PutObjectRetention", "legal-hold": "PutObjectLegalHold"})
BESIDE = {"x-amz-object-lock-mode": "PutObjectRetention", "x-amz-object-lock-legal-hold": "PutObjectLegalHold",
          "x-amz-tagging": "PutObjectTagging"}
TOLD = {"x-amz-object-lock-mode": "GetObjectRetention", "x-amz-object-lock-retain-until-date": "GetObjectRetention",
        "x-amz-object-lock-legal-hold": "GetObjectLegalHold"}

_authorize = Response._authenticate_and_authorize_s3_action
_get = Response._key_response_get
_head = Response.head_object


def authorize(self: Any, bucket_name: str | None = None, key_name: str | None = None) -> None:
    """Ask for the request's own right, then for those that its headers need."""
    _authorize(self, bucket_name=bucket_name, key_name=key_name)
    if self.method in ("PUT", "POST") and key_name:
        own = self.data["Action"]
        for header, action in BESIDE.items():
            if header in self.headers:
                self.data["Action"] = action
                _authorize(self, bucket_name=bucket_name, key_name=key_name)
        self.data["Action"] = own


def get(self: Any, query: dict[str, Any], key_name: str) -> Any:
    """Tell an object's retention, which moto takes for its content."""
    if "retention" not in query:
        return _told(self, _get(self, query, key_name), self.bucket_name, key_name)
    self._set_action("KEY", "GET", query)
    self._authenticate_and_authorize_s3_action(bucket_name=self.bucket_name, key_name=key_name)
    key, _unmodified = self._get_key()
    if not key.lock_mode:
        raise S3ClientError("NoSuchObjectLockConfiguration", "The specified object does not have one")
    until = key.lock_until if isinstance(key.lock_until, str) else key.lock_until.strftime("%Y-%m-%dT%H:%M:%SZ")
    return 200, {"content-type": "application/xml"}, (
        f'<?xml version="1.0"?><Retention xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Mode>{key.lock_mode}</Mode>'
        f"<RetainUntilDate>{until}</RetainUntilDate></Retention>")


def head(self: Any, bucket_name: str, query: Any, key_name: str, headers: Any) -> Any:
    """Leave out of the headers what may not be read."""
    return _told(self, _head(self, bucket_name, query, key_name, headers), bucket_name, key_name)


def _told(self: Any, answer: Any, bucket: str, key: str) -> Any:
    if isinstance(answer, tuple) and ActionAuthenticatorMixin.request_count >= settings.INITIAL_NO_AUTH_ACTION_COUNT:
        for header, action in TOLD.items():
            if header in answer[1]:
                self.data["Action"] = action
                try:
                    _authorize(self, bucket_name=bucket, key_name=key)
                except S3ClientError:
                    del answer[1][header]
    return answer


Response._authenticate_and_authorize_s3_action = authorize
Response._key_response_get = get
Response.head_object = head

if __name__ == "__main__":
    main()
