# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Have a witness row written beside a backup, and ask a recovered server for those that it must have."""
from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import Damaged, NotFound, RestorableError
from ..model.lsn import Lsn
from ..model.manifest import Manifest
from ..model.witness import Witness, WitnessRow, judge_rows
from ..ports import Target

if TYPE_CHECKING:
    from .ladder import Ladder
    from .recover_plan import RecoverPlan
    from .world import World

_THERE = "SELECT to_regclass('restorable.witness') IS NOT NULL"
_ROWS = "SELECT number::text, at::text, token::text FROM restorable.witness ORDER BY number"


class Witnessing(Protocol):
    """What writes rows into the source; only there if the settings ask for it."""

    @property
    def database(self) -> str:
        """Return the database of the rows."""

    @property
    def keep(self) -> timedelta:
        """Return how long rows stay."""

    def write(self) -> Witness:
        """Commit one row, durably; raise Refused on a standby, ToolFailed if the server does not let us."""


def witnessed(world: World) -> dict[str, Any]:
    """Write a row if the settings ask for it; return what the manifest keeps of it among the server's facts.

    A row that cannot be written stops no backup; why is kept instead.
    """
    if world.witness is None:
        return {}
    try:
        return {"witness": world.witness.write().as_dict()}
    except RestorableError as error:
        return {"no_witness": error.message}


def unwitnessed(manifest: Manifest) -> tuple[str, ...]:
    """Return a warning for a backup without the witness row that was asked for."""
    why = manifest.server.get("no_witness")
    return (f"backup {manifest.id} has no witness row: {why}",) if why else ()


def check_witnesses(world: World, plan: RecoverPlan, target: Target, replayed: Lsn, ladder: Ladder) -> None:
    """L7: the recovered server has every row that was committed before where it stopped, and none that came later."""
    if world.witness is None:
        return
    known = known_witnesses(world, plan)
    rows = _rows(target, world.witness.database)
    if not rows and not known:
        ladder.not_run("L7", "witness rows", "none was written yet", optional=True)
        return
    until = plan.target.time if plan.target.kind == "time" else None
    with ladder.rung("L7", "witness rows"):
        words = judge_rows(rows, known, lineage=plan.lineage, replayed=replayed, until=until, keep=world.witness.keep)
        ladder.notes.append(f"witness rows: {words}")


def known_witnesses(world: World, plan: RecoverPlan) -> list[Witness]:
    """Return the rows that the manifests of a repository tell of; one that cannot be read tells of none."""
    from .world import read_catalogue, read_manifest
    found: list[Witness] = []
    for backup in read_catalogue(plan.store, world.cluster).committed():
        try:
            body = read_manifest(plan.store, world.cluster, backup.id).server.get("witness")
            found += [Witness.of(body)] if body else []
        except (Damaged, NotFound, ValueError, KeyError, TypeError):
            continue                   # verify and the audit tell of it
    return found


def _rows(target: Target, database: str) -> list[WitnessRow]:
    names = {each.name for each in target.server().databases}
    if database not in names or target.query(database, _THERE) != [["t"]]:
        return []
    return [WitnessRow(int(number or 0), _time(at or ""), token or "")
            for number, at, token in target.query(database, _ROWS)]


def _time(text: str) -> datetime:
    # "2026-11-20 13:30:00.5+00": digits of the fraction and of the offset are left out, which older Pythons refuse
    moment, _plus, _zone = text.partition("+")
    whole, _point, fraction = moment.partition(".")
    return datetime.fromisoformat(f"{whole}.{fraction:0<6}+00:00")
