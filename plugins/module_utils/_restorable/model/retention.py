# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Grandfather-father-son retention: which backups stay, which go, and why, as one plan. Pure.

The rules word for word are in docs/retention.md. In short: a backup stays if it is the newest of one of the
periods a tier counts, or if a floor holds it; everything else goes, unless a guard forbids acting on the plan.
"""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, tee
from typing import Any, Iterable, Iterator, Mapping, Sequence

from .buckets import ENDED_ONLY, bucketing, local, zone
from .guards import BEFORE, Refusal, guard_group, guard_policy
from .naming import BackupId
from .policy import Policy
from .uncollected import uncollected

FUTURE_MARGIN = timedelta(hours=1)         # a clock may be this wrong before its backups are called future-dated
LAST_OF_SERIES = "floor:newest_of_series"
OLDEST = "floor:oldest"            # until the tiers are full
NO_TIER, KNOWN_BAD = "no tier wants it", "known bad"
HELD, FUTURE, NOTHING_NEWER = "held", "future-dated", "no newer backup since the last prune"
PARTIAL = "partial, and a whole backup is newer"
PARTIAL_YOUNG, PARTIAL_ALONE = "partial, but younger than min_age", "partial, but no newer whole backup"
BAD_YOUNG, BAD_ALONE = "known bad, but younger than min_age", "known bad, but no newer good backup"


@dataclass(frozen=True)
class Candidate:
    """One committed backup, as far as retention cares."""

    id: BackupId
    size: int = 0                  # bytes stored
    held: bool = False             # kept, and never counted in a tier
    proven: bool = False           # the newest drill of it passed
    bad: bool = False              # the newest drill or verification of it failed: never stands for a period
    partial: bool = False          # lacks a database: stands for a period only where no whole one is

    @property
    def group(self) -> tuple[str, str]:
        """Return (family, label): sets of another family or selection never compete for a place."""
        return ("dump" if self.id.kind in ("dump", "adopted") else "base", self.id.label)


@dataclass(frozen=True)
class Row:
    """The fate of one backup, with every reason that holds."""

    id: BackupId
    keep: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """Every candidate once, newest first. With refusals nobody may act on it; it can still be shown."""

    rows: tuple[Row, ...] = ()
    refusals: tuple[Refusal, ...] = ()

    @property
    def kept(self) -> tuple[Row, ...]:
        """Return the rows that stay."""
        return tuple(row for row in self.rows if row.keep)

    @property
    def dropped(self) -> tuple[Row, ...]:
        """Return the rows that go."""
        return tuple(row for row in self.rows if not row.keep)

    def bytes_freed(self, candidates: Iterable[Candidate]) -> int:
        """Return the stored bytes of all candidates that go."""
        gone = {row.id for row in self.dropped}
        return sum(each.size for each in candidates if each.id in gone)


@uncollected()
def plan_prune(candidates: Iterable[Candidate], policy: Policy, now: datetime, *, known_digest: str | None = None,
               known: Mapping[str, Any] | None = None, confirmed: bool = False,
               last_pruned: datetime | None = None) -> Plan:
    """Decide for every candidate whether it stays, and say why.

    known_digest is the policy's digest at the last prune, known that policy if it can be read; last_pruned is when that
    was, and a group without a good backup since then loses nothing. No guard refuses a plan that drops nothing.
    confirmed lifts the guards, never the floors. Takes time in proportion to the number of candidates. Raises
    ValueError if an id comes twice: its two rows could disagree.
    """
    ordered = sorted(candidates, key=_age_order, reverse=True)
    kept: dict[BackupId, list[str]] = {}
    refusals = guard_policy(policy, known_digest, known)
    for name, own, beside in _groups(ordered, kept):
        decided = len(kept)
        for backup, reasons in _judge(_merge(own, beside), policy, now, last_pruned).items():
            kept.setdefault(backup, reasons)
        newest = next((each.id for each in _counted(own, now)), None)
        if newest is not None:
            # no dump tells which databases it holds: the last file of a series may be the last of its database
            kept.setdefault(newest, [LAST_OF_SERIES])
        refusals += guard_group(name, len(own), len(own) - (len(kept) - decided), _sizes(own, now), policy)
    idle = len(kept) == len(ordered)
    return Plan(tuple(_row(each, kept.get(each.id)) for each in ordered), () if confirmed or idle else tuple(refusals))


def _age_order(candidate: Candidate) -> tuple[datetime, str, str]:
    """Return the id as a tuple: dataclass comparison alone would take most of the time of a large plan."""
    return (candidate.id.time, candidate.id.kind, candidate.id.label)


def _groups(ordered: Sequence[Candidate],
            kept: Mapping[BackupId, object]) -> Iterator[tuple[str, list[Candidate], list[Candidate]]]:
    """Yield (name, members judged there, others that may stand for a period beside them).

    A dump is judged among the dumps of its selection. An adopted file is judged among its series and the dumps
    of the whole cluster, which cover every series: but only those that stay, so that no file gives way to a dump
    that goes. Leaving out the others changes no fate, since a dump that stands for a period here does so among
    the dumps as well.
    """
    groups: dict[tuple[str, str], list[Candidate]] = {}
    for each in ordered:
        family = "adopted" if each.id.kind == "adopted" else each.group[0]
        members = groups.setdefault((family, each.id.label), [])
        if members and members[-1].id == each.id:
            raise ValueError(f"backup {each.id} is a candidate twice")
        members.append(each)
    whole = groups.get(("dump", ""), [])
    for family, label in sorted(groups, key=lambda key: key[0] == "adopted"):
        name = f"{family} {label}" if label else family
        beside = [each for each in whole if each.id in kept] if family == "adopted" else []
        yield name, groups[family, label], beside


def _merge(own: list[Candidate], beside: list[Candidate]) -> list[Candidate]:
    return sorted(own + beside, key=_age_order, reverse=True) if beside else own


def _good(candidate: Candidate, now: datetime) -> bool:
    """Say whether a backup is a success whose time can be believed."""
    return not candidate.bad and candidate.id.time <= now + FUTURE_MARGIN


def _counts(candidate: Candidate, now: datetime) -> bool:
    """Say whether a backup may stand for a period."""
    return not candidate.held and _good(candidate, now)


def _counted(group: Sequence[Candidate], now: datetime) -> list[Candidate]:
    """Return who of a group may stand for a period: partial ones only if there is no whole one at all."""
    counted = [each for each in group if _counts(each, now)]
    if not any(each.partial for each in counted):
        return counted
    return [each for each in counted if not each.partial] or counted


def _sizes(group: Sequence[Candidate], now: datetime) -> list[int]:
    """Return the newest sizes that can be compared, newest first: of good backups of the newest one's kind."""
    counted = iter(_counted(group, now))
    newest = next(counted, None)
    alike = (each.size for each in counted if newest and each.id.kind == newest.id.kind)
    return [newest.size, *islice(alike, BEFORE)] if newest else []


