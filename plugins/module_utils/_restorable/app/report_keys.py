# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Turn what a rekey did into plain values."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence

from ..model.pick import PHYSICAL

if TYPE_CHECKING:
    from ..ops.rekey import Rekeyed


def rekey_report(done: Sequence[Rekeyed], *, dry_run: bool = False) -> dict[str, Any]:
    """Describe what became of every set; keys are the objects whose digests the journal keeps."""
    rows = [{"backup": str(each.backup), "action": each.action, "size": each.size, "before": list(each.before),
             "after": list(each.after), "reason": each.reason} for each in done]
    return {"changed": not dry_run and any(each.action == "rekeyed" for each in done), "sets": rows,
            "backups": [row["backup"] for row in rows if row["action"] == "rekeyed"],
            "keys": [each.manifest for each in done if each.manifest],
            "warnings": [*(warning for each in done for warning in each.warnings), *_of_wal(done)],
            "failed": [f"{row['backup']}: {row['reason']}" for row in rows if row["action"] == "failed"]}


def _of_wal(done: Sequence[Rekeyed]) -> list[str]:
    based = sum(each.action == "rekeyed" and each.backup.kind in PHYSICAL for each in done)
    words = (f"WAL is not rekeyed, and base backups ({based} of these) cannot be recovered without theirs: keep the "
             "old identity until all WAL that was sealed for it is pruned")
    return [words] if based else []
