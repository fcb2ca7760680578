# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Checks of a drill, the verdict they add up to, and the evidence that is stored. Pure."""
from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Iterable, Mapping

from .naming import BackupId

EVIDENCE_FORMAT = 1
COUNTED = "rows"                   # what L4 is called where rows were counted and their contents not compared

LEVELS = {
    "L0": "objects: manifest, sizes, SHA-256, decompression",
    "L1": "readable: table of contents complete",
    "L2": "restored: every statement succeeded",
    "L3": "structure equals the fingerprint",
    "L4": "data equals the fingerprint",
    "L5": "integrity: amcheck, indexes, foreign keys, collations",
    "L6": "your own checks",
}

# Of a base backup: nothing was fingerprinted, so what is there is read to its end and judged by itself.
LEVELS_BASE = {
    "L0": "objects: manifest, chain, sizes, SHA-256, decompression",
    "L1": "readable: pg_verifybackup, WAL without a gap",
    "L2": "restored: the server recovered and answers",
    "L3": "structure: every database is there and can be entered",
    "L4": "data: every row of every table was read",
    "L5": "integrity: amcheck, indexes, page checksums, collations",
    "L6": "your own checks",
    "L7": "the recovery target was reached",
}


def levels_of(recovery: Mapping[str, Any] | None) -> Mapping[str, str]:
    """Return what each level means; recovery is what the evidence says of a base backup's, and empty of a dump's."""
    return LEVELS_BASE if recovery else LEVELS


@dataclass(frozen=True)
class Check:
    """One thing that was asked of the restored data, and the answer."""

    level: str                     # L0 … L6, of base backups L7
    name: str                      # "data app", "amcheck shop"
    result: str                    # ok, failed, not_run
    detail: str = ""               # a count, a reason, or the difference found
    expected: str = ""
    actual: str = ""
    optional: bool = False         # may be not run in a passed drill
    seconds: float = 0.0


@dataclass(frozen=True)
class Objective:
    """A promise and what was measured, in seconds; measured None means it could not be."""

    name: str                      # rpo, rto
    target: float
    measured: float | None

    @property
    def met(self) -> bool:
        """Say whether the promise was kept; without a target it always is."""
        return not self.target or (self.measured is not None and self.measured <= self.target)


@dataclass(frozen=True)
class Evidence:
    """What a drill found: stored in every repository, returned, and read by auditors."""

    begun: datetime
    ended: datetime
    cluster: str
    backup: BackupId
    picked: str                    # why this backup
    repository: str
    checks: tuple[Check, ...]
    phases: Mapping[str, float]    # seconds
    rto: float | None              # seconds from the begin to a server that answers queries
    rpo: float | None              # seconds from the snapshot, or a base's last commit, to the begin or target
    objectives: tuple[Objective, ...] = ()
    tool: str = ""
    server: str = ""               # the scratch server in words
    source: Mapping[str, Any] = field(default_factory=dict)    # the dumped server, from the manifest
    objects: Mapping[str, str] = field(default_factory=dict)   # object name to SHA-256 as stored
    operator: str = ""             # user@host
    previous: Mapping[str, str] = field(default_factory=dict)  # key and SHA-256 of the evidence before
    notes: tuple[str, ...] = ()
    key: str = ""                  # its own name, so that evidence that was moved shows
    journal: Mapping[str, Any] = field(default_factory=dict)   # the journals' heads, as model/journal.py describes
    # of each repository whose copy was read: {"verdict": …, "levels": levels with a failed check, or "keys"}
    copies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    recovery: Mapping[str, Any] = field(default_factory=dict)  # of base backups: target, reached, replayed, last_commit

    @property
    def verdict(self) -> str:
        """Return passed, failed or incomplete: of the backup, so that no bad copy hides behind a good one."""
        return verdict(self.checks)

    def as_dict(self) -> dict[str, Any]:
        """Return what is stored as JSON."""
        body = asdict(self)
        body.update(format=EVIDENCE_FORMAT, verdict=self.verdict, backup=str(self.backup),
                    begun=self.begun.isoformat(), ended=self.ended.isoformat(),
                    objectives=[{**asdict(each), "met": each.met} for each in self.objectives])
        return body


def verdict(checks: Iterable[Check]) -> str:
    """Return failed if any check failed, incomplete if one that matters was not run, passed otherwise.

    "Could not run" is never a pass: only checks that were declared optional may be missing.
    """
    found = list(checks)
    if any(each.result == "failed" for each in found):
        return "failed"
    if not any(each.result == "ok" for each in found) or \
            any(each.result == "not_run" and not each.optional for each in found):
        return "incomplete"
    return "passed"


def in_words(evidence: Evidence) -> str:
    """Return the verdict as one sentence for a person."""
    done = sum(each.result == "ok" for each in evidence.checks)
    name = f"backup {evidence.backup} of {evidence.cluster}"
    if evidence.verdict == "failed":
        first = next(each for each in evidence.checks if each.result == "failed")
        good = [f"; the copy in {each} passed" for each, found in evidence.copies.items()
                if found["verdict"] == "passed"]
        return f"FAILED: {name}: {first.level} {first.name}: {first.detail}{''.join(good)}"
    if evidence.verdict == "incomplete":
        missing = [each for each in evidence.checks if each.result == "not_run" and not each.optional]
        why = f"{missing[0].level} {missing[0].name}: {missing[0].detail}" if missing else "nothing was checked"
        return f"INCOMPLETE: {name} is not proven: {why}"
    if evidence.recovery:
        return (f"PASSED: {name} was restored, recovered to {evidence.recovery.get('target', 'its end')} and read to "
                f"its last row; {done} checks ok")
    return f"PASSED: {name} was restored{_compared(evidence.checks)}; {done} checks ok"


def _compared(checks: Iterable[Check]) -> str:
    """Return what the restored database was compared with, in words that claim no more than was done."""
    named = [each.name for each in checks if each.level == "L4" and each.result == "ok"]
    if any(each.startswith(f"{COUNTED} ") for each in named):
        return "; structure and row counts equal what was dumped, contents were not compared"
    return " and equals what was dumped" if named else ", with nothing to compare with"
