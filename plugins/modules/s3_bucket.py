#!/usr/bin/python
# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make and check the buckets of a cluster's backups."""
from __future__ import annotations

DOCUMENTATION = r"""
module: s3_bucket
short_description: Make and check the buckets of a cluster's backups
version_added: 0.1.0
author:
  - restorable contributors (@restorable)
description:
  - Makes the bucket of every repository of type V(s3) of the cluster if it is not there, and sets what backups need,
    public access blocked, versions, encryption, a lifecycle rule that aborts multipart uploads which nobody ended, and
    object lock.
  - Other lifecycle rules, and everything else of the bucket, stay as they are. Versions and object lock are turned on,
    never off.
  - Warns of lifecycle rules that would delete, or put out of reach, what the cluster's retention keeps (backups, base
    backups, WAL and evidence), and of settings that the endpoint does not have.
  - Needs rights on the bucket itself, which hosts that take backups should not have.
extends_documentation_fragment:
  - restorable.postgres.attributes
  - restorable.postgres.connection
  - restorable.postgres.repository
  - restorable.postgres.encryption
attributes:
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  state:
    description: Only V(present); no module of this collection deletes a bucket.
    type: str
    choices: [present]
    default: present
  repository:
    description: Only the bucket of this repository. Without it, those of all repositories of type V(s3).
    type: str
  public_access_block:
    description: Whether public access is blocked, in all four ways that S3 has.
    type: bool
    default: true
  versioning:
    description: Whether deleted and overwritten objects stay as versions. Object lock turns it on anyway.
    type: bool
    default: true
  object_lock:
    description:
      - Whether objects can be locked. No default retention is set for the bucket, each object is given its own.
      - Without it the bucket is made for object lock if the repository has C(object_lock).
    type: bool
  server_side_encryption:
    description:
      - How the server encrypts what comes without a word of its own.
      - Without it the repository's C(sse), or what the bucket has, or V(AES256).
    type: str
    choices: [AES256, 'aws:kms']
  kms_key_id:
    description: The key of V(aws:kms). Without it the repository's C(kms_key_id), or the bucket's own.
    type: str
  abort_multipart_days:
    description: After how many days S3 aborts a multipart upload that nobody ended; V(0) for never.
    type: int
    default: 7
seealso:
  - module: restorable.postgres.pg_dump
  - module: restorable.postgres.pg_prune
"""

EXAMPLES = r"""
- name: Make the bucket with versions, encryption and no public access
  restorable.postgres.s3_bucket:
    cluster: shop
    repositories:
      offsite: {type: s3, bucket: acme-backups, prefix: postgres, region: eu-west-1}

- name: Make a bucket that locks every backup for a week, and weekly ones for five
  restorable.postgres.s3_bucket:
    cluster: shop
    repositories:
      offsite:
        type: s3
        bucket: acme-locked-backups
        endpoint_url: https://s3.example.org
        object_lock: {mode: compliance, days: 7, weekly: 35}
    repository_secrets:
      offsite:
        access_key_id: "{{ vault_s3_key_id }}"
        secret_access_key: "{{ vault_s3_secret }}"
"""

RETURN = r"""
buckets:
  description: Every bucket, as it was and as it is, or in check mode would be.
  returned: success
  type: list
  elements: dict
  contains:
    repository:
      description: Name of the repository.
      type: str
      sample: offsite
    bucket:
      description: Name of the bucket.
      type: str
      sample: acme-backups
    changed:
      description: The settings that were, or would be, changed; V(exists) for a bucket that was made.
      type: list
      elements: str
      sample: [exists, versioning, public_access_block, encryption, abort_multipart_days]
    before:
      description: The settings as they were.
      type: dict
      sample: {exists: false, object_lock: false, versioning: false, public_access_block: false, encryption: "",
               kms_key_id: "", abort_multipart_days: 0}
    after:
      description: The settings as they are, read again; in check mode as they would be.
      type: dict
      sample: {exists: true, object_lock: false, versioning: true, public_access_block: true, encryption: AES256,
               kms_key_id: "", abort_multipart_days: 7}
    warnings:
      description: Lifecycle rules that work against retention, and settings that the endpoint does not have.
      type: list
      elements: str
      sample: ["lifecycle rule expire-all deletes objects after 200 days, and retention keeps evidence up to 400 days"]
words:
  description: The result as a person wants to read it.
  returned: success
  type: str
  sample: "acme-backups: made"
code:
  description: The stable code of an error.
  returned: failure
  type: str
  sample: store.credentials
hint:
  description: What to do about an error.
  returned: failure
  type: str
  sample: Allow s3:ListBucket on the bucket to them.
"""

from typing import Mapping

from ansible_collections.restorable.postgres.plugins.module_utils._module import Call, Plain, run
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.app.wire import open_buckets
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.model.bucket import Bucket
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.model.horizon import horizons
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.ops.bucket import (
    BucketReport,
    BucketSettings,
    ensure,
)


def make(call: Call) -> Plain:
    """Give every bucket its settings, and draw what changes as a diff."""
    buckets = open_buckets(call.settings, call.cluster, call.params["repository"] or "")
    done = [ensure(each, _wish(call, each), _kept(call, each), dry_run=call.dry_run) for each in buckets]
    return {"changed": any(each.changed for each in done), "buckets": [_plain(each) for each in done],
            "words": "; ".join(f"{each.bucket}: {_in_words(each, call.dry_run)}" for each in done),
            "warnings": [f"repository {each.repository}: {warning}" for each in done for warning in each.warnings],
            "diff": [{"before": each.before.as_dict(), "after": each.after.as_dict(),
                      "before_header": each.bucket, "after_header": each.bucket} for each in done]}


def _kept(call: Call, bucket: BucketSettings) -> Mapping[str, float]:
    return horizons(call.cluster, call.settings.repositories[bucket.name].retention)


def _wish(call: Call, bucket: BucketSettings) -> Bucket:
    own, params = bucket.settings, call.params
    lock = bool(own.object_lock) if params["object_lock"] is None else params["object_lock"]
    return Bucket(True, params["public_access_block"], params["versioning"],
                  params["server_side_encryption"] or own.sse, params["kms_key_id"] or own.kms_key_id,
                  params["abort_multipart_days"], lock)


def _plain(report: BucketReport) -> Plain:
    return {"repository": report.repository, "bucket": report.bucket, "changed": list(report.changed),
            "before": report.before.as_dict(), "after": report.after.as_dict(), "warnings": list(report.warnings)}


def _in_words(report: BucketReport, dry_run: bool) -> str:
    if "exists" in report.changed:
        done = "would be made" if dry_run else "made"
    elif report.changed:
        done = f"{'would set' if dry_run else 'set'} {', '.join(report.changed)}"
    else:
        done = "nothing to change" if report.lacking else "as wanted"
    return f"{done}; the endpoint lacks {', '.join(report.lacking)}" if report.lacking else done


def main() -> None:
    """Run the module."""
    run(make, {
        "state": {"type": "str", "choices": ["present"], "default": "present"}, "repository": {"type": "str"},
        "public_access_block": {"type": "bool", "default": True}, "versioning": {"type": "bool", "default": True},
        "object_lock": {"type": "bool"}, "server_side_encryption": {"type": "str", "choices": ["AES256", "aws:kms"]},
        "kms_key_id": {"type": "str", "no_log": False}, "abort_multipart_days": {"type": "int", "default": 7}})


if __name__ == "__main__":
    main()
