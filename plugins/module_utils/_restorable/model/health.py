# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Judge a cluster's backups: green, or red with reasons. Pure."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Mapping, Sequence

from .catalogue import Backup, Catalogue
from .pick import PHYSICAL
from .settings import ClusterSettings
from .text import human_duration

BACKUP_AGE = 26 * 3600.0     # seconds; a nightly run may be late by two hours
AHEAD = 3600.0               # seconds that another host's clock may be ahead
BASE_AGE = 8 * 86400.0       # seconds; a weekly base backup with archived WAL behind it may be late by a day
DRILL_AGE = 35 * 86400.0     # seconds; a monthly drill may be late by a few days


@dataclass(frozen=True)
class Health:
    """green: all is well. yellow: backed up, not proven lately. red: data is at risk now."""

    colour: str
    reasons: tuple[str, ...]


def judge(catalogues: Sequence[Catalogue], unreadable: Sequence[str], settings: ClusterSettings,
          now: datetime, *, any_selection: bool = False, missing: Mapping[str, int] | None = None) -> Health:
    """Return the health of one cluster over all its repositories.

    The newest backup of the configured selection may be as old as the objective rpo allows, or 26 hours without one;
    the newest passed drill may be 35 days old, and none since may have been hindered. A failed one is red until a
    later one passes, also when its backup is gone. any_selection judges the newest set whatever it selects, for a
    caller who does not know the job. missing tells how many sets a repository lacks. Where any repository is enough,
    and one has a young backup, trouble with the others is yellow. A newest backup that was found damaged is none; an
    older one that was is yellow.
    """
    label = None if any_selection else settings.dump.selection.label()
    late = [_age(catalogue, label, settings, now) for catalogue in catalogues]
    trouble = [f"repository {each}" for each in unreadable] + [why for each in late for why in each]
    enough = settings.repositories_policy == "any" and not all(late)
    red, yellow = ([], trouble) if enough else (trouble, [])
    for catalogue in catalogues:
        yellow += [*_lacks(catalogue, label), *_older_damage(catalogue, label)]
    yellow += [f"repository {name} lacks {count} of the others' backups, run `restorable sync --to {name}`"
               for name, count in (missing or {}).items()]
    # a failed verdict outlives its backup: that a prune took the bad one proves none of the others
    drills = [each for catalogue in catalogues for each in (*catalogue.backups, *catalogue.gone)
              if each.drilled and each.verdict != "incomplete"]
    # of one drill the verdicts on two copies may differ
    last = max(drills, key=lambda backup: (_drilled(backup), backup.verdict == "failed"), default=None)
    if last is None:
        tried = any(each.drilled for catalogue in catalogues for each in catalogue.committed())
        yellow.append("no drill has passed yet" if tried else "no backup was ever drilled")
    elif last.verdict == "failed":
        here = any(each.id == last.id for catalogue in catalogues for each in catalogue.committed())
        red.append(f"the last drill failed, of {last.id}"
                   + ("" if here else ", which is gone; no other backup was proven since"))
    else:
        yellow += [*_hindered(catalogues, _drilled(last)), *_proof([each for each in drills if each.committed], now)]
    if not catalogues and not red:
        red.append("no repository is set")
    return Health("red" if red else "yellow" if yellow else "green", tuple(dict.fromkeys(red + yellow)))


def _drilled(backup: Backup) -> datetime:
    if backup.drilled is None:
        raise ValueError(f"{backup.id} was never drilled")
    return backup.drilled


def _configured(catalogue: Catalogue, label: str | None) -> list[Backup]:
    # a dump of other databases, taken by hand, says nothing of the configured job
    return [each for each in catalogue.committed() if each.id.kind == "dump" and label in (None, each.id.label)]


def _lacks(catalogue: Catalogue, label: str | None) -> list[str]:
    newest = _configured(catalogue, label)[-1:]
    return [f"the newest backup {each.id} is partial: database {name} is missing"
            for each in newest for name in each.missing]


def _newest(catalogue: Catalogue, label: str | None) -> list[Backup]:
    """Return what a restore of today would take: the newest dump of the configured job, and the newest base backup."""
    bases = [each for each in catalogue.committed() if each.id.kind in PHYSICAL]
    return [*_configured(catalogue, label)[-1:], *bases[-1:]]


def _older_damage(catalogue: Catalogue, label: str | None) -> list[str]:
    newest = _newest(catalogue, label)
    return [_damage(each, "backup") for each in catalogue.committed() if each.damaged and each not in newest]


def _damage(backup: Backup, what: str) -> str:
    return (f"{what} {backup.id} is damaged, found {backup.damaged:%Y-%m-%d %H:%M} UTC; "
            f"`restorable verify {backup.id}` tells what")


def _age(catalogue: Catalogue, label: str | None, settings: ClusterSettings, now: datetime) -> list[str]:
    damage = [_damage(each, "the newest backup") for each in _newest(catalogue, label) if each.damaged]
    if damage:
        return damage
    configured, allowed = _configured(catalogue, label), settings.rpo or BACKUP_AGE
    bases = [each for each in catalogue.committed() if each.id.kind in PHYSICAL]
    if bases and not _configured(catalogue, None):
        # a cluster that is only copied as a whole; with its WAL archived a base may be a week old
        configured, allowed = bases, max(allowed, BASE_AGE) if settings.wal.method else allowed
    if not configured:
        own = _configured(catalogue, None)
        return [f"no backup {'of the configured databases ' if own else ''}was taken yet"]
    ahead = (configured[-1].id.time - now).total_seconds()
    if ahead > AHEAD:
        return [f"the newest backup {configured[-1].id} is {human_duration(ahead)} ahead of this clock"]
    age = (now - configured[-1].id.time).total_seconds()
    if age > allowed:
        return [f"the newest backup is {human_duration(age)} old, {human_duration(allowed)} is allowed"]
    return []


def _hindered(catalogues: Sequence[Catalogue], proved: datetime) -> list[str]:
    """Tell of a drill since the last verdict that could not run: the same may go on until the proof is too old."""
    tries = [(each.hindered, each.id) for catalogue in catalogues for each in (*catalogue.backups, *catalogue.gone)
             if each.hindered and each.hindered > proved]
    return [f"the last drill, of {max(tries)[1]}, could not run to its end; its evidence tells why"] if tries else []


def _proof(drills: Sequence[Backup], now: datetime) -> list[str]:
    passed = [_drilled(each) for each in drills if each.proven]
    if not passed:
        return ["no drill has passed yet"]
    age = (now - max(passed)).total_seconds()
    return [f"the last passed drill is {human_duration(age)} old"] if age > DRILL_AGE else []
