# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Make a bucket fit for backups, or say what is missing; read it again afterwards, and believe only that."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Protocol

from ..errors import ConfigError
from ..model.bucket import Bucket, changes, lifecycle_warnings, wanted


class BucketSettings(Protocol):
    """The bucket of one repository."""

    name: str
    settings: Any                      # its repository's

    def read(self) -> Bucket:
        """Return the settings as they are."""

    def rules(self) -> list[dict[str, Any]]:
        """Return the lifecycle rules as S3 writes them."""

    def make(self, goal: Bucket) -> None:
        """Make the bucket."""

    def set(self, name: str, goal: Bucket) -> None:
        """Give one setting the value of goal; raise ConfigError if the endpoint does not have it."""


@dataclass(frozen=True)
class BucketReport:
    """What a bucket was, is or would be, and what was or would be changed."""

    repository: str
    bucket: str
    before: Bucket
    after: Bucket
    changed: tuple[str, ...]
    warnings: tuple[str, ...]
    lacking: tuple[str, ...] = ()      # settings that the endpoint did not take


def ensure(bucket: BucketSettings, wish: Bucket, kept: Mapping[str, float], *, dry_run: bool) -> BucketReport:
    """Give a bucket the wanted settings; a dry run returns the plan.

    kept tells of each kind of object how many days old it can become, for the warnings of lifecycle rules.
    """
    before = bucket.read()
    goal = wanted(before, wish)
    todo = changes(before, goal)
    rules = bucket.rules() if before.exists else []
    warnings = lifecycle_warnings(rules, bucket.settings.prefix, kept)
    place = bucket.settings.bucket
    if dry_run or not todo:
        return BucketReport(bucket.name, place, before, goal if todo else before, todo, warnings)
    refused = []
    if not before.exists:
        bucket.make(goal)
    for name in changes(bucket.read(), goal):
        try:
            bucket.set(name, goal)
        except ConfigError as error:
            if error.code != "store.unable":
                raise
            refused.append(name)
    after = bucket.read()
    lacking = changes(after, goal)
    warnings += tuple(f"the endpoint of {place} {'refuses' if name in refused else 'does not keep'} {name}"
                      for name in lacking)
    return BucketReport(bucket.name, place, before, after, changes(before, after), warnings, lacking)
