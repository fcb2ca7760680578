# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Receive WAL by a replication slot, as it is written: pg_receivewal as a child of ours."""
from __future__ import annotations

import os
import signal
import subprocess
from contextlib import contextmanager, suppress
from typing import Iterator, Mapping

from ..errors import ConfigError
from ..model.lsn import Lsn
from ..stream.child import Program, end, start
from ..stream.failure import failure, secret_values
from .children import child_environment
from .connect import open_maintenance
from .parameters import Connection
from .tools import find_tool

GRACE = 10.0                       # seconds in which it closes its file after SIGINT
KEPT = 2048                        # bytes of its last words


class Receiver:
    """A running pg_receivewal."""

    def __init__(self, program: Program, child: subprocess.Popen[bytes]) -> None:
        self._program, self._child = program, child

    def ended(self) -> bool:
        """Say whether it has ended, well or not."""
        return self._child.poll() is not None

    def check(self) -> None:
        """Raise ToolFailed with its words if it ended badly."""
        status = self._child.poll()
        if status:
            said = self._child.stderr.read() if self._child.stderr else b""
            raise failure(self._program.argv, status, said[-KEPT:].decode(errors="replace"), self._program.secrets)

    def stop(self) -> None:
        """Let it close its file, and end it."""
        if not self.ended():
            self._child.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(GRACE)
        end(self._child)


@contextmanager
def receiving(settings: Mapping[str, object], folder: str, slot: str, *, bin_dir: str = "",
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
    with open_maintenance(connection) as session:
        major, database = session.info.server_version // 10000, session.info.dbname
        row = session.execute("SELECT pg_current_wal_flush_lsn()::text").fetchone() if until_now else None
    tool = find_tool("pg_receivewal", major, bin_dir or None)
    argv = [tool.path, "--directory", folder, "--slot", slot, "--no-loop", "--synchronous", "--no-password",
            "--status-interval=1", f"--dbname={connection.conninfo(database)}"]
    # it ends behind that place (pg_receivewal.c, stop_streaming), which an idle server never gets to
    argv += [f"--endpos={Lsn.parse(row[0]) + -1}"] if row else []
    with child_environment(connection) as env:
        program = Program(tuple(argv), env, secrets=tuple(connection.secrets) + secret_values(env))
        receiver = Receiver(program, start(program, fed=False))
        try:
            yield receiver
        finally:
            receiver.stop()
