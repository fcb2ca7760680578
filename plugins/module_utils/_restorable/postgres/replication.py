# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""A session of the replication protocol: its commands, and the copy streams they answer with.

Spoken here rather than by pg_basebackup, which can stream only one tablespace, cannot keep its list of files beside a
compressed archive, and tells no progress (docs/adr/0005). The protocol is protocol-replication.html.
"""
from __future__ import annotations

import select
from contextlib import contextmanager
from typing import Any, Callable, Iterable, Iterator

from ..errors import Damaged, RestorableError, ToolFailed, Unavailable
from ..model.row_data import one_line
from .connect import driver, explained_error, parameters
from .parameters import Connection

POLL = 1.0                         # seconds between two looks while the server is silent, so that signals are seen
_CORRUPTED = "XX001"               # errcodes-appendix.html: data_corrupted


class Walsender:
    """One session; commands one after the other."""

    def __init__(self, pgconn: Any) -> None:
        self._pgconn = pgconn
        self.notices: list[str] = []
        pgconn.notice_handler = self._notice

    @property
    def backend_pid(self) -> int:
        """Return the server process of this session."""
        return int(self._pgconn.backend_pid)

    def rows(self, command: str) -> list[list[str]]:
        """Run a command that answers with rows, and return those of its last answer."""
        self._pgconn.send_query(command.encode())
        rows: list[list[str]] = []
        while (result := self._result()) is not None:
            rows = _rows(result)
        return rows

    def begin(self, command: str) -> None:
        """Send a command whose answers are fetched one by one."""
        self._pgconn.send_query(command.encode())

    def answer(self) -> list[list[str]]:
        """Return the rows of the next answer."""
        result = self._result()
        if result is None:
            raise ToolFailed("the server ended its answer early", code="base.protocol",
                             hint="Read the server's log, then run again.")
        return _rows(result)

    def copied(self, pulse: Callable[[], bool] = lambda: True) -> Iterator[bytes]:
        """Yield the messages of the copy stream that the last answer began.

        While the server is silent pulse is called every second or more often; False from it ends the iteration.
        """
        error = driver().Error
        while True:
            try:
                count, data = self._pgconn.get_copy_data(1)
            except error as failure:
                raise self._failure(failure) from None
            if count > 0:
                yield bytes(data)
            elif count < 0 or not pulse():
                return
            else:
                self._wait()

    def send(self, message: bytes) -> None:
        """Send a message into a stream that goes both ways."""
        try:
            self._pgconn.put_copy_data(message)
            self._pgconn.flush()
        except driver().Error as failure:
            raise self._failure(failure) from None

    def end_copy(self) -> None:
        """Answer the end of a stream that goes both ways with our own."""
        try:
            self._pgconn.put_copy_end()
        except driver().Error as failure:
            raise self._failure(failure) from None

    def upload(self, command: str, chunks: Iterable[bytes]) -> None:
        """Run a command that takes a copy stream from us."""
        self.begin(command)
        self._result()
        for chunk in chunks:
            self._pgconn.put_copy_data(chunk)
        self._pgconn.put_copy_end()
        while self._result() is not None:
            pass

    def finish(self) -> None:
        """Take the rest of the answers, so that the session can take another command."""
        while self._result() is not None:
            pass

    def _result(self) -> Any:
        error = driver().Error
        try:
            self._pgconn.flush()
            while self._pgconn.is_busy():
                self._wait()
            result = self._pgconn.get_result()
        except error as failure:
            raise self._failure(failure) from None
        if result is not None and result.status == driver().pq.ExecStatus.FATAL_ERROR:
            raise self._refused(result)
        return result

    def _wait(self) -> None:
        # not a blocking call of libpq's, in which Python would see no signal
        if select.select([self._pgconn.socket], [], [], POLL)[0]:
            try:
                self._pgconn.consume_input()
            except driver().Error as failure:
                raise self._failure(failure) from None

    def _refused(self, result: Any) -> RestorableError:
        words = " ".join((result.error_message or b"").decode(errors="replace").split())
        code = (result.error_field(driver().pq.DiagnosticField.SQLSTATE) or b"").decode()
        while self._pgconn.get_result() is not None:
            pass
        if code == _CORRUPTED:
            told = "; ".join(self.notices[:3])
            return Damaged(f"the source's own pages are damaged: {words} {told}".rstrip(), code="base.source_damaged",
                           hint="Look at the named files with pg_checksums and pg_amcheck; older backups hold them "
                                "as they were.")
        return ToolFailed(f"the server refused: {words}", code=f"base.server_{code or 'error'}",
                          hint="Read the server's log; a base backup needs a role with REPLICATION, wal_level "
                               "replica and a free wal sender.")

    def _failure(self, error: BaseException) -> Unavailable:
        words = one_line(error)
        return Unavailable(f"the replication session broke: {words}", code="base.broken",
                           hint="Read the server's log, then run again; nothing half-made is left.")

    def _notice(self, result: Any) -> None:
        self.notices.append(" ".join((result.error_message or b"").decode(errors="replace").split()))


@contextmanager
def open_replication(connection: Connection) -> Iterator[Walsender]:
    """Open a session of the replication protocol; see connect.open_database for what is raised."""
    params = {key: value for key, value in parameters(connection).items() if key != "dbname"}
    text = driver().conninfo.make_conninfo(**params, replication="true")
    pgconn = driver().pq.PGconn.connect(text.encode())
    try:
        if pgconn.status != driver().pq.ConnStatus.OK:
            raise explained_error(connection, pgconn)
        yield Walsender(pgconn)
    finally:
        pgconn.finish()


def _rows(result: Any) -> list[list[str]]:
    return [[(result.get_value(row, column) or b"").decode() for column in range(result.nfields)]
            for row in range(result.ntuples)]
