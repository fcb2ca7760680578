# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Receive WAL by a replication slot as it is written, by the replication protocol.

Spoken here rather than by pg_receivewal, which tells the server that WAL is safe once it lies on its own disk: the
slot would let go of what no repository has. Here the slot follows what is durable in the repositories, so a spool that
is lost is received again. The messages are those of protocol-replication.html.
"""
from __future__ import annotations

import os
import struct
import threading
import time
from contextlib import contextmanager
from typing import Callable, Iterator, Mapping

from ..errors import ConfigError, Refused, RestorableError, ToolFailed, Unavailable
from ..model.lsn import Lsn
from ..model.timeline import lineage
from ..model.wal import history_name
from .connect import open_maintenance, quote_ident
from .parameters import Connection
from .replication import Walsender, open_replication
from .stream_files import StreamFiles

PULSE = 1.0                        # seconds between two flushes to the disk, and between two words to the server
_EPOCH = 946684800                 # 2000-01-01, from which PostgreSQL counts, in seconds since 1970

Durable = Callable[[int], "Lsn | None"]    # segment size -> up to where the repositories have everything; None: unknown


class Receiver:
    """A thread that receives until it is stopped, the server ends the stream, or something fails."""

    def __init__(self, session: Walsender, slot: str, files: StreamFiles, durable: Durable, *, segment_size: int,
                 begin: tuple[int, Lsn], floor: Lsn, until: Lsn | None) -> None:
        self._session, self._slot, self._files, self._durable = session, slot, files, durable
        self._size, self._begin, self._until = segment_size, begin, until
        self._written, self._told = begin[1], floor
        self._end = begin[1]
        self._pulsed = 0.0
        self._stopping = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="receive", daemon=True)
        self._thread.start()

    def ended(self) -> bool:
        """Say whether it has ended, well or not."""
        return not self._thread.is_alive()

    def held(self) -> int:
        """Return the bytes of WAL that the server keeps for the slot, from what the repositories have on."""
        return max(0, self._end - self._told) if self._told.value else 0

    def check(self) -> None:
        """Raise what it failed with."""
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Let it close its file, and end it."""
        self._stopping = True
        self._thread.join()

    def _run(self) -> None:
        try:
            following: tuple[int, Lsn] | None = self._begin
            while following is not None:
                following = self._receive(*following)
        except BaseException as error:  # noqa: BLE001 - handed to the thread that asks
            self._error = error
        finally:
            try:
                self._files.close()
            except RestorableError as error:
                self._error = self._error or error

    def _receive(self, timeline: int, start: Lsn) -> tuple[int, Lsn] | None:
        """Receive one timeline; return the next one and where it begins, or None if that was all."""
        if timeline > 1 and not self._files.has(history_name(timeline)):
            [[name, content]] = self._session.rows(f"TIMELINE_HISTORY {timeline}")
            self._files.write_history(name, content.encode())
        self._session.begin(f"START_REPLICATION SLOT {quote_ident(self._slot)} PHYSICAL {start} TIMELINE {timeline}")
        self._answer()
        for message in self._session.copied(self._pulse):
            if message[:1] == b"w":
                place = Lsn(struct.unpack_from("!q", message, 1)[0])
                self._files.write(timeline, place, message[25:])
                self._written = place + (len(message) - 25)
                self._end = max(self._written, Lsn(struct.unpack_from("!q", message, 9)[0]))
            elif message[:1] == b"k":
                self._end = Lsn(struct.unpack_from("!q", message, 1)[0])
                if message[17]:
                    self._pulse(now=True)
            if self._done():
                return None
            self._pulse()
        if self._done():
            return None
        self._session.end_copy()
        rows = self._answer()
        if not rows:
            return None                # the server was stopped
        self._session.finish()
        self._files.close()
        following = Lsn.parse(rows[0][1])
        return int(rows[0][0]), Lsn(following.value - following.value % self._size)

    def _answer(self) -> list[list[str]]:
        try:
            return self._session.answer()
        except ToolFailed as error:
            raise ToolFailed(error.message, code="wal.stream_refused", hint=(
                "Read the server's log. If WAL is gone that the slot should have held, there is a gap: drop the slot, "
                "make it again, and take a base backup at once.")) from error

    def _done(self) -> bool:
        return self._stopping or (self._until is not None and self._written >= self._until)

    def _pulse(self, *, now: bool = False) -> bool:
        """Flush, and tell the server what we have and what the repositories have; say whether to go on."""
        at = time.monotonic()
        if now or at - self._pulsed >= PULSE:
            self._pulsed = at
            self._files.flush()
            durable = self._durable(self._size)
            if durable is not None and durable > self._told:
                self._told = durable   # never back: the slot would follow
            clock = int((time.time() - _EPOCH) * 1_000_000)
            self._session.send(struct.pack("!cqqqqb", b"r", self._written.value, self._told.value, 0, clock, 0))
        return not self._done()


