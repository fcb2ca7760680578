# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Read from their manifests which WAL the base backups of a repository need."""
from __future__ import annotations

from datetime import datetime
from typing import Collection, Iterable

from ..errors import RestorableError
from ..model.catalogue import Backup
from ..model.lsn import Lsn
from ..model.naming import BackupId
from ..model.wal_retention import BaseSpan
from ..ports import Store
from .world import World, read_manifest

PHYSICAL = ("base", "incr")


def base_spans(world: World, store: Store, backups: Iterable[Backup],
               bare: Collection[BackupId] = ()) -> tuple[list[BaseSpan], list[str]]:
    """Return the spans of the base backups among some sets, and the ids of those whose manifest cannot be read.

    bare are those that stay without any later moment.
    """
    spans, unreadable = [], []
    for backup in backups:
        if backup.id.kind not in PHYSICAL:
            continue
        try:
            manifest = read_manifest(store, world.cluster, backup.id)
        except RestorableError:
            unreadable.append(str(backup.id))
            continue
        if manifest.base is None:
            unreadable.append(str(backup.id))
            continue
        report = manifest.base
        spans.append(BaseSpan(str(backup.id), datetime.fromisoformat(report.stop_time), report.timeline,
                              Lsn.parse(report.start_lsn), Lsn.parse(report.stop_lsn), backup.id not in bare,
                              report.lineage.ancestors))
    return spans, unreadable
