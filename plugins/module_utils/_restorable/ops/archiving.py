# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Bring a server to archive its WAL as the settings say, and prove that it does."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Sequence

from ..errors import Refused, Unavailable
from ..model.archiving import Archiver, Change, desired, plan_changes
from ..model.wal_settings import WalJob
from .wal_ports import Pause
from .wal_reading import find_wal
from .world import World

LOOK = 0.25                        # seconds between two looks into a repository
RESTARTED = 60.0                   # seconds in which a restarted server must answer


class Server(Protocol):
    """The archiving side of the server; postgres/archiver.py keeps it."""

    def facts(self, slot: str = "") -> Archiver:
        """Return how it archives now; raise Unavailable if it cannot be asked."""

    def make_slot(self, slot: str) -> None:
        """Make a physical replication slot that keeps WAL from now on."""

    def switch(self) -> str:
        """Write something, end the segment that it is in, and return that segment's name."""


class Place(Protocol):
    """Where the settings are written: by ALTER SYSTEM, or in a file of our own."""

    def write(self, changes: Sequence[Change], wanted: dict[str, str]) -> None:
        """Write the settings and have the server read them."""


class Host(Protocol):
    """The spool with its scripts, on the server's host."""

    def prepare(self, data_directory: str, *, dry_run: bool) -> bool:
        """Make the spool and its scripts; say whether anything was, or would be, changed."""


@dataclass(frozen=True)
class ArchivingReport:
    """What was changed, what still waits for a restart, and which segment proved it."""

    changes: tuple[Change, ...]
    slot_made: bool
    spool_changed: bool
    pending_restart: tuple[str, ...]
    restarted: bool
    proven: str                    # the segment that was switched to and found, or empty
    seconds: float | None          # from the switch until every repository had it
    before: dict[str, str]
    after: dict[str, str]

    @property
    def changed(self) -> bool:
        """Say whether anything is not as it was."""
        return bool(self.changes or self.slot_made or self.spool_changed or self.restarted)


@dataclass(frozen=True)
class Wish:
    """How far to go. restart is a command, and without it nothing is restarted.

    prove is changed (after a change, or where the server does not tell that WAL arrives), always or never.
    """

    fallback: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()
    prove: str = "changed"
    timeout: float = 60.0


def set_archiving(world: World, job: WalJob, server: Server, place: Place, host: Host, wish: Wish, *,
                  pause: Pause, dry_run: bool = False) -> ArchivingReport:
    """Set what differs, restart if that was asked for, and prove it; a dry run returns the same changes.

    Raises Unavailable("archiver.not_proven") if a switched segment does not arrive in every repository.
    """
    found = server.facts(job.slot)
    if found.in_recovery:
        raise Refused("the server is a standby", code="archiver.standby",
                      hint="Set archiving on the primary; a standby takes it over when it is promoted, if its "
                           "postgresql.conf says the same.")
    wanted = desired(job, found, wish.fallback)
    changes = plan_changes(found, wanted)
    needs_slot = job.method == "stream" and found.slot is None
    spool_changed = host.prepare(found.data_directory, dry_run=dry_run)
    before = {name: found.configured.get(name, found.value(name)) for name in wanted}
    if dry_run:
        pending = tuple(change.name for change in changes if change.restart)
        return ArchivingReport(changes, needs_slot, spool_changed, pending, False, "", None, before, wanted)
    if changes:
        place.write(changes, wanted)
    pending = _pending(server, wanted)
    restarted = bool(pending and wish.restart)
    if restarted:
        _restart(world, server, wish, pause)
        pending = _pending(server, wanted)
    if needs_slot and not pending:
        server.make_slot(job.slot)
    proven, seconds = "", None
    worth = changes or needs_slot or restarted or found.in_doubt(job.method)
    if not pending and (wish.prove == "always" or (wish.prove == "changed" and worth)):
        proven, seconds = prove(world, server, wish.timeout, pause)
    return ArchivingReport(changes, needs_slot and not pending, spool_changed, pending, restarted, proven, seconds,
                           before, wanted)


def prove(world: World, server: Server, timeout: float, pause: Pause) -> tuple[str, float]:
    """End a segment and wait until every repository has it; return its name and the seconds that took."""
    began = world.clock.elapsed()
    name = server.switch()
    world.progress.phase(f"wait for {name}")
    for store in world.stores:
        while find_wal(world, store, name) is None:
            if world.clock.elapsed() - began > timeout:
                raise Unavailable(f"segment {name} was ended and is not in repository {store.name} after "
                                  f"{timeout:.0f} s", code="archiver.not_proven", hint=_why(server.facts()))
            pause(LOOK)
    return name, world.clock.elapsed() - began


def _restart(world: World, server: Server, wish: Wish, pause: Pause) -> None:
    world.hooks.run(wish.restart, {})
    until = world.clock.elapsed() + RESTARTED
    while True:
        try:
            server.facts()
            return
        except Unavailable:
            if world.clock.elapsed() > until:
                raise
        pause(LOOK)


def _pending(server: Server, wanted: dict[str, str]) -> tuple[str, ...]:
    settings = server.facts().settings
    return tuple(name for name in wanted if name in settings and settings[name].pending_restart)


def _why(found: Archiver) -> str:
    if found.last_failed and (found.last_archived_age is None or found.last_failed_age is None
                              or found.last_failed_age < found.last_archived_age):
        return (f"archive_command failed for {found.last_failed}: read the server's log, and see that "
                "`restorable wal-ship` runs (`systemctl status 'restorable-wal-*'`).")
    return "See that `restorable wal-ship`, or wal-stream, runs as the server's account, and read what it says."
