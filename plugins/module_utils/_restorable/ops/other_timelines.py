# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""See what the other timelines lead to, so that no recovery follows another history than the one that was meant.

The default is PostgreSQL's own, the newest timeline (recovery_target_timeline = latest in runtime-config-wal.html). It
goes back to the place where it left an older one. What that one wrote behind the place, before the newest had begun,
is a history of its own, to which PostgreSQL returns only if it is told the number (continuous-archiving.html,
Timelines).
"""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Iterator, Sequence

from ..errors import Damaged, NotFound, Refused, RestorableError, Unavailable
from ..model.lsn import Lsn
from ..model.recovery import Window, choose_window
from ..model.recovery_target import Target
from ..model.timeline import Lineage
from ..model.wal import Segment, history_name
from ..model.wal_naming import wal_file_prefix
from .windows import Holdings, Recoverable, along, read_holdings, readable
from .world import World

ONE_PLACE = ("time", "lsn", "xid", "name")     # targets that lie in one history; the others are ends of the newest
ELSEWHERE = ("recover.gap", "recover.no_base", "recover.not_reached", "recover.other_timeline", "recover.out_of_reach",
             "wal.no_history")


@dataclass(frozen=True)
class Other:
    """A timeline that leads to the target by WAL of its own."""

    timeline: int
    window: Window
    left: Lsn                      # where the history that was asked for and this one part
    after: int                     # that history's own timeline behind the place
    leads: bool = True             # not only until shortly before it

    def words(self, target: Target) -> str:
        """Say that it leads there; whether it holds a transaction or a restore point is seen only on the way."""
        if not self.leads:
            return f"timeline {self.timeline} ends before it, from base {self.window}: ask it for a moment before that"
        verb = "leads" if target.kind in ("time", "lsn") else "may lead"
        return f"timeline {self.timeline} {verb} there, from base {self.window}"


def other_histories(world: World, found: Recoverable, target: Target, only: str) -> tuple[str, ...]:
    """Return a note of each timeline beside the newest that leads to the target as well.

    Raises Refused if the target may lie behind where the newest history left that one and before it began its own: what
    was then, only the other one knows. only names one base backup.
    """
    if target.kind not in ONE_PLACE or not found.lineage.ancestors:
        return ()
    others = list(_everywhere(world, found, target, only))
    meant = [each for each in others if _before_the_newest(world, found, target, each)]
    if meant:
        one, newest = meant[0], found.lineage.timeline
        had = f"timeline {newest} had nothing of its own then, and goes back to {one.left}" if target.kind == "time" \
            else f"timeline {newest} leads to its own LSN of that number"
        raise _pointed(Refused(
            f"{target} may lie in two histories: timeline {one.timeline} was archived beyond {one.left}, where "
            f"timeline {one.after} left it", code="recover.two_histories",
            hint=_sentence([*(each.words(target) for each in meant), had])),
            [*(each.timeline for each in meant if each.leads), newest])
    return tuple(f"timeline {each.timeline} was archived beyond {each.left}, where timeline {each.after} left it; "
                 f"--timeline {each.timeline} (`timeline: {each.timeline}`) leads to {target} in its history"
                 for each in others if each.leads)


def point_elsewhere(world: World, error: RestorableError, target: Target, *, only: str = "", tried: int = 0,
                    beyond: Lineage | None = None) -> RestorableError:
    """Return the refusal of a target with the other timelines that lead there in its hint.

    tried is the timeline that did not, 0 the newest; with beyond only those count that have WAL beyond that history.
    """
    if error.code not in ELSEWHERE or not (target.kind in ONE_PLACE or only):
        return error
    for store in world.stores:
        try:
            store.check(write=False)
            held = read_holdings(world, store, only=only)
            skip = tried or max(held.timelines())
            found = [each for each in _leading(world, held, beyond, target) if each.leads and each.timeline != skip]
        except (Damaged, NotFound, Refused, Unavailable):
            continue
        if found:
            error.hint = f"{error.hint} {_sentence([each.words(target) for each in found])}".lstrip()
            return _pointed(error, [each.timeline for each in found])
    return error


def _everywhere(world: World, found: Recoverable, target: Target, only: str) -> Iterator[Other]:
    """Yield each timeline beside the newest once, from the first repository that has WAL beyond that one's history.

    What recovery finds in one repository another one may lack.
    """
    told: set[int] = set()
    for store in (found.store, *readable(world, found.store)):
        try:
            others = list(_leading(world, read_holdings(world, store, only=only), found.lineage, target))
        except (Damaged, NotFound, Refused, Unavailable):
            continue
        yield from (each for each in others if each.timeline not in told)
        told.update(each.timeline for each in others)


def _leading(world: World, held: Holdings, beside: Lineage | None, target: Target) -> Iterator[Other]:
    """Yield the timelines that lead to the target, beside a history only those that have WAL beyond it."""
    for timeline in held.timelines():
        if beside and timeline == beside.timeline:
            continue
        try:
            seen = along(world, held, timeline)
        except (Damaged, NotFound, Refused):
            continue
        left, after = (beside.parting(seen.lineage) or (None, 0)) if beside else (Lsn(0), 0)
        window, leads = _window(world, seen, target)
        if window and left is not None and window.reach > left and (leads or beside):
            yield Other(timeline, window, left, after, leads)


def _window(world: World, seen: Recoverable, target: Target) -> tuple[Window | None, bool]:
    """Return the base that leads to the target or, to a time behind all WAL, that leads furthest; and which of both."""
    try:
        return choose_window(seen.windows, target, world.clock.now()), True
    except Refused:
        usable = [each for each in seen.windows if each.whole and target.kind == "time" and each.begin <= target.time]
        return max(usable, key=lambda each: each.reach, default=None), False


def _before_the_newest(world: World, found: Recoverable, target: Target, other: Other) -> bool:
    """Say whether the target may lie behind where the histories part and before the newest one's own began."""
    if target.kind == "lsn":
        place = Lsn.parse(target.value)      # what begins right there is applied, too, unless it is excluded
        return place > other.left or (target.inclusive and place == other.left)
    if target.kind != "time":
        return False                   # a number or a name tells nothing of its place
    stops = [each.stopped for each in found.lineage.ancestors if each.end == other.left and each.stopped]
    if found.wal.on(other.after) and any(target.time < each for each in stops):
        return False                   # what each history has behind the place was committed later, and is there
    common = [each.begin for each in found.windows if each.start <= other.left]
    return not any(target.time <= each for each in common) and target.time < _begun(world, found, other)


def _begun(world: World, found: Recoverable, other: Other) -> datetime:
    """Return the first moment of which anything tells that the newest history had begun its own timeline there."""
    first = Segment(other.after, other.left.value // found.wal.segment_size, found.wal.segment_size).name
    stored = [entry.modified for name in (history_name(other.after), first)
              for entry in found.store.list(wal_file_prefix(world.cluster, name)) if entry.modified]
    bases = [datetime.fromisoformat(each.base.stop_time) for each in found.manifests.values()
             if each.base and each.base.timeline == other.after]
    return min([*stored, *bases, world.clock.now()])


def _sentence(parts: Sequence[str]) -> str:
    words = "; ".join(parts)
    return f"{words[:1].upper()}{words[1:]}."


def _pointed(error: RestorableError, timelines: Sequence[int]) -> RestorableError:
    """Add to a refusal's hint how a timeline is chosen; the host command prints its whole command behind it."""
    words = " or ".join(f"--timeline {each} (`timeline: {each}`)" for each in timelines)
    error.hint = f"{error.hint} Choose {words}."
    error.details = {**error.details, "timelines": list(timelines)}
    return error
