# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""What a recovering server says in its log: where it stopped, why, and what went wrong (xlogrecovery.c). Pure."""
from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import Damaged, Refused, RestorableError
from .lsn import Lsn
from .recovery_target import Target

_STOPPED = re.compile(r"LOG:\s+(recovery stopping (?:before|after|at) .*)")
_REDO_DONE = re.compile(r"redo done at ([0-9A-F]+/[0-9A-F]+)")
_LAST = re.compile(r"last completed transaction was at log time (.+)")
_TIMELINE = re.compile(r"selected new timeline ID: (\d+)")
_FATAL = re.compile(r"(?:FATAL|PANIC):\s+(.*)")
_SHORT = "recovery ended before configured recovery target was reached"


@dataclass(frozen=True)
class Told:
    """What a server's log says of its recovery."""

    stopped: str = ""              # "recovery stopping before commit of transaction 742, time …"
    redo_done: str = ""
    last_commit: str = ""          # PostgreSQL's own spelling
    new_timeline: int = 0
    fatal: tuple[str, ...] = ()

    @classmethod
    def read(cls, log: str) -> Told:
        """Read a log written with lc_messages C."""
        def last(pattern: re.Pattern[str]) -> str:
            found = pattern.findall(log)
            return str(found[-1]).strip() if found else ""

        return cls(last(_STOPPED), last(_REDO_DONE), last(_LAST), int(last(_TIMELINE) or 0),
                   tuple(each.strip() for each in _FATAL.findall(log)))


def why_it_died(told: Told, target: Target, tail: str, last_segment_start: Lsn | None = None) -> RestorableError:
    """Return the error of a server that ended during recovery; the archived WAL leads into the segment there."""
    if any(_SHORT in each for each in told.fatal):
        if last_segment_start is not None and told.redo_done and not all_replayed(told, last_segment_start):
            return Damaged(f"{target} was not reached: replay ended behind {told.redo_done}, the last archived segment "
                           f"begins at {last_segment_start}", code="recover.wal_unreadable",
                           hint="Between the two are records that the server cannot read, although they are what was "
                                "archived: look with `pg_waldump`, recover to before them, take a new base backup.")
        reached = f"the last transaction it found was committed at {told.last_commit}" if told.last_commit else \
            "it found no committed transaction"
        older = "" if target.kind == "time" else \
            "It may be older than the base backup that was begun with: name an older one by --backup (`backup`). "
        hint = f"{older}Recover to a moment before that, or to `latest`; nothing was kept of this attempt."
        return Refused(f"{target} was not reached: the WAL ends before it, {reached}", hint=hint,
                       code="recover.not_reached")
    words = "; ".join(told.fatal[-2:]) or tail
    return Damaged(f"the recovering server ended: {words}", code="recover.died",
                   hint="Read its words; drill another base backup with `restorable drill --kind base`.")


def all_replayed(told: Told, last_segment_start: Lsn | None) -> bool:
    """Say whether a server that did not find its target had come into the last archived segment before it ended."""
    short = any(_SHORT in each for each in told.fatal)
    return short and last_segment_start is not None and bool(told.redo_done) and \
        Lsn.parse(told.redo_done) >= last_segment_start


def check_reached(told: Told, target: Target, *, replayed: Lsn, last_segment_start: Lsn | None, stop: Lsn) -> str:
    """Return how the target was reached, in words; raise Refused unless the server's own words and place prove it."""
    if replayed < stop:
        raise _not_reached(target, f"it replayed to {replayed}, the backup is consistent only from {stop} on")
    if target.kind == "latest":
        if last_segment_start is not None and replayed < last_segment_start:
            raise _not_reached(target, f"it replayed to {replayed} only, the last archived segment begins at "
                                       f"{last_segment_start}")
        return f"replayed to {replayed}, in the last archived segment"
    if target.kind == "lsn" and target.inclusive and replayed < Lsn.parse(target.value):
        raise _not_reached(target, f"it replayed to {replayed}")
    # the place that is named for an LSN is that of a whole record, at or behind the target
    xid = f"transaction {target.xid}," if target.kind == "xid" else ""
    wanted = {"immediate": "reaching consistency", "lsn": "WAL location", "xid": xid,
              "name": f'restore point "{target.value}"', "time": "transaction"}[target.kind]
    if wanted not in told.stopped:
        raise _not_reached(target, told.stopped or "the server does not say where it stopped")
    return told.stopped


def _not_reached(target: Target, why: str) -> Refused:
    return Refused(f"{target} was not reached: {why}", code="recover.not_reached",
                   hint="Nothing was kept of this attempt; see with `restorable status` what can be reached.")
