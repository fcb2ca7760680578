# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""A bucket's settings as code: what is, what is wanted, what to change, and what its lifecycle would destroy. Pure."""
from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Iterable, Mapping

RULE = "restorable-abort-stale-multipart-uploads"      # the one lifecycle rule that is ours
READ_AT_ONCE = ("STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR")


@dataclass(frozen=True)
class Bucket:
    """The settings of a bucket that matter here; exists is False for one that is not there."""

    exists: bool = False
    public_access_block: bool = False
    versioning: bool = False
    encryption: str = ""               # AES256, aws:kms
    kms_key_id: str = ""
    abort_multipart_days: int = 0      # 0: never
    object_lock: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return it for results and diffs."""
        return {"exists": self.exists, **{name: getattr(self, name) for name in SETTINGS}}


SETTINGS = ("object_lock", "versioning", "public_access_block", "encryption", "kms_key_id", "abort_multipart_days")
# the order in which they are set: a lock needs versions


def wanted(found: Bucket, wish: Bucket) -> Bucket:
    """Return what the bucket will be: the wish, but nothing that is on is ever turned off by us.

    Object lock cannot be taken back, and versions without it would be a surprise to others in the bucket. Encryption
    for which nobody wished stays as it is, and is AES256 where there is none.
    """
    encryption = wish.encryption or found.encryption or "AES256"
    return replace(wish, exists=True, object_lock=wish.object_lock or found.object_lock,
                   versioning=wish.versioning or wish.object_lock or found.versioning or found.object_lock,
                   encryption=encryption,
                   kms_key_id=wish.kms_key_id or (found.kms_key_id if encryption == found.encryption else ""))


def changes(found: Bucket, goal: Bucket) -> tuple[str, ...]:
    """Return the names of the settings that differ, in the order in which they are set; "exists" is the first."""
    names = () if found.exists else ("exists",)
    return (*names, *(name for name in SETTINGS if getattr(found, name) != getattr(goal, name)))


def lifecycle_warnings(rules: Iterable[Mapping[str, Any]], prefix: str, kept: Mapping[str, float]) -> tuple[str, ...]:
    """Say which lifecycle rules, as S3 writes them, would delete or put away what retention keeps below prefix.

    kept tells of each kind of object how many days old it can become.
    """
    said = []
    for rule in rules:
        if rule.get("Status") != "Enabled" or not _meets(_prefix_of(rule), prefix):
            continue
        name = f"lifecycle rule {rule.get('ID') or 'without an ID'}"
        said += _expires(name, rule.get("Expiration", {}), kept)
        said += [f"{name} moves objects to {each.get('StorageClass')}, from where no restore and no drill reads at once"
                 for each in rule.get("Transitions", ()) if each.get("StorageClass") not in READ_AT_ONCE]
    return tuple(said)


def _expires(name: str, expiration: Mapping[str, Any], kept: Mapping[str, float]) -> list[str]:
    if "Date" in expiration:
        return [f"{name} deletes everything on {expiration['Date']}"]
    days = expiration.get("Days")
    if days is None:
        return []
    lost = [f"{what} {'for ever' if math.isinf(age) else f'up to {math.ceil(age)} days'}"
            for what, age in kept.items() if days < age]
    if lost:
        return [f"{name} deletes objects after {days} days, and retention keeps {', '.join(lost)}"]
    return [f"{name} deletes objects after {days} days whatever they are: also the newest backups, if no new ones come"]


def _prefix_of(rule: Mapping[str, Any]) -> str:
    where = rule.get("Filter", {})
    return str(rule.get("Prefix") or where.get("Prefix") or where.get("And", {}).get("Prefix") or "")


def _meets(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)
