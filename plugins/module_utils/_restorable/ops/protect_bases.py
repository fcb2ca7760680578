# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Lock what a locked base backup is worth nothing without as long as itself: its parents, and the WAL of its own span.

WAL of later moments is locked from its writing on, as all WAL is. To lock it longer by each prune would ask the store
for every segment, of which a year has millions.
"""
from __future__ import annotations

from datetime import datetime
from typing import Iterator

from ..errors import RestorableError
from ..model.base import BaseReport
from ..model.base_retention import longest
from ..model.catalogue import Backup, Catalogue
from ..model.naming import BackupId
from ..model.pick import PHYSICAL
from ..model.retention import Plan
from ..model.wal import history_name
from ..model.wal_naming import binding_key, wal_file_prefix
from ..ports import Store
from .protect import keys_of, lock_kept, protection_of
from .world import World, read_manifest


def lock_plan(world: World, store: Store, catalogue: Catalogue, plan: Plan) -> None:
    """Lock every kept set as long as the tiers that keep it ask for, and what it needs, where the store can."""
    until = lock_kept(store, world.cluster, catalogue, plan, world.clock.now())
    protection = protection_of(store)
    if not protection or not until:
        return
    by_id = {each.id: each for each in catalogue.backups}
    reports = dict(_reports(world, store, [by_id[row.id] for row in plan.kept if row.id in by_id]))
    parents = {each: BackupId.parse(report.parent) for each, report in reports.items() if report.parent}
    needed = longest(until, parents)
    for each in sorted(needed.keys() & by_id.keys()):
        if needed[each] != until.get(each):
            protection.extend(keys_of(world.cluster, by_id[each]), needed[each])
    wal: dict[str, datetime] = {}
    for each, report in reports.items():
        if each in needed:
            for prefix in _wal(world.cluster, report):
                wal[prefix] = max(needed[each], wal.get(prefix, needed[each]))
    for prefix, when in sorted(wal.items()):
        protection.extend([entry.key for entry in store.list(prefix)], when)


def _reports(world: World, store: Store, backups: list[Backup]) -> Iterator[tuple[BackupId, BaseReport]]:
    for backup in backups:
        if backup.id.kind in PHYSICAL:
            try:
                report = read_manifest(store, world.cluster, backup.id).base
            except RestorableError:
                continue               # verify tells; for its sake all WAL stays
            if report is not None:
                yield backup.id, report


def _wal(cluster: str, report: BaseReport) -> Iterator[str]:
    """Yield the prefixes of the files without which the base backup cannot be made consistent."""
    for segment in report.segments():
        yield wal_file_prefix(cluster, segment.name)
    if report.timeline > 1:
        yield wal_file_prefix(cluster, history_name(report.timeline))
    yield binding_key(cluster, report.segment_size)
