# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Take a base backup from a running server as streams, one an archive (ops.source.BaseSource)."""
from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime
from typing import Iterable, Iterator, Mapping

from ..errors import ConfigError, ToolFailed
from ..model.base import FILES, BaseOptions, Tablespace
from ..model.server import Server
from .connect import open_maintenance
from .parameters import Connection
from .probe import ask_server
from .replication import Walsender, open_replication

SLOT = "restorable_base"           # temporary: gone with the session

_NOW = "SELECT clock_timestamp()"
# Only a server that archives hands its WAL to our repositories; "always" is how a standby does.
_FACTS = """
SELECT name, setting FROM pg_settings
 WHERE name IN ('archive_mode', 'archive_timeout', 'data_checksums', 'full_page_writes', 'summarize_wal',
                'wal_level', 'wal_segment_size', 'server_version_num')
"""
_SLOT = "SELECT active FROM pg_replication_slots WHERE slot_name = %s AND slot_type = 'physical'"


class PgBase:
    """A running server, primary or standby, reached by settings in libpq's names; slot is where its WAL is streamed."""

    def __init__(self, settings: Mapping[str, object], environ: Mapping[str, str] | None = None, *,
                 slot: str = "") -> None:
        self._connection, self._slot = Connection.of(settings, environ), slot

    def server(self) -> Server:
        """Return the server's facts."""
        with open_maintenance(self._connection) as session:
            return ask_server(session)

    def settings(self) -> dict[str, str]:
        """Return the server's settings that matter to a base backup."""
        with open_maintenance(self._connection) as session:
            facts = {str(name): str(value) for name, value in session.execute(_FACTS).fetchall()}
            if self._slot:
                found = session.execute(_SLOT, [self._slot]).fetchone()
                state = "missing" if found is None else "used" if found[0] else "idle"
                facts.update(wal_slot=self._slot, wal_slot_state=state)
        return facts

    def now(self) -> datetime:
        """Return the server's own time."""
        with open_maintenance(self._connection) as session:
            row = session.execute(_NOW).fetchone()
        if row is None:
            raise ToolFailed("the server tells no time", hint="Read the server's log.", code="base.no_time")
        return row[0]  # type: ignore[no-any-return]

    @contextmanager
    def stream(self, options: BaseOptions, parent_files: Iterable[bytes] = ()) -> Iterator[PgBaseStream]:
        """Begin a base backup; parent_files is the parent's backup_manifest if it is to be incremental."""
        with open_replication(self._connection) as sender:
            if options.incremental:
                sender.upload("UPLOAD_MANIFEST", parent_files)
            if options.wal:
                # so that no WAL of the backup is recycled before it is sent
                sender.rows(f"CREATE_REPLICATION_SLOT {SLOT}_{_backend(sender)} TEMPORARY PHYSICAL RESERVE_WAL")
            yield _begin(sender, options)


def _backend(sender: Walsender) -> str:
    # a name that no other session of ours has at the same time
    return str(sender.backend_pid)


class PgBaseStream:
    """One base backup on its way; see ops.source.BaseStream."""

    def __init__(self, sender: Walsender, start: list[list[str]], places: list[list[str]], compression: str) -> None:
        self.start_lsn, self.timeline = start[0][0], int(start[0][1])
        self.tablespaces = tuple(Tablespace(int(oid), path, int(size or 0) * 1024) for oid, path, size in places if oid)
        self.size = sum(int(row[2] or 0) for row in places) * 1024
        self.compression = compression
        self.stop_lsn = ""
        self.notices = sender.notices
        self._sender = sender
        self._held: bytes | None = None

    def archives(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Yield (name, chunks) of every archive and of backup_manifest, in the server's order; read each to its end."""
        messages = self._sender.copied()
        head = next(messages, None)
        while head is not None:
            self._held = None
            yield _name(head), self._chunks(messages)
            head = self._held
        self.stop_lsn = self._sender.answer()[0][0]
        self._sender.finish()

    def _chunks(self, messages: Iterator[bytes]) -> Iterator[bytes]:
        for message in messages:
            kind = message[:1]
            if kind == b"d":
                yield message[1:]
            elif kind in (b"n", b"m"):
                self._held = message
                return


def _name(message: bytes) -> str:
    """Read the name of the archive that begins: 'n' name NUL path NUL, or 'm' for the list of files."""
    return FILES if message[:1] == b"m" else message[1:].split(b"\0", 1)[0].decode()


def _begin(sender: Walsender, options: BaseOptions) -> PgBaseStream:
    """Send BASE_BACKUP, with the best compression that this server's build has."""
    refusal: ToolFailed | None = None
    for compression in _compressions(options):
        try:
            sender.begin(_command(options, compression))
            start = sender.answer()
            places = sender.answer()
            sender.answer()            # the copy stream begins
            return PgBaseStream(sender, start, places, "zstd" if compression else "none")
        except ToolFailed as error:
            if not compression or "compression" not in error.message:
                raise
            refusal = error
    raise refusal or ConfigError("no way to compress was tried", code="base.compression",
                                 hint="Set compression to none or zstd.")


def _compressions(options: BaseOptions) -> Iterator[str]:
    if options.compression == "zstd":
        yield f"COMPRESSION 'zstd', COMPRESSION_DETAIL 'level={options.level},workers={options.workers}'"
        yield f"COMPRESSION 'zstd', COMPRESSION_DETAIL 'level={options.level}'"
    yield ""


def _command(options: BaseOptions, compression: str) -> str:
    """Return the command; we wait for the WAL ourselves, in our own repositories, so the server need not."""
    words = [f"LABEL '{options.label}'", "PROGRESS true", f"CHECKPOINT '{options.checkpoint}'", "WAIT false",
             "TABLESPACE_MAP true", "MANIFEST 'yes'"]
    words += ["WAL true"] if options.wal else []
    words += [f"MAX_RATE {options.max_rate}"] if options.max_rate else []
    words += ["INCREMENTAL"] if options.incremental else []
    words += [compression] if compression else []
    return f"BASE_BACKUP ({', '.join(words)})"
