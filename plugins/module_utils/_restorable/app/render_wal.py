# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Turn what retention does with WAL into lines for people."""
from __future__ import annotations

from typing import Any, Mapping

from ..model.text import human_bytes, table


def wal_lines(repository: Mapping[str, Any]) -> list[str]:
    """Return a line for each run of WAL files with its fate, and their sum; nothing where there is no WAL."""
    wal = repository.get("wal") or {"runs": []}
    if not wal["runs"]:
        return []
    rows = [["keep" if run["kept_by"] else "drop", f"WAL {run['first']} to {run['last']}", human_bytes(run["size"]),
             run["kept_by"] or "no base backup needs it"] for run in wal["runs"]]
    total = "freed" if repository["deleted"] else "to free"
    return [*(f"  {line}" for line in table(rows, "<<><")),
            f"  {wal['kept']} WAL files kept, {wal['dropped']} dropped, {human_bytes(wal['freed'])} {total}"]
