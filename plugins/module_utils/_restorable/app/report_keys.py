# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Turn what a rekey did into plain values."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence

from ..model.pick import PHYSICAL
from .render import counted

if TYPE_CHECKING:
    from ..ops.rekey import Rekeyed
    from ..ops.rekey_wal import RekeyedWal


def rekey_report(done: Sequence[Rekeyed], wal: Sequence[RekeyedWal] | None = None, *,
                 warnings: Sequence[str] = (), dry_run: bool = False) -> dict[str, Any]:
    """Describe what became of every set and of the WAL, None where that was not asked for.

    warnings are those of repositories; keys are the objects whose digests the journal keeps.
    """
    rows = [{"backup": str(each.backup), "action": each.action, "size": each.size, "before": list(each.before),
             "after": list(each.after), "reason": each.reason} for each in done]
    anew = any(each.action == "rekeyed" for each in done) or any(each.rekeyed for each in wal or ())
    return {"changed": not dry_run and anew, "sets": rows, "wal": [_wal(each) for each in wal or ()],
            "backups": [row["backup"] for row in rows if row["action"] == "rekeyed"],
            "keys": [each.manifest for each in done if each.manifest],
            "warnings": [*warnings, *(warning for each in done for warning in each.warnings), *_of_wal(done, wal)],
            "failed": [*(f"{row['backup']}: {row['reason']}" for row in rows if row["action"] == "failed"),
                       *(_failed(each) for each in wal or () if each.failed)]}


def _wal(row: RekeyedWal) -> dict[str, Any]:
    return {"repository": row.repository, "rekeyed": row.rekeyed, "current": row.current, "size": row.size,
            "failed": row.failed, "reasons": list(row.reasons), "stay": row.stay}


def _failed(row: RekeyedWal) -> str:
    """Tell of the first file by name; the others are in the report."""
    return f"WAL of {row.repository}: {counted(row.failed, 'file')} not rekeyed: {row.reasons[0]}"


def _of_wal(done: Sequence[Rekeyed], wal: Sequence[RekeyedWal] | None) -> list[str]:
    based = sum(each.action == "rekeyed" and each.backup.kind in PHYSICAL for each in done)
    words = (f"a rekey of one backup leaves WAL as it was sealed, and base backups ({based} of these) cannot be "
             "recovered without theirs: run `restorable rekey` for all, or keep the old identity")
    return [*([words] if based and wal is None else []),
            *(f"{row.stay} files of WAL in repository {row.repository} stay under the old keys beside their new form "
              f"until a later rekey: {row.why}" for row in wal or () if row.stay)]