@contextmanager
def receiving(settings: Mapping[str, object], folder: str, slot: str, durable: Durable, *,
              until_now: bool = False) -> Iterator[Receiver]:
    """Receive into a folder of mode 0700 while the context lasts; with until_now it ends by itself at that place.

    It does not try again by itself: a server that went away ends it, and so the shipper, which its service restarts.
    """
    connection = Connection.of(settings)
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"folder {folder} cannot be made: {error.strerror}", code="wal.stream_folder",
                          hint="Make the spool, for the account that receives.") from error
    with open_maintenance(connection) as server:
        size, flushed = server.execute(
            "SELECT setting::bigint, CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() "
            "ELSE pg_current_wal_flush_lsn() END::text FROM pg_settings WHERE name = 'wal_segment_size'"
        ).fetchone() or (0, "0/0")
        row = server.execute("SELECT restart_lsn::text, wal_status FROM pg_replication_slots WHERE slot_name = %s "
                             "AND slot_type = 'physical'", [slot]).fetchone()
    if row is None:
        raise ConfigError(f"the server has no physical replication slot {slot!r}", code="wal.no_slot",
                          hint="Make it with restorable.postgres.pg_wal_archive, or run "
                               f"`SELECT pg_create_physical_replication_slot('{slot}', true)` there.")
    if row[1] == "lost":               # a physical slot is streamed from all the same, from wherever one asks
        raise Refused(f"the server let go of WAL that slot {slot} should have held, so there is a gap",
                      code="wal.slot_lost", hint=f"Run `SELECT pg_drop_replication_slot('{slot}')` there, make it "
                      "again, and take a base backup at once; see max_slot_wal_keep_size.")
    files, floor = StreamFiles(folder, size), Lsn.parse(row[0] or "0/0")
    with open_replication(connection) as session:
        [[system, timeline, *_rest]] = session.rows("IDENTIFY_SYSTEM")
        files.claim(system)
        begin = _beginning(session, files, int(timeline), floor, Lsn.parse(flushed), size)
        receiver = Receiver(session, slot, files, durable, segment_size=size, begin=begin, floor=floor,
                            until=Lsn.parse(flushed) if until_now else None)
        try:
            yield receiver
        finally:
            receiver.stop()


def _beginning(session: Walsender, files: StreamFiles, timeline: int, slot: Lsn, flushed: Lsn,
               size: int) -> tuple[int, Lsn]:
    """Return from which timeline and place to receive: after what lies here, else from where the slot holds WAL."""
    newest, line = files.newest(), lineage(timeline, _history(session, timeline))
    if newest is None:
        number = (slot if slot.value else flushed).value // size
        return line.timeline_at(number, size), Lsn(number * size)
    if newest.end < Lsn(slot.value - slot.value % size):
        raise Unavailable(f"segment {newest.name} is the newest in {files.folder}, but slot holds WAL from {slot} only",
                          code="wal.stream_gap", hint="Somebody else used the slot. Take a base backup, and empty that "
                          "folder once the repositories have what is in it.")
    if newest.timeline == timeline and newest.end > flushed:
        raise Unavailable(f"segment {newest.name} in {files.folder} is beyond the end of the server's WAL, {flushed}",
                          code="wal.stream_ahead", hint="It is of another server, or this one was reset or lost WAL. "
                          "Look at what is in that folder, and empty it once the repositories have what they need.")
    left = next((each.end for each in line.ancestors if each.timeline == newest.timeline), None)
    if line.has(newest.timeline, newest.end) or left is None:
        return newest.timeline, newest.end
    # the server comes from a standby that had less of that timeline than lies here
    number = left.value // size
    return line.timeline_at(number, size), Lsn(number * size)


def _history(session: Walsender, timeline: int) -> dict[int, str]:
    return {timeline: session.rows(f"TIMELINE_HISTORY {timeline}")[0][1]} if timeline > 1 else {}
