# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Rekey a cluster, sets and WAL, under one lock and in the repositories that can be used."""
from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass

from .reach import reach
from .rekey import Rekeyed, rekey, require_recipients
from .rekey_wal import RekeyedWal, rekey_wal
from .world import World


@dataclass(frozen=True)
class Rekeying:
    """What became of every set and of the WAL, which is None where one set was asked for."""

    sets: list[Rekeyed]
    wal: list[RekeyedWal] | None
    warnings: tuple[str, ...] = ()     # which repositories were left as they were


def rekey_all(world: World, wish: str = "all", *, dry_run: bool = False) -> Rekeying:
    """Give one set, or all and with them the WAL, the recipients of the settings.

    Where any repository is enough, one that cannot be used is left as it is and told; a later rekey goes on there.
    """
    require_recipients(world)
    world, losses = reach(world, write=not dry_run)
    with nullcontext() if dry_run else world.lock.hold("rekey"):
        sets = rekey(world, wish, dry_run=dry_run)
        wal = rekey_wal(world, dry_run=dry_run) if wish == "all" else None
    return Rekeying(sets, wal, losses.warnings("new keys (keep the old identity)", then="restorable rekey"))
