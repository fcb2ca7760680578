#!/usr/bin/python
# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delete the backups that no rule of a retention policy keeps."""
from __future__ import annotations

DOCUMENTATION = r"""
module: pg_prune
short_description: Delete the backups that no rule of a retention policy keeps
version_added: 0.1.0
author:
  - restorable contributors (@restorable)
description:
  - Keeps the newest backup of each of the days, weeks, months and years that the policy counts, and deletes the others,
    in every repository of the cluster.
  - Whatever the policy says, the newest backups, the newest proven one, held ones and young ones stay, and nothing is
    deleted unless a newer good backup was taken since the last prune.
  - A guard that fires, such as a changed policy or too large a part to delete, fails the task before anything is
    deleted,
    with the plan in the result.
  - Check mode returns the very plan that a run would follow; diff mode shows each backup with the reasons for its fate.
extends_documentation_fragment:
  - restorable.postgres.attributes
  - restorable.postgres.connection
  - restorable.postgres.encryption
  - restorable.postgres.repository
attributes:
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  retention:
    description:
      - What is kept. Replaces the policy in O(settings). Without any policy it is 7 daily, 4 weekly and 3 monthly
        backups.
      - A tier counts V(0) for off and V(-1) for unlimited; with one tier named, those that are not named are off.
    type: dict
    suboptions:
      last:
        description: How many of the newest backups stay.
        type: int
      hourly:
        description: For how many of the most recent hours that have a backup the newest stays.
        type: int
      daily:
        description: For how many of the most recent days that have a backup the newest stays.
        type: int
      weekly:
        description: For how many of the most recent ended weeks that have a backup the newest stays.
        type: int
      monthly:
        description: For how many of the most recent ended months that have a backup the newest stays.
        type: int
      yearly:
        description: For how many of the most recent ended years that have a backup the newest stays.
        type: int
      within:
        description: Everything that is at most so much older than the newest stays; a duration with its unit, such as
          V(14d).
        type: str
      timezone:
        description: IANA name of the zone whose calendar counts; V(UTC) if nothing is said.
        type: str
      week_ends_on:
        description: Last day of a week; V(sunday) if nothing is said.
        type: str
      count_current_period:
        description: Whether the running week, month and year use up a place too; V(false) if nothing is said.
        type: bool
      min_keep:
        description: How many of the newest stay, whatever the tiers say; V(3) if nothing is said.
        type: int
      min_age:
        description: Nothing younger is deleted; V(24h) if nothing is said.
        type: str
      max_delete_percent:
        description: A plan that deletes a larger part is refused; V(50) if nothing is said.
        type: int
      size_anomaly_percent:
        description: If the newest backup is so much smaller than those before, the plan is refused; V(50) if
          nothing is said.
        type: int
  confirm:
    description: Follow the plan even if a guard fires. Floors hold all the same.
    type: bool
    default: false
seealso:
  - module: restorable.postgres.pg_dump
"""

EXAMPLES = r"""
- name: Keep 7 daily, 4 weekly and 3 monthly backups
  restorable.postgres.pg_prune:
    cluster: shop
    repositories:
      local: {type: local, path: /var/backups/restorable}

- name: Keep a year, by the calendar of Berlin
  restorable.postgres.pg_prune:
    cluster: shop
    repositories:
      local: {type: local, path: /var/backups/restorable}
    retention:
      daily: 14
      weekly: 8
      monthly: 12
      timezone: Europe/Berlin
      min_age: 36h
"""

