# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Turn what operations on base backups return into plain values; report.py says the rules."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .report import plain_mapping

if TYPE_CHECKING:
    from ..ops.base import BaseDone

Plain = dict[str, Any]


def base_report(done: BaseDone) -> Plain:
    """Describe a base backup that was taken, planned, or not needed; without `size` nothing was written."""
    plan, manifest = done.plan, done.manifest
    body: Plain = {
        "changed": done.changed and not plan.skipped_because, "backup": "" if plan.skipped_because else str(plan.id),
        "kind": plan.id.kind, "skipped_because": plan.skipped_because, "repositories": list(plan.repositories),
        "server": plan.server.version, "from_standby": plan.server.in_recovery, "parent": plan.parent,
        "self_contained": plan.self_contained, "expected_size": plan.last_size, "swept": list(done.swept),
        "server_size": sum(each.size for each in plan.server.databases), "warnings": list(done.warnings)}
    if manifest is not None and manifest.base is not None:
        base = manifest.base
        body.update(
            size=manifest.size, seconds=(manifest.ended - manifest.begun).total_seconds(), file_count=base.files,
            data_size=base.size, start_lsn=base.start_lsn, stop_lsn=base.stop_lsn, timeline=base.timeline,
            stop_time=base.stop_time, checksums=base.checksums, not_covered=list(manifest.not_covered),
            tablespaces=[{"oid": each.oid, "path": each.path} for each in base.tablespaces])
    return plain_mapping(body)
