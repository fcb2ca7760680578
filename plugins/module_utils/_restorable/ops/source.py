# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""What a base backup needs from the server, as contracts; postgres/basebackup.py keeps them."""
from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Iterable, Iterator, Mapping, Protocol, Sequence

from ..model.base import BaseOptions, Tablespace
from ..model.server import Server


class BaseStream(Protocol):
    """One base backup on its way. The server's backup mode ends with the context, however it ends."""

    @property
    def start_lsn(self) -> str:
        """Return where recovery of this backup begins."""

    @property
    def stop_lsn(self) -> str:
        """Return the place that recovery must reach; empty before archives came to its end."""

    @property
    def timeline(self) -> int:
        """Return the timeline at the start."""

    @property
    def size(self) -> int:
        """Return the bytes that the server expects to read."""

    @property
    def compression(self) -> str:
        """Return zstd if the archives come compressed by the server, otherwise none."""

    @property
    def tablespaces(self) -> Sequence[Tablespace]:
        """Return the tablespaces that have archives of their own."""

    def archives(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Yield (name, chunks) of each archive, then of backup_manifest; each must be read to its end.

        Raises Damaged after the last byte if the server found damaged pages among what it has sent.
        """


class BaseSource(Protocol):
    """A running server, primary or standby, that gives base backups."""

    def server(self) -> Server:
        """Return the server's facts; raise Unavailable if it cannot be asked."""

    def settings(self) -> Mapping[str, str]:
        """Return archive_mode, data_checksums, summarize_wal, wal_level, wal_segment_size, by name.

        Where WAL is streamed by a slot, wal_slot is its name, and wal_slot_state says used, idle or missing.
        """

    def now(self) -> datetime:
        """Return the server's own time: recovery compares targets with it, not with our clock."""

    def stream(self, options: BaseOptions,
               parent_files: Iterable[bytes] = ()) -> AbstractContextManager[BaseStream]:
        """Begin a base backup; an incremental one is told the parent's list of files."""
