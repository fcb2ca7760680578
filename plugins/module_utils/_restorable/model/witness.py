# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Witness rows: moments that a server itself wrote down, so that a recovery can be asked whether it has them. Pure.

They are written only where a cluster's settings ask for it. Each manifest keeps the row that was written for it, with
the place in the WAL behind its commit: a recovery that came so far must have the row, and one to an earlier moment must
not.
"""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Iterable, Mapping, Sequence

from ..errors import Damaged
from .lsn import Lsn
from .reading import Reader
from .timeline import Lineage

_HINT = "Drill another base backup with `restorable drill --kind base`, and keep this one for whoever looks into it."


@dataclass(frozen=True)
class WitnessJob:
    """Where witness rows are written, and how long they stay there; without a database none are written."""

    database: str = ""
    keep: timedelta = timedelta(days=400)


@dataclass(frozen=True)
class WitnessRow:
    """One row: a number without a gap, the server's time, and a token that no other row has."""

    number: int
    at: datetime
    token: str


@dataclass(frozen=True)
class Witness:
    """A row whose commit is known to lie before a place in the WAL."""

    row: WitnessRow
    timeline: int
    lsn: Lsn

    def as_dict(self) -> dict[str, Any]:
        """Return what a manifest keeps."""
        return {"number": self.row.number, "at": self.row.at.isoformat(), "token": self.row.token,
                "timeline": self.timeline, "lsn": str(self.lsn)}

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Witness:
        """Read what a manifest keeps; raise ValueError, KeyError or TypeError for anything else."""
        row = WitnessRow(int(body["number"]), datetime.fromisoformat(body["at"]), str(body["token"]))
        return cls(row, int(body["timeline"]), Lsn.parse(str(body["lsn"])))


def witness_job(reader: Reader) -> WitnessJob:
    """Read clusters.NAME.witness strictly."""
    job = WitnessJob(reader.text("database"), timedelta(seconds=reader.duration("keep", 400 * 86400)))
    if job.keep < timedelta(days=1):
        raise reader.wrong("keep", reader.raw("keep"), "at least 1d, such as 400d")
    reader.done()
    return job


def judge_rows(rows: Sequence[WitnessRow], known: Iterable[Witness], *, lineage: Lineage, replayed: Lsn,
               until: datetime | None, keep: timedelta) -> str:
    """Return in words what the recovered rows prove; raise Damaged for one that is lost, altered or too new.

    rows are sorted by number. until is the target if it is a time. A row that was written on a line of history which
    the recovery does not follow is not expected, nor is one that was old enough to be deleted.
    """
    for before, after in zip(rows, rows[1:]):
        if after.number != before.number + 1:
            raise Damaged(f"witness row {before.number + 1} is lost between {before.number} and {after.number}",
                          code="drill.witness_lost", hint=_HINT)
    late = [each for each in rows if until is not None and each.at > until]
    if late:
        raise Damaged(f"witness row {late[0].number} of {late[0].at.isoformat()} is there, the target is "
                      f"{until.isoformat() if until else ''}", code="drill.witness_late", hint=_HINT)
    expected = [each for each in known if lineage.has(each.timeline, each.lsn) and each.lsn <= replayed]
    newest = max((each.at for each in (*rows, *(one.row for one in expected))), default=None)
    due = [each for each in expected if newest is not None and each.row.at > newest - keep]
    there = {each.number: each for each in rows}
    for each in due:
        if there.get(each.row.number) != each.row:
            raise Damaged(f"witness row {each.row.number} of {each.row.at.isoformat()}, committed before {each.lsn}, "
                          f"is {'another one' if each.row.number in there else 'lost'}", code="drill.witness_lost",
                          hint=_HINT)
    last = f", the newest of {rows[-1].at.isoformat()}" if rows else ""
    return f"{len(rows)} rows without a gap{last}; all {len(due)} that manifests tell of are there"
