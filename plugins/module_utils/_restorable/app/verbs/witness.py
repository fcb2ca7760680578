# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""restorable witness."""
from __future__ import annotations

from ..call import Call, Result


def run(call: Call) -> Result:
    """Write one witness row now, between backups; only where the settings name a database for it."""
    name, writer = call.cluster.name, call.world().witness
    if writer is None:
        return Result({"changed": False}, done=f"skipped: witness {name}: the settings name no witness.database")
    if call.options.dry_run:
        return Result({"changed": False, "database": writer.database}, done="dry run: no witness row was written")
    found = writer.write()
    report = {"changed": True, "database": writer.database, **found.as_dict()}
    return Result(report, done=f"done: witness {name} row {found.row.number} of {found.row.at:%Y-%m-%dT%H:%M:%SZ} at "
                               f"{found.lsn}")
