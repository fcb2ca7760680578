# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""What can be recovered from a repository: every base backup, and how far its WAL leads without a gap."""
from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from ..errors import Damaged, NotFound, Refused, Unavailable
from ..model.catalogue import Catalogue
from ..model.leading import lead
from ..model.lsn import Lsn
from ..model.manifest import Manifest
from ..model.naming import BackupId
from ..model.pick import PHYSICAL
from ..model.recovery import Window, gap
from ..model.recovery_target import Target
from ..model.timeline import Lineage, latest
from ..model.wal import Segment
from ..model.wal_catalogue import WalCatalogue
from ..model.wal_naming import wal_file_prefix
from ..ports import Store
from .wal_reading import read_lineage, read_wal_catalogue
from .world import World, read_catalogue, read_manifest


@dataclass(frozen=True)
class Recoverable:
    """The base backups of one repository, its WAL, and the line of history they are seen on."""

    store: Store
    catalogue: Catalogue
    wal: WalCatalogue
    lineage: Lineage
    windows: tuple[Window, ...]
    manifests: dict[BackupId, Manifest]
    unreadable: tuple[str, ...] = ()

    def segments(self, window: Window) -> list[Segment]:
        """Return the archived segments that recovery from a base will ask for, in order."""
        wanted = self.lineage.segments(Lsn.parse(window.base.start_lsn), window.reach, self.wal.segment_size)
        return [each for each in wanted if self.wal.has(each)]


@dataclass(frozen=True)
class Holdings:
    """The base backups of one repository and its WAL, on whatever timelines they lie."""

    store: Store
    catalogue: Catalogue
    wal: WalCatalogue
    manifests: dict[BackupId, Manifest]
    unreadable: tuple[str, ...] = ()

    def timelines(self) -> list[int]:
        """Return the timelines that something of it lies on, the newest first."""
        bases = [each.base.timeline for each in self.manifests.values() if each.base]
        return sorted({*(each.file.timeline for each in self.wal.histories), *self.wal.timelines(), *bases},
                      reverse=True)


def recoverable(world: World, store: Store, *, timeline: int = 0, only: str = "") -> Recoverable:
    """Read what one repository holds; timeline 0 is the newest, only names one base backup."""
    return along(world, read_holdings(world, store, only=only), timeline)


def read_holdings(world: World, store: Store, *, only: str = "") -> Holdings:
    """Read what one repository holds; only names one base backup."""
    catalogue, wal = read_catalogue(store, world.cluster), read_wal_catalogue(world, store)
    bases = [each for each in catalogue.committed() if each.id.kind in PHYSICAL]
    if not bases:
        raise NotFound(f"repository {store.name} holds no base backup of cluster {world.cluster}",
                       hint="Take one with `restorable backup --kind base`.", code="recover.no_base")
    if only:
        found = catalogue.get(only)
        if found.id.kind not in PHYSICAL:
            raise Refused(f"backup {found.id} is no base backup", code="recover.not_physical",
                          hint="Bring it back with `restorable restore`.")
        bases = [found]
    manifests, unreadable = _manifests(world, store, [each.id for each in bases])
    return Holdings(store, catalogue, wal, manifests, unreadable)


def along(world: World, held: Holdings, timeline: int = 0) -> Recoverable:
    """Return what can be recovered along one timeline; 0 is the newest."""
    store, wal, manifests = held.store, held.wal, held.manifests
    lineage = _lineage(world, store, wal, manifests, timeline)
    windows = tuple(_window(world, store, wal, lineage, backup, manifest) for backup, manifest in manifests.items()
                    if manifest.base and lineage.has(manifest.base.timeline, Lsn.parse(manifest.base.stop_lsn)))
    if not windows and manifests:
        raise Refused(f"no base backup in repository {store.name} lies on timeline {lineage.timeline}",
                      code="recover.other_timeline",
                      hint="Choose another with --timeline, or take a base backup on this one.")
    return Recoverable(store, held.catalogue, wal, lineage, windows, manifests, held.unreadable)


