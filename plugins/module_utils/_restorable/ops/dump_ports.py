# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""What a dump needs from the server, as contracts; postgres/cluster.py and postgres/session.py keep them."""
from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Collection, Iterator, Protocol

from ..model.fingerprint import Fingerprint
from ..model.server import DumpOptions, Selection, Server, SharedNames


class DumpSession(Protocol):
    """One database, its tables locked in ACCESS SHARE and then one exported snapshot, until the context ends."""

    begun: datetime                # when the snapshot was taken
    lsn: str                       # WAL position at that moment
    named: SharedNames             # what the database names of the whole server's, in the same snapshot

    def prepare(self, level: str) -> None:
        """Read sequences, which obey no snapshot, before stream does: it may come to them before the fingerprint."""

    def stream(self, options: DumpOptions) -> Iterator[bytes]:
        """Yield pg_dump's uncompressed output of this snapshot; raise ToolFailed instead of ending early.

        custom and plain give the tool's own format, directory gives one tar of the directory.
        """

    def contents(self) -> list[str]:
        """Return the table of contents of what stream gave, one line an entry; plain has none.

        Call it after stream ended. It is what the archive itself says, so that a dump that lacks something shows.
        """

    def fingerprint(self, level: str) -> Fingerprint:
        """Return counts, digests and inventory of what stream dumps, seen in the same snapshot.

        May run in a second thread beside stream.
        """

    def settle(self, found: Fingerprint) -> Fingerprint:
        """Return the fingerprint widened by what moved during the dump without obeying the snapshot.

        PostgreSQL reads sequences and definitions as they are now; call this after stream ended.
        """


class Cluster(Protocol):
    """The server that is dumped."""

    def server(self) -> Server:
        """Return the server's facts; raise Unavailable if it cannot be asked."""

    def dump_tool(self, server: Server) -> str:
        """Return the version line of the pg_dump that will run; raise ConfigError if none is new enough."""

    def matched(self, database: str, patterns: Collection[str]) -> set[str]:
        """Return which of pg_dump's table patterns match something in a database that is not the system's own.

        Raises ConfigError for a bad one.
        """

    def session(self, database: str, selection: Selection, *,
                lock_timeout: float) -> AbstractContextManager[DumpSession]:
        """Lock every selected table, then export a snapshot; the blocker is named if a lock is not had."""

    def dump_globals(self) -> Iterator[bytes]:
        """Return the output of pg_dumpall --globals-only, which runs when it is read.

        Raises ConfigError at once where a right or the program is missing.
        """

    def globals_inventory(self) -> dict[str, str]:
        """Return {"role app": "…attributes…", …} of all roles, memberships, tablespaces and their settings."""
