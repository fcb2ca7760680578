# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Guards: what forbids acting on a retention plan until a human has looked. Pure."""
from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any, Mapping, Sequence

from .policy import Policy

FEW = 3                            # so many may always go, whatever their share
BEFORE = 5                         # the newest size is compared with so many before it
ENOUGH = 3                         # with fewer before it there is nothing to compare with
CONFIRM = ("run `restorable prune --confirm` once (in a task `confirm: true`, with the playbook "
           "`-e restorable_confirm=true`).")


@dataclass(frozen=True)
class Refusal:
    """Why a plan must not be carried out, with the numbers, and what to do."""

    code: str
    message: str
    hint: str


def guard_policy(policy: Policy, known_digest: str | None, known: Mapping[str, Any] | None = None) -> list[Refusal]:
    """Refuse a policy that selects otherwise than the one of the last prune.

    known is that policy as its record has it, None if the record cannot be read.
    """
    if known_digest is None or known_digest == policy.digest():
        return []
    what = "; ".join(policy.changes(known)) if known is not None else "what it was cannot be read"
    return [Refusal("prune.policy_changed",
                    f"the retention policy changed since the last prune: {what}; it keeps {policy}",
                    f"Read the plan with `restorable prune --dry-run`; if it is what you want, {CONFIRM}")]


def guard_group(name: str, total: int, dropped: int, sizes: Sequence[int], policy: Policy) -> list[Refusal]:
    """Refuse to drop too large a part of a group, or anything at all while its newest backup is suspiciously small.

    sizes are the stored bytes of the group's good backups of one kind, newest first.
    """
    refusals = []
    if dropped > FEW and dropped * 100 > policy.max_delete_percent * total:
        refusals.append(Refusal(
            "prune.too_many",
            f"{dropped} of {total} backups of {name} would be dropped ({dropped * 100 // total} %), "
            f"the limit is {policy.max_delete_percent} %",
            f"Read the plan with `restorable prune --dry-run`; if it is what you want, {CONFIRM}"))
    before = sizes[1:1 + BEFORE]
    if dropped and len(before) >= ENOUGH:
        usual = statistics.median(before)
        if sizes[0] * 100 < policy.size_anomaly_percent * usual:
            refusals.append(Refusal(
                "prune.size_anomaly",
                f"the newest backup of {name} has {sizes[0]} bytes, {round(sizes[0] * 100 / usual)} % of the median "
                f"{usual:.0f} of the {len(before)} before it, the limit is {policy.size_anomaly_percent} %",
                f"Prove the newest backup with `restorable drill`; if its size is right, {CONFIRM}"))
    return refusals