RETURN = r"""
repositories:
  description: The plan of each repository, also in check mode and if a guard fired.
  returned: success, and failure by a guard
  type: list
  elements: dict
  contains:
    repository:
      description: Name of the repository.
      type: str
      sample: local
    policy:
      description: The retention of dumps that counts there, the repository's own or else the cluster's, in words.
      returned: success
      type: str
      sample: daily 7, weekly 4, monthly 3
    kept:
      description: The backups that stay, newest first, with every reason.
      type: list
      elements: dict
      sample:
        - backup: 20261120T030000Z-dump
          time: "2026-11-20T03:00:00+00:00"
          size: 1850112
          reasons: ["daily#1", "floor:newest"]
    dropped:
      description: The backups that go, newest first, with the reason.
      type: list
      elements: dict
      sample:
        - backup: 20260901T030000Z-dump
          time: "2026-09-01T03:00:00+00:00"
          size: 1750112
          reasons: [no tier wants it]
    retained:
      description:
        - Backups that the policy drops and that their store keeps, because object lock or a legal hold forbids to
          delete them. Nothing is wrong, a later prune deletes them.
      type: list
      elements: dict
      sample: []
    stayed:
      description: Backups that the policy drops and that could not be deleted; C(error) says why.
      type: list
      elements: dict
      sample: []
    error:
      description:
        - Why the repository was not pruned, or not to the end, where any repository is enough; empty otherwise.
      returned: success
      type: str
      sample: ""
    freed:
      description: Bytes of the backups that go.
      type: int
      sample: 1750112
    deleted:
      description: Whether they were deleted.
      type: bool
      sample: true
    evidence:
      description:
        - Evidence of drills, records of prunes and events of the journal that go, each with C(key) and C(reason), since
          they are older than C(retention.evidence) of the cluster in O(settings), 400 days if nothing is said.
      type: list
      elements: dict
      sample: []
    wal:
      description:
        - How many WAL files stay and go, the bytes of those that go, and which, in runs with the reason of those that
          stay.
      returned: success
      type: dict
      sample:
        kept: 120
        dropped: 30
        freed: 31457280
        runs:
          - timeline: 1
            first: "000000010000000000000001"
            last: "00000001000000000000001E"
            count: 30
            size: 31457280
            kept_by: ""
    refusals:
      description: The guards that fired.
      type: list
      elements: dict
      sample: []
warnings:
  description: Repositories that were not pruned to the end, and why.
  returned: success
  type: list
  elements: str
  sample: []
words:
  description: The result as a person wants to read it.
  returned: success
  type: str
  sample: "local: 14 kept, 1 dropped (1.8 MB)"
code:
  description: The stable code of an error.
  returned: failure
  type: str
  sample: prune.too_many
hint:
  description: What to do about an error.
  returned: failure
  type: str
  sample: Look at the plan, and confirm it if it is meant.
"""

from ansible_collections.restorable.postgres.plugins.module_utils._module import Call, Plain, run
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.app.report import plan_diff, prune_report
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.model.text import human_bytes
from ansible_collections.restorable.postgres.plugins.module_utils._restorable.ops.prune import prune

COUNT = {"type": "int"}
TEXT = {"type": "str"}
RETENTION = {
    "last": COUNT, "hourly": COUNT, "daily": COUNT, "weekly": COUNT, "monthly": COUNT, "yearly": COUNT, "within": TEXT,
    "timezone": TEXT, "week_ends_on": TEXT, "count_current_period": {"type": "bool"}, "min_keep": COUNT,
    "min_age": TEXT, "max_delete_percent": COUNT, "size_anomaly_percent": COUNT,
}


def prune_backups(call: Call) -> Plain:
    """Prune, and draw the plan as a diff."""
    report = prune_report(prune(call.world, call.cluster.retention, bases=call.cluster.base_retention,
                                evidence=call.cluster.evidence_kept, window=call.cluster.wal_window,
                                dry_run=call.dry_run, confirm=call.params["confirm"]))
    for each in report["repositories"]:
        own = call.settings.repositories[each["repository"]].retention.get("dump")
        each["policy"] = str(own or call.cluster.retention)
    return {**report, "words": _in_words(report["repositories"]),
            "diff": [plan_diff(call.cluster.name, each) for each in report["repositories"]]}


def _in_words(repositories: list[Plain]) -> str:
    return "; ".join(f"{each['repository']}: {len(each['kept'])} kept, {len(each['dropped'])} dropped"
                     f" ({human_bytes(each['freed'])}){_beside(each)}" for each in repositories)


def _beside(repository: Plain) -> str:
    """Tell what a plan could not do: what locks keep, what could not be deleted, and why the rest was left."""
    told = [f", {len(repository[key])} {key}" for key in ("retained", "stayed") if repository[key]]
    return "".join(told) + (f", {repository['error']}" if repository["error"] else "")


def main() -> None:
    """Run the module."""
    run(prune_backups, {"retention": {"type": "dict", "options": RETENTION},
                        "confirm": {"type": "bool", "default": False}}, record="prune")


if __name__ == "__main__":
    main()
