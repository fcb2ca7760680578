# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""restorable wal-stream."""
from __future__ import annotations

import os

from ..call import Call, Result
from .wal_ship import ship


def run(call: Call) -> Result:
    """Receive WAL by the slot and ship what is complete, until a signal comes or the server goes away."""
    from ...postgres.receiver import receiving
    from ..wal import open_stream
    source, spool = open_stream(call.cluster)
    job = call.cluster.wal
    if call.options.dry_run:
        names = source.ready() if os.path.isdir(source.folder) else []
        return Result({"changed": False, "waiting": names}, "".join(f"{name}\n" for name in names),
                      f"dry run: {len(names)} files wait, none was received or archived")
    spool.open()
    with receiving(call.cluster.connection, source.folder, job.slot, source.durable_until,
                   until_now=call.options.once) as receiver:
        done = ship(call, source, spool, until=receiver.ended, held=receiver.held)
        receiver.check()
    return done
