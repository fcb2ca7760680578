# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Decide before anything is written: which base, which WAL, which server, whether it fits, whether it is reachable."""
from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Mapping, Sequence

from ..errors import Damaged, NotFound, Refused, RestorableError, Unavailable
from ..model.leading import pending, segments_inside
from ..model.lsn import Lsn
from ..model.manifest import Manifest
from ..model.naming import BackupId, drill_prefix, parse_drill_key
from ..model.pick import PHYSICAL
from ..model.recovery import Window, choose_window
from ..model.recovery_target import Target
from ..model.timeline import Lineage
from ..model.wal import Segment, history_name
from ..ports import Store
from .base_chain import read_chain
from .other_timelines import other_histories, point_elsewhere
from .recovery_ports import RecoveryPlace
from .wal_feed import AHEAD
from .windows import Recoverable, recoverable, refuse_a_gap_between
from .world import World

BEGUN = 2                          # segments that a server writes while it ends a recovery


@dataclass(frozen=True)
class RecoverWish:
    """What a user asks for."""

    target: Target = Target()
    backup: str = ""               # a base to begin with; empty: the best one
    timeline: int = 0              # 0: the newest
    force: bool = False            # move aside what is in the data directory


@dataclass(frozen=True)
class RecoverPlan:
    """What a recovery will do."""

    store: Store
    target: Target
    chain: tuple[Manifest, ...]    # the base, or a full one and its incrementals, oldest first
    window: Window
    timeline: int
    segments: tuple[Segment, ...]  # that lie in the archive and will be asked for
    server: str                    # in words
    data: str                      # the data directory; empty in a scratch folder
    places: Mapping[int, str]      # tablespaces
    size: int                      # bytes of the data directory with its tablespaces
    needed: int                    # bytes needed on the way
    free: int | None
    moved_aside: tuple[str, ...] = ()
    expected_seconds: float | None = None
    notes: tuple[str, ...] = field(default=())
    lineage: Lineage = Lineage(1)  # what recovery follows

    @property
    def base(self) -> Manifest:
        """Return the backup that recovery begins with."""
        return self.chain[-1]

    @property
    def segment_size(self) -> int:
        """Return the bytes of one WAL segment."""
        return self.window.base.segment_size

    def settings(self) -> dict[str, str]:
        """Return the settings by which the server recovers to the target."""
        found = self.target.settings(self.timeline)
        if self.timeline > 1 and not self.lineage.ancestors:
            # a number wants the history file, which the timeline of the base itself goes without (xlogrecovery.c)
            found["recovery_target_timeline"] = "current"
        return found

    @property
    def major(self) -> int:
        """Return the server's major version."""
        return int(self.base.server.get("version_num", 0)) // 10000


def plan_recovery(world: World, place: RecoveryPlace, wish: RecoverWish) -> RecoverPlan:
    """Return the plan from the first repository that can be read and reaches the target; raise what forbids it.

    A repository that is gone, or lacks what another has, stops no recovery from another one; it is told. Where the
    newest timeline does not lead to the target, or may lead to another one than is meant, the others are named.
    """
    try:
        found, plan = _first_plan(world, place, wish)
    except RestorableError as error:
        raise point_elsewhere(world, error, wish.target, only=wish.backup, tried=wish.timeline) from None
    if wish.timeline:
        return plan
    return replace(plan, notes=(*plan.notes, *other_histories(world, found, wish.target, wish.backup)))


def _first_plan(world: World, place: RecoveryPlace, wish: RecoverWish) -> tuple[Recoverable, RecoverPlan]:
    first: RestorableError | None = None
    notes: list[str] = []
    for store in world.stores:
        try:
            store.check(write=False)
            found = recoverable(world, store, timeline=wish.timeline, only=wish.backup)
            window = choose_window(found.windows, wish.target, world.clock.now())
            if wish.target.kind in ("latest", "xid", "name"):
                refuse_a_gap_between(world, found, window, wish.target)
            chain = read_chain(world, store, window.backup, found.catalogue)
        except (Damaged, NotFound, Refused, Unavailable) as error:
            first = first or error
            notes.append(f"repository {store.name} was passed over: {error.message}")
            continue
        return found, _plan(world, place, wish, found, window, chain, notes)
    raise first or NotFound(f"cluster {world.cluster} has no repository", hint="Name one.", code="repository.none")


