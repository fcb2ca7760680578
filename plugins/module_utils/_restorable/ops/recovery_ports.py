# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""What recoveries and physical drills need from the world, as contracts; postgres/recover_place.py keeps them."""
from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Callable, Iterable, Mapping, Protocol, Sequence

from ..model.recovery_log import Told
from ..ports import Target
from .wal_feed import Spool


class Recovery(Protocol):
    """One data directory on its way: unpacked, joined, started, asked, and ended."""

    @property
    def data(self) -> str:
        """Return the data directory."""

    @property
    def spool(self) -> Spool:
        """Return where the server asks for WAL."""

    @property
    def restore_command(self) -> str:
        """Return the command by which it asks."""

    def make(self, folders: Sequence[str]) -> None:
        """Make the final folders, empty, the data directory first; what is there is moved aside."""

    def member_folder(self, number: int, name: str) -> str:
        """Make a private folder for an archive of a chain's member."""

    def unpack(self, chunks: Iterable[bytes], folder: str) -> None:
        """Unpack one archive; raise Damaged rather than leave a part unnoticed."""

    def write(self, folder: str, name: str, data: bytes) -> None:
        """Write a small file into a data directory."""

    def link(self, folder: str, oid: int, place: str) -> None:
        """Let a tablespace's link lead to its place."""

    def combine(self, members: Sequence[str], places: Mapping[str, str]) -> None:
        """Join a full backup and its incrementals into the data directory by pg_combinebackup."""

    def verify(self, folder: str) -> str:
        """Run pg_verifybackup on an unpacked backup; return its words.

        Raises ToolFailed for what it finds, ConfigError if it could not run.
        """

    def compare_sizes(self, folder: str, data: bytes) -> str:
        """Compare names and sizes with a backup_manifest; return a count, raise Damaged for a difference."""

    def compare_contents(self, folder: str, data: bytes) -> str:
        """Compare every file's checksum, too, as pg_verifybackup does; return in words what was compared."""

    def read_all(self, database: str) -> None:
        """Read every row of every table by pg_dump; raise ToolFailed if it cannot."""

    def configure(self) -> None:
        """Ask for archive recovery, and leave the copy's own archiving off and its recovery settings empty."""

    def started(self, settings: Mapping[str, str]) -> AbstractContextManager[None]:
        """Run the private server; ended cleanly if all went well, otherwise at once."""

    def wait_until_recovered(self, trouble: Callable[[], BaseException | None]) -> Told:
        """Wait until recovery has ended, or the server; raise what trouble tells first."""

    def alive(self) -> bool:
        """Say whether the server runs."""

    def ask(self) -> Mapping[str, str]:
        """Return replayed (LSN), last_commit (ISO time or empty), in_recovery and timeline."""

    def target(self) -> Target:
        """Return the running server as one that is asked and checked."""

    def last_words(self) -> str:
        """Return the end of the server's log."""

    def checksums(self) -> str:
        """Run pg_checksums on the stopped data directory; raise ToolFailed for damage, ConfigError if impossible."""

    def asides(self) -> Mapping[str, str]:
        """Return where what was in the final folders before lies now."""

    def abandon(self) -> None:
        """Remove what was made and put back what was there."""


class RecoveryPlace(Protocol):
    """Where recoveries are made: a data directory that somebody named, or a scratch folder that vanishes."""

    def plan(self, major: int) -> str:
        """Return in words which server will run; raise unless one of exactly that major is here."""

    def folders(self, tablespaces: Mapping[int, str]) -> tuple[str, dict[int, str]]:
        """Return the data directory and each tablespace's place, by oid; "" and nothing for a scratch folder."""

    def guard(self, folders: Sequence[str], *, force: bool) -> list[str]:
        """Raise unless these folders may be filled; return those that will be moved aside."""

    def room(self, wanted: Mapping[str, int]) -> Mapping[str, int]:
        """Return the free bytes at each folder; raise Unavailable unless what is wanted fits."""

    def open(self, major: int, superuser: str, *, keep_on_failure: bool = False) -> AbstractContextManager[Recovery]:
        """Give a recovery; what was not abandoned stays, except in a scratch folder."""

    def discard(self) -> None:
        """Remove the scratch folders that were kept so far; may be called at any time."""
