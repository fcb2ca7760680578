# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that dies by SIGKILL in a phase of its work: python -m kit.killed CONFIG VERB PHASE [midst] [WISH].

With wait in place of midst it says "reached" and waits to be killed. WISH is what a restore is to do, as JSON.
"""
from __future__ import annotations

import json
import os
import signal
import sys
import time

from _restorable.app import wire
from _restorable.app.config import load_config
from _restorable.ops.backup import back_up
from _restorable.ops.base import back_up_base
from _restorable.ops.drill import drill
from _restorable.ops.prune import prune
from _restorable.ops.restore import restore
from _restorable.ops.restore_plan import RestoreWish


class Deadly:
    """A Progress that is the end of us when the phase begins, or when its first bytes have passed."""

    def __init__(self, phase: str, *, midst: str) -> None:
        self._fatal, self._midst, self._wait, self._now = phase, midst == "midst", midst == "wait", ""

    def phase(self, name: str, total: int | None = None) -> None:
        self._now = name
        if name == self._fatal and self._wait:
            print("reached", flush=True)
            time.sleep(60)
        if name == self._fatal and not self._midst:
            os.kill(os.getpid(), signal.SIGKILL)

    def advance(self, count: int) -> None:
        if self._midst and self._now == self._fatal:
            os.kill(os.getpid(), signal.SIGKILL)


def main(config: str, verb: str, phase: str, midst: str = "", wish: str = "{}") -> None:
    settings = load_config(config)
    cluster = settings.cluster("")
    world = wire.open_world(settings, cluster, Deadly(phase, midst=midst))
    if verb == "backup":
        back_up(world, wire.open_cluster(cluster), cluster.dump)
    elif verb == "base":
        back_up_base(world, wire.open_source(cluster), cluster.base, archived=False)
    elif verb == "drill":
        drill(world, wire.open_scratch(cluster), cluster, cluster.drill, choose=wire.chooser(1))
    elif verb == "restore":
        words = {key: tuple(value) if isinstance(value, list) else value for key, value in json.loads(wish).items()}
        restore(world, wire.open_target(cluster), RestoreWish(**words), choose=wire.chooser(1))
    elif verb == "prune":
        prune(world, cluster.retention)
    else:
        raise SystemExit(f"unknown verb {verb!r}")


if __name__ == "__main__":
    main(*sys.argv[1:])