def plan_on_its_timeline(world: World, place: RecoveryPlace, manifest: Manifest, target: Target) -> RecoverPlan:
    """Plan from one backup along the newest timeline or, where that left the backup's own before it, along its own."""
    try:
        return _first_plan(world, place, RecoverWish(target, str(manifest.id)))[1]
    except Refused as error:
        if error.code != "recover.other_timeline" or manifest.base is None:
            raise
    own = manifest.base.timeline
    plan = _first_plan(world, place, RecoverWish(target, str(manifest.id), own))[1]
    told = f"{manifest.id} lies beside the newest timeline, and was recovered along its own, timeline {own}"
    return replace(plan, notes=(*plan.notes, told))


def _plan(world: World, place: RecoveryPlace, wish: RecoverWish, found: Recoverable, window: Window,
          chain: tuple[Manifest, ...], notes: Sequence[str]) -> RecoverPlan:
    major = int(chain[-1].server.get("version_num", 0)) // 10000
    server = place.plan(major)
    data, places = place.folders({each.oid: each.path for each in window.base.tablespaces})
    aside = place.guard(_folders(data, places), force=wish.force)
    segments = tuple(found.segments(window))
    size = sum(each.base.size for each in chain if each.base)
    needed = _needed(chain, window, len(segments))
    free = place.room({data: needed - _spaces(window), **{places[each.oid]: each.size
                                                          for each in window.base.tablespaces if places}})
    lost = "" if found.lineage.timeline == 1 or found.lineage.ancestors else (
        f"{history_name(found.lineage.timeline)} is not in repository {found.store.name}: only bases of that timeline "
        "itself can be recovered along it")
    late = pending(found.lineage, window.reach, window.base.segment_size) if wish.target.kind != "immediate" else ""
    return RecoverPlan(
        found.store, wish.target, chain, window, found.lineage.timeline, segments, server, data, places, size, needed,
        min(free.values(), default=None), tuple(aside), _expected(world, found.store),
        (*notes, *found.unreadable, *filter(None, [late, lost])), found.lineage)


def _folders(data: str, places: Mapping[int, str]) -> list[str]:
    return [data, *places.values()] if data else []


def _spaces(window: Window) -> int:
    return sum(each.size for each in window.base.tablespaces)


def _needed(chain: Sequence[Manifest], window: Window, segments: int) -> int:
    """Return the bytes of the files, of the members of a chain while they are joined, and of the WAL on its way.

    A self-contained base lists no WAL among its files and brings it all the same, as does each member of a chain and
    then what they are joined to. The new timeline is begun in segments of its own.
    """
    own = [segments_inside(each.base) * each.base.segment_size for each in chain if each.base]
    files = sum(each.base.size for each in chain if each.base)
    members = files + sum(own) if len(chain) > 1 else 0
    return files + own[-1] + members + (min(segments, 2 * AHEAD) + BEGUN) * window.base.segment_size


def _expected(world: World, store: Store) -> float | None:
    """Return what the last drill of a base backup took, or None."""
    keys = [(found[0], entry.key) for entry in store.list(drill_prefix(world.cluster))
            for found in [parse_drill_key(entry.key)] if found and _physical(found[1]) and found[2] == "passed"]
    if not keys:
        return None
    try:
        evidence = json.loads(b"".join(store.get(max(keys)[1])))
        return float(evidence["rto"])
    except (ValueError, KeyError, TypeError):
        return None                    # evidence that was damaged tells no time, and stops no recovery


def _physical(backup: BackupId) -> bool:
    return backup.kind in PHYSICAL


def last_segment_start(plan: RecoverPlan) -> Lsn | None:
    """Return where the last archived segment begins, which a recovery to the end must come to."""
    return plan.segments[-1].start if plan.segments else None
