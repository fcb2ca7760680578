# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""restorable wal-ship."""
from __future__ import annotations

from typing import TYPE_CHECKING, Callable

from ..call import Call, Result

if TYPE_CHECKING:
    from ...host.wal_source import ServerSpool
    from ...ops.wal_ports import WalSource


def run(call: Call) -> Result:
    """Ship what the server finishes until a signal comes."""
    from ..wal import open_server_wal
    source, spool = open_server_wal(call.cluster)
    if call.options.dry_run:
        names = source.ready()
        return Result({"changed": False, "waiting": names}, "".join(f"{name}\n" for name in names),
                      f"dry run: {len(names)} files wait, none was archived")
    return ship(call, source, spool)


def never() -> bool:
    """Say that there is no end but a signal."""
    return False


def ship(call: Call, source: WalSource, spool: ServerSpool, *, until: Callable[[], bool] = never,
         held: Callable[[], int] | None = None) -> Result:
    """Ship from a source until that says so, or a signal comes; what waits then is shipped, with --once at once.

    held tells the bytes that the server keeps for a slot.
    """
    from ...host.memory import one_heap
    from ...ops.wal_ship import Shipper
    from ..wal import open_archive, pause
    one_heap()
    world = call.world()
    shipper = Shipper(open_archive(world, call.cluster), source, spool, world.clock, pause, call.console.warn,
                      call.cluster.wal_window, held)
    spool.open()
    try:
        if not (call.options.once and until is never):
            shipper.run(until)
        shipper.drain()
    finally:
        spool.close()
    refused = shipper.refused()
    return Result({"changed": bool(shipper.shipped), "shipped": shipper.shipped, "last": shipper.last,
                   "refused": {name: error.as_dict() for name, error in refused.items()}},
                  done=f"done: {shipper.shipped} files archived", error=next(iter(refused.values()), None),
                  status=max((error.exit_status for error in refused.values()), default=0))
