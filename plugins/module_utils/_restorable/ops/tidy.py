# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Sweep before a backup or an adoption, on hosts that may delete and on hosts that may not."""
from __future__ import annotations

from ..errors import ConfigError
from .sweep import Swept, sweep_orphans
from .world import World


def sweep_where_allowed(world: World) -> Swept:
    """Sweep as sweep_orphans does; what this host has no right to delete stays for the one that prunes."""
    try:
        return sweep_orphans(world)
    except ConfigError as error:
        if error.code != "store.denied":
            raise
        return Swept()
