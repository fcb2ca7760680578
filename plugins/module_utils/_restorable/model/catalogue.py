# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""What a cluster's folder in a repository holds, computed from its listing alone. Pure."""
from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Iterable

from ..errors import ConfigError, NotFound
from .finding import damaged_since
from .meant import did_you_mean
from .naming import MANIFEST, BackupId, hold_prefix, missing_database, parse_drill_key, parse_hold_key, split_set_key
from .uncollected import uncollected

_COMPARED = 200                    # ids at most that a wrong one is compared with: each costs about a tenth of a ms


@dataclass(frozen=True)
class Backup:
    """One set as the listing shows it."""

    id: BackupId
    size: int                      # bytes of all objects, the manifest included
    committed: bool
    held: bool = False
    drilled: datetime | None = None    # when the newest drill of it began
    verdict: str = ""              # passed, failed: of the newest that could run; else incomplete
    objects: tuple[str, ...] = ()  # object names
    missing: tuple[str, ...] = ()  # databases that could not be dumped, with allow_partial
    damaged: datetime | None = None    # when this copy was found damaged, by the newest that read it whole
    hindered: datetime | None = None   # when the newest drill of it began that could not run to its end

    @property
    def proven(self) -> bool:
        """Say whether the newest drill of this set passed, and nothing was found damaged since."""
        return self.verdict == "passed" and self.damaged is None

    @property
    def sealed(self) -> bool:
        """Say whether objects of the set are sealed, as their names tell."""
        return any(name.endswith(".age") for name in self.objects)

    def state(self) -> str:
        """Return the one word a person wants: orphan, failed, damaged, partial, proven, adopted or committed."""
        if not self.committed:
            return "orphan"
        if self.verdict == "failed":
            return "failed"
        if self.damaged:
            return "damaged"
        if self.missing:
            return "partial"
        if self.proven:
            return "proven"
        return "adopted" if self.id.kind == "adopted" else "committed"


@dataclass(frozen=True)
class Catalogue:
    """All sets of one cluster in one repository, oldest first."""

    cluster: str
    backups: tuple[Backup, ...]
    strangers: tuple[str, ...] = ()    # keys under backup/ that are no set of ours; never touched
    gone: tuple[Backup, ...] = ()      # sets of which only evidence is left, oldest first

    @classmethod
    @uncollected()
    def of(cls, cluster: str, listing: Iterable[tuple[str, int]]) -> Catalogue:
        """Build the catalogue from (key, size) pairs of everything under CLUSTER/."""
        found = _Sorted()
        for key, size in listing:
            found.add(cluster, key, size)
        backups, gone = (tuple(sorted(each, key=lambda backup: backup.id)) for each in (found.backups(), found.gone()))
        return cls(cluster, backups, tuple(found.strangers), gone)

    def committed(self) -> tuple[Backup, ...]:
        """Return the sets that have a manifest, oldest first."""
        return tuple(backup for backup in self.backups if backup.committed)

    def orphans(self) -> tuple[Backup, ...]:
        """Return what never got a manifest, or lost it to an interrupted prune."""
        return tuple(backup for backup in self.backups if not backup.committed)

    def get(self, text: str) -> Backup:
        """Return one committed set by its id, by a prefix of it that is unique, or by "latest"."""
        sets = self.committed()
        if text == "latest" and sets:
            # of our own, where there is one: the date of an adopted file may be a guess
            return next((each for each in reversed(sets) if each.id.kind != "adopted"), sets[-1])
        hits = [backup for backup in sets if str(backup.id) == text] or \
               [backup for backup in sets if str(backup.id).startswith(text)]
        if len(hits) == 1:
            return hits[0]
        if len(hits) > 1:
            raise ConfigError(f"backup {text!r} fits {len(hits)} backups of cluster {self.cluster}",
                              hint=f"Give more of the id, such as {hits[0].id}.", code="backup.ambiguous")
        known = ", ".join(str(backup.id) for backup in reversed(sets[-3:])) or "none"
        near = _nearest(text, [str(backup.id) for backup in sets])
        raise NotFound(f"backup {text!r} is not in the repository of cluster {self.cluster}",
                       hint=f"{near} Run `restorable list`; the newest are: {known}.".strip(), code="backup.unknown")


def _nearest(text: str, ids: list[str]) -> str:
    """Say which id was probably meant, of the same month or else of the newest ones; "" if none is alike."""
    alike = [each for each in ids if each[:6] == text[:6]][-_COMPARED:] or ids[-_COMPARED:]
    return did_you_mean(text, ["latest", *alike], alike=0.75)


def united(cluster: str, catalogues: Iterable[Catalogue]) -> Catalogue:
    """Return what several repositories hold together; a set that two have is shown as the first one has it."""
    found: dict[BackupId, Backup] = {}
    for catalogue in catalogues:
        for backup in catalogue.backups:
            known = found.get(backup.id)
            if known is None or (backup.committed and not known.committed):
                found[backup.id] = backup
    return Catalogue(cluster, tuple(found[each] for each in sorted(found)))


@dataclass
class _Sorted:
    sizes: dict[str, int] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    drills: dict[str, tuple[datetime, str]] = field(default_factory=dict)
    hindered: dict[str, datetime] = field(default_factory=dict)
    strangers: list[str] = field(default_factory=list)

    def add(self, cluster: str, key: str, size: int) -> None:
        parts = split_set_key(key)
        if parts:
            self.sizes[parts[1]] = self.sizes.get(parts[1], 0) + size
            self.names.setdefault(parts[1], []).append(parts[2])
        elif key.startswith(hold_prefix(cluster)):
            name, ended = parse_hold_key(key)
            self.held.update(() if ended else (name,))
        else:
            self._add_drill(key)

    def _add_drill(self, key: str) -> None:
        drill = parse_drill_key(key)
        if drill:
            begun, backup, verdict = drill
            if verdict == "incomplete":
                self.hindered[str(backup)] = max(begun, self.hindered.get(str(backup), begun))
            known = self.drills.get(str(backup))
            if known is None or _weight(known) <= _weight((begun, verdict)):
                self.drills[str(backup)] = (begun, verdict)

    def backups(self) -> Iterable[Backup]:
        for text, size in self.sizes.items():
            try:
                name = BackupId.parse(text)
            except ConfigError:
                self.strangers.append(text)
                continue
            drilled, verdict = self.drills.get(text, (None, ""))
            objects = tuple(sorted(self.names[text]))
            missing = tuple(found for each in objects for found in [missing_database(each)] if found)
            yield Backup(name, size, MANIFEST in objects, text in self.held, drilled, verdict, objects, missing,
                         damaged_since(objects), self.hindered.get(text))

    def gone(self) -> Iterable[Backup]:
        for text, (drilled, verdict) in self.drills.items():
            if text not in self.sizes:
                yield Backup(BackupId.parse(text), 0, False, text in self.held, drilled, verdict,
                             hindered=self.hindered.get(text))


def _weight(drill: tuple[datetime, str]) -> tuple[bool, datetime]:
    # a drill that could not run says nothing of the backup, so it replaces no verdict
    return drill[1] != "incomplete", drill[0]