def _row(candidate: Candidate, reasons: Sequence[str] | None) -> Row:
    if reasons is None:
        return Row(candidate.id, False, (KNOWN_BAD if candidate.bad else PARTIAL if candidate.partial else NO_TIER,))
    return Row(candidate.id, True, tuple(reasons))


def _judge(group: Sequence[Candidate], policy: Policy, now: datetime,
           last_pruned: datetime | None) -> dict[BackupId, list[str]]:
    """Return who of a group, given newest first, stays and why. Who goes is absent, which keeps large plans fast."""
    counted = _counted(group, now)
    whole = not any(each.partial for each in counted)
    newest_good = next((each.id.time for each in group if _good(each, now) and not (whole and each.partial)), None)
    chosen = _representatives(counted, policy, now)
    full = all(len(chosen[tier]) >= count for tier, count in policy.tiers().items() if count > 0)
    reasons: dict[BackupId, list[str]] = {}
    for tier, backups in chosen.items():
        for rank, backup in enumerate(backups, 1):
            reasons.setdefault(backup, []).append(f"{tier}#{rank}")
    for backup, reason in _without_tiers(counted, policy, now, full):
        reasons.setdefault(backup, []).append(reason)
    others = [each for each in group if not _counts(each, now) or (whole and each.partial)] \
        if len(counted) < len(group) else []
    for backup, reason in _uncounted(others, newest_good, policy, now):
        reasons.setdefault(backup, []).append(reason)
    if last_pruned is not None and (newest_good is None or newest_good <= last_pruned):
        for each in group:
            reasons.setdefault(each.id, [NOTHING_NEWER])
    return reasons


