# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Turn what the operations on WAL return into plain values."""
from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Mapping, Sequence

from .report import iso, plain_mapping

if TYPE_CHECKING:
    from ..model.archiving import Archiver
    from ..model.wal_catalogue import Interval
    from ..model.wal_retention import WalPlan
    from ..ops.archiving import ArchivingReport
    from ..ops.wal_info import RepositoryWal

Plain = dict[str, Any]


def wal_plan_report(plan: WalPlan | None) -> Plain:
    """Describe what retention keeps and drops of a repository's WAL, in runs."""
    if plan is None:
        return {"kept": 0, "dropped": 0, "freed": 0, "runs": []}
    kept = sum(each.count for each in plan.fates) - plan.count
    return {"kept": kept, "dropped": plan.count, "freed": plan.freed, "runs": [
        {"timeline": each.timeline, "first": each.first, "last": each.last, "count": each.count, "size": each.size,
         "kept_by": each.reason} for each in plan.fates]}


def archiving_report(done: ArchivingReport) -> Plain:
    """Describe how a server's archiving was set, or would be."""
    return {"changed": done.changed, "changes": [asdict(each) for each in done.changes], "slot_made": done.slot_made,
            "spool_changed": done.spool_changed, "pending_restart": list(done.pending_restart),
            "restarted": done.restarted, "proven": done.proven, "seconds": done.seconds,
            "settings": dict(done.after)}


def wal_info_report(rows: Sequence[RepositoryWal], found: Archiver | None, shipper: Mapping[str, Any]) -> Plain:
    """Describe how far the archive is behind the server, its holes, and what can be recovered."""
    return {"changed": False, "server": _server(found), "shipper": plain_mapping(shipper),
            "repositories": [_repository(row) for row in rows]}


def _server(found: Archiver | None) -> Plain | None:
    if found is None:
        return None
    return {"system_identifier": found.system_identifier, "current": found.current, "in_recovery": found.in_recovery,
            "last_archived": found.last_archived, "last_archived_age": found.last_archived_age,
            "last_failed": found.last_failed, "last_failed_age": found.last_failed_age, "waiting": found.ready,
            "slot": dict(found.slot) if found.slot else None,
            "settings": {name: each.value for name, each in found.settings.items()},
            "pending_restart": [name for name, each in found.settings.items() if each.pending_restart]}


def _repository(row: RepositoryWal) -> Plain:
    catalogue = row.catalogue
    newest = max(catalogue.timelines(), default=0)
    last = catalogue.last(newest) if newest else None
    return {"repository": row.name, "error": row.error, "segments": catalogue.count, "size": catalogue.size,
            "segment_size": catalogue.segment_size, "last": last.name if last else "", "behind": row.behind,
            "timelines": list(catalogue.timelines()), "conflicts": list(catalogue.conflicts),
            "gaps": [_gap(each, catalogue.segment_size) for each in row.gaps],
            "windows": [{"base": str(each.backup), "since": iso(each.begin), "start": str(each.start),
                         "until": iso(each.until if each.reach > each.start else each.begin),
                         "until_lsn": str(max(each.reach, each.start)), "whole": each.whole, "gap_behind": each.beyond}
                        for each in row.windows]}


def _gap(gap: Interval, size: int) -> Plain:
    from ..model.wal import Segment
    return {"first": Segment(gap.timeline, gap.first, size).name, "last": Segment(gap.timeline, gap.last, size).name,
            "count": gap.count}
