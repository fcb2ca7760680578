# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Read and set the settings of a bucket."""
from __future__ import annotations

import time
from typing import Any, Callable

from ..errors import ConfigError
from ..model.bucket import RULE, Bucket
from ..model.s3_settings import S3Repository
from .s3_calls import Calls, Failed
from .s3_client import DEFAULT_REGION, connect
from .s3_errors import UNABLE, Place, code_of, status_of

# what an endpoint says of a setting that nobody made, or that it does not have
_NOTHING = ("NoSuchPublicAccessBlockConfiguration", "ServerSideEncryptionConfigurationNotFoundError", "NotImplemented",
            "NoSuchLifecycleConfiguration", "ObjectLockConfigurationNotFoundError", "MethodNotAllowed", "NoSuchBucket")
_BLOCK = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


class S3Bucket:
    """Keeps ops.bucket.BucketSettings for the bucket of a repository."""

    def __init__(self, settings: S3Repository, *, client: Any = None,
                 pause: Callable[[float], None] = time.sleep) -> None:
        self.name = settings.name
        self.settings = settings
        self._calls = Calls(client or connect(settings),
                            Place(settings.name, settings.bucket, settings.endpoint_url or "AWS"),
                            retries=settings.retries, pause=pause)

    def read(self) -> Bucket:
        """Return the settings as they are."""
        if not self._exists():
            return Bucket()
        lock = self._get("get_object_lock_configuration").get("ObjectLockConfiguration", {})
        rule = self._encryption()
        return Bucket(
            True, self._is_blocked(), self._get("get_bucket_versioning").get("Status") == "Enabled",
            str(rule.get("SSEAlgorithm", "")), str(rule.get("KMSMasterKeyID", "")), self._abort_days(),
            lock.get("ObjectLockEnabled") == "Enabled")

    def rules(self) -> list[dict[str, Any]]:
        """Return the lifecycle rules as S3 writes them."""
        return list(self._get("get_bucket_lifecycle_configuration").get("Rules", ()))

    def make(self, goal: Bucket) -> None:
        """Make the bucket."""
        region = self.settings.region or DEFAULT_REGION
        options: dict[str, Any] = {"ObjectLockEnabledForBucket": True} if goal.object_lock else {}
        if region != DEFAULT_REGION:
            options["CreateBucketConfiguration"] = {"LocationConstraint": region}
        self._calls("create_bucket", **options)

    def set(self, name: str, goal: Bucket) -> None:
        """Give one setting the value of goal."""
        getattr(self, f"_set_{name}")(goal)

    def _set_public_access_block(self, goal: Bucket) -> None:
        self._put("put_public_access_block",
                  PublicAccessBlockConfiguration=dict.fromkeys(_BLOCK, goal.public_access_block))

    def _set_versioning(self, goal: Bucket) -> None:
        status = "Enabled" if goal.versioning else "Suspended"
        self._put("put_bucket_versioning", VersioningConfiguration={"Status": status})

    def _set_encryption(self, goal: Bucket) -> None:
        rule = {"SSEAlgorithm": goal.encryption}
        if goal.kms_key_id:
            rule["KMSMasterKeyID"] = goal.kms_key_id
        self._put("put_bucket_encryption", ServerSideEncryptionConfiguration={"Rules": [
            {"ApplyServerSideEncryptionByDefault": rule, "BucketKeyEnabled": goal.encryption == "aws:kms"}]})

    _set_kms_key_id = _set_encryption

    def _set_object_lock(self, _goal: Bucket) -> None:
        # without a default retention: each object is given its own, and a hold's must be removable
        self._put("put_bucket_versioning", VersioningConfiguration={"Status": "Enabled"})
        self._put("put_object_lock_configuration", ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"})

    def _set_abort_multipart_days(self, goal: Bucket) -> None:
        others = [rule for rule in self.rules() if rule.get("ID") != RULE]
        own = {"ID": RULE, "Status": "Enabled", "Filter": {"Prefix": self.settings.prefix},
               "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": goal.abort_multipart_days}}
        rules = [*others, own] if goal.abort_multipart_days else others
        if rules:
            self._put("put_bucket_lifecycle_configuration", LifecycleConfiguration={"Rules": rules})
        else:
            self._put("delete_bucket_lifecycle")

    def _put(self, verb: str, **arguments: Any) -> None:
        try:
            self._calls.ask(verb, **arguments)
        except Failed as failed:
            # an endpoint that does not know a setting takes it for the making of the bucket
            if code_of(failed.error) not in ("BucketAlreadyExists", "BucketAlreadyOwnedByYou", *UNABLE):
                raise failed.told from failed.error
            raise ConfigError(f"repository {self.name}: {self._calls.place.endpoint} does not have {verb}",
                              hint="Do without, or protect the bucket by other means.", code="store.unable") from failed

    def _abort_days(self) -> int:
        days = [rule["AbortIncompleteMultipartUpload"].get("DaysAfterInitiation", 0) for rule in self.rules()
                if rule.get("ID") == RULE and rule.get("Status") == "Enabled"
                and "AbortIncompleteMultipartUpload" in rule]
        return int(days[0]) if days else 0

    def _encryption(self) -> dict[str, Any]:
        rules = self._get("get_bucket_encryption").get("ServerSideEncryptionConfiguration", {}).get("Rules", ())
        return next((dict(each["ApplyServerSideEncryptionByDefault"]) for each in rules
                     if "ApplyServerSideEncryptionByDefault" in each), {})

    def _is_blocked(self) -> bool:
        found = self._get("get_public_access_block").get("PublicAccessBlockConfiguration", {})
        return all(found.get(name) for name in _BLOCK)

    def _exists(self) -> bool:
        try:
            self._calls.ask("head_bucket")
        except Failed as failed:
            if status_of(failed.error) == 404:
                return False
            raise failed.told from failed.error
        return True

    def _get(self, verb: str) -> dict[str, Any]:
        try:
            return self._calls.ask(verb).body
        except Failed as failed:
            if code_of(failed.error) in _NOTHING:
                return {}
            raise failed.told from failed.error