def _representatives(counted: Sequence[Candidate], policy: Policy, now: datetime) -> dict[str, list[BackupId]]:
    """Return for each enabled tier the newest backup of each of its most recent periods, newest first."""
    place = zone(policy.timezone)
    # a backup in a later period shows that a period has ended, even if this host's clock is a little behind
    present = local(max([now, *(each.id.time for each in counted[:1])]), place)
    # converted once and no further back than some tier looks
    times = iter(tee((local(each.id.time, place) for each in counted), len(policy.tiers())))
    chosen: dict[str, list[BackupId]] = {}
    for tier, count in policy.tiers().items():
        room = len(counted) if count < 0 else count
        if tier == "last":
            chosen[tier] = [each.id for each in counted[:room]]
        elif room:
            bucket = bucketing(tier, policy.week_ends_on)
            running = bucket(present) if tier in ENDED_ONLY and not policy.count_current_period else None
            chosen[tier] = _newest_of_each(counted, map(bucket, next(times)), room, running)
    return chosen


def _newest_of_each(counted: Sequence[Candidate], buckets: Iterable[int], room: int,
                    running: int | None) -> list[BackupId]:
    """Return the first of each bucket before the running one, at most room of them."""
    chosen: dict[int, BackupId] = {}
    for each, bucket in zip(counted, buckets):
        if bucket not in chosen and (running is None or bucket < running):
            if len(chosen) == room:
                break
            chosen[bucket] = each.id
    return list(chosen.values())


def _without_tiers(counted: Sequence[Candidate], policy: Policy, now: datetime,
                   full: bool) -> Iterator[tuple[BackupId, str]]:
    """Yield what stays whatever the tiers count: what is recent enough, and the floors."""
    if not counted:
        return
    for each in counted:
        if counted[0].id.time - each.id.time >= policy.within:
            break
        yield each.id, "within"
    yield counted[0].id, "floor:newest"
    for each in counted:
        if each.proven:
            yield each.id, "floor:newest_proven"
            break
    for each in counted[:policy.min_keep]:
        yield each.id, "floor:min_keep"
    if not full:
        yield counted[-1].id, OLDEST
    for each in counted:
        if now - each.id.time >= policy.min_age:
            break
        yield each.id, "floor:min_age"


def _uncounted(others: Sequence[Candidate], newest_good: datetime | None, policy: Policy,
               now: datetime) -> Iterator[tuple[BackupId, str]]:
    """Yield why those stay that stand for no period: held, future-dated, or bad or partial and not to go yet."""
    for each in others:
        if each.held:
            yield each.id, HELD
        if each.id.time > now + FUTURE_MARGIN:
            yield each.id, FUTURE
        elif each.bad and now - each.id.time < policy.min_age:
            yield each.id, BAD_YOUNG
        elif each.bad and (newest_good is None or newest_good <= each.id.time):
            yield each.id, BAD_ALONE
        elif each.partial and not each.bad and now - each.id.time < policy.min_age:
            yield each.id, PARTIAL_YOUNG
        elif each.partial and not each.bad and (newest_good is None or newest_good <= each.id.time):
            yield each.id, PARTIAL_ALONE