def window_of(world: World, store: Store, backup: BackupId) -> Window:
    """Return how far one base backup leads: on the newest timeline or, where that left its own before it, on its own.

    Raises what recoverable raises.
    """
    try:
        return recoverable(world, store, only=str(backup)).windows[0]
    except Refused as error:
        base = read_manifest(store, world.cluster, backup).base if error.code == "recover.other_timeline" else None
        if base is None:
            raise
    return recoverable(world, store, timeline=base.timeline, only=str(backup)).windows[0]


def refuse_a_gap_between(world: World, found: Recoverable, window: Window, target: Target) -> None:
    """Raise Refused if WAL of another repository lies behind a gap that no repository fills.

    Recovery reads every segment from whichever repository has it, so the end is where all of them together end.
    """
    others = [read_wal_catalogue(world, store) for store in readable(world, found.store)]
    reach = window.reach
    while True:
        further = max((each.reach(found.lineage, reach) for each in (found.wal, *others)), default=reach)
        if further <= reach:
            break
        reach = further
    if others and max(each.newest(found.lineage) for each in others) > max(reach, window.start):
        raise gap(replace(window, reach=reach, beyond=True), target)


def readable(world: World, read: Store) -> list[Store]:
    found = []
    for store in world.stores:
        try:
            if store is not read:
                store.check(write=False)
                found.append(store)
        except Unavailable:
            continue                   # where the end would be, the recovery itself asks it, and stops if it cannot
    return found


def _manifests(world: World, store: Store,
               backups: list[BackupId]) -> tuple[dict[BackupId, Manifest], tuple[str, ...]]:
    found: dict[BackupId, Manifest] = {}
    unreadable: list[str] = []
    for each in backups:
        try:
            found[each] = read_manifest(store, world.cluster, each)
        except Damaged as error:
            unreadable.append(error.message)
    if not found:
        raise Damaged(unreadable[0], code="manifest.damaged", hint="Recover from another repository.")
    return found, tuple(unreadable)


def _lineage(world: World, store: Store, wal: WalCatalogue, manifests: dict[BackupId, Manifest],
             timeline: int) -> Lineage:
    numbers = [each.base.timeline for each in manifests.values() if each.base]
    known = {stored.file.timeline: "" for stored in wal.histories}
    there = {*known, *wal.timelines(), *numbers}
    if timeline and not 1 <= timeline <= max(there):
        raise Refused(f"timeline {timeline} is not in repository {store.name}, which has "
                      f"{' and '.join(map(str, sorted(there)))}", code="recover.other_timeline",
                      hint="Choose one of these with --timeline, or leave it out for the newest.")
    newest = timeline or max(latest(known, dict.fromkeys(wal.timelines())), *numbers)
    across = any(each.base.timeline == newest and each.base.left for each in manifests.values() if each.base)
    if newest not in known and newest in numbers and not across:
        # a base on a timeline whose history is not archived needs no ancestors
        return Lineage(newest)
    return read_lineage(world, store, wal, newest)


def _window(world: World, store: Store, wal: WalCatalogue, lineage: Lineage, backup: BackupId,
            manifest: Manifest) -> Window:
    base = manifest.base
    if base is None:
        raise Damaged(f"manifest of {backup} describes no base backup", code="manifest.damaged",
                      hint="Use another backup.")
    reach, beyond = lead(wal, lineage, base, standby=bool(manifest.server.get("in_recovery")))
    until = _archived(world, store, wal, lineage, reach) if reach > Lsn.parse(base.start_lsn) else None
    return Window(backup, base, reach, until, beyond)


def _archived(world: World, store: Store, wal: WalCatalogue, lineage: Lineage, reach: Lsn) -> datetime | None:
    """Return when the last segment before reach was stored: nothing that was committed later can be in it."""
    number = Segment.before_lsn(1, reach, wal.segment_size).number
    name = Segment(lineage.timeline_at(number, wal.segment_size), number, wal.segment_size).name
    times = [entry.modified for entry in store.list(wal_file_prefix(world.cluster, name)) if entry.modified]
    return max(times, default=None)
