# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""What the operations on WAL need of the host, as contracts. host/wal_spool.py and host/wal_source.py keep them."""
from __future__ import annotations

from typing import Any, Callable, Iterator, Mapping, Protocol

Pause = Callable[[float], None]    # waits so many seconds


class WalSource(Protocol):
    """Where a server, or the receiver of a stream, leaves the files that are to be archived."""

    def ready(self) -> list[str]:
        """Return the names of the files that are complete and not archived yet, history first, then oldest first."""

    def size(self, name: str) -> int:
        """Return a file's bytes; raise NotFound("wal.no_file") if it is gone."""

    def read(self, name: str) -> Iterator[bytes]:
        """Yield a file's bytes in chunks of 1 MiB at most; may be called again."""

    def read_into(self, name: str, buffer: memoryview) -> Iterator[memoryview]:
        """Fill the buffer with a file's bytes and yield each piece of it, 1 MiB at most, until either is at its end."""

    def system_identifier(self) -> str:
        """Return the system identifier of the server that writes there, "" if nothing tells it."""

    def archived(self, name: str) -> None:
        """Take notice that a file is durable in the repositories."""

    def usage(self) -> tuple[int, int | None]:
        """Return the bytes of all WAL that waits there, and the bytes that still fit beside it."""


class Spool(Protocol):
    """Where the shipper leaves word for archive_command. It may be lost at any time: it is only ever a hint.

    An acknowledgement is NAME.ok and counts only if it is younger than the file it is of.
    """

    def acknowledged(self) -> set[str]:
        """Return the names that are acknowledged."""

    def acknowledge(self, name: str) -> None:
        """Say that a file is durable."""

    def refuse(self, name: str, status: int, message: str) -> None:
        """Say why a file is not archived; status is what archive_command exits with, 1 to 125."""

    def forget(self, name: str) -> None:
        """Take back what was said of a file; nothing said is fine."""

    def report(self, facts: Mapping[str, Any]) -> None:
        """Keep the shipper's state for whoever asks."""
