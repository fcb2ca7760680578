# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""List an archive of format custom while it streams by: nothing is kept of it, in memory or on disk."""
from __future__ import annotations

import subprocess
import tempfile
from contextlib import suppress
from typing import Iterable, Iterator

from ..errors import ConfigError, ToolFailed
from ..stream.child import end
from ..stream.failure import describe_status
from ..stream.held import HeldSignals
from ..stream.stage import owned
from .archives import plain_environment


class PassingList:
    """A stage that also gives its stream to `pg_restore --list`, which leaves once it has read the contents.

    A custom archive begins with its table of contents (pg_backup_custom.c, _CloseArchive writes it again only to add
    offsets), so the list is complete long before the data. What is listed goes to a file, not to a pipe: nobody
    reads while we write, and two full pipes would wait for one another for ever.
    """

    def __init__(self, tool: str) -> None:
        self._argv = [tool, "--list"]
        self._said = tempfile.TemporaryFile()          # noqa: SIM115 - closed by __call__
        self._complaints = tempfile.TemporaryFile()    # noqa: SIM115 - closed by __call__
        self._lines: list[str] | None = None

    def __call__(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Pass the chunks on; after the last one lines() has what was listed."""
        with self._said, self._complaints, owned(chunks) as source, HeldSignals() as held:
            child = self._start()
            try:
                held.let_through()
                for chunk in source:
                    _offer(child, chunk)
                    yield chunk
                self._lines = self._judge(child)
            finally:
                end(child)

    def lines(self) -> list[str]:
        """Return the table of contents, one line an entry; empty before the stream has ended."""
        return self._lines or []

    def _start(self) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(self._argv, stdin=subprocess.PIPE, stdout=self._said, stderr=self._complaints,
                                    bufsize=0, env=plain_environment(), start_new_session=True)
        except OSError as error:
            raise ConfigError(f"{self._argv[0]} cannot be started: {error.strerror}", code="tool.cannot_start",
                              hint="Reinstall PostgreSQL's client programs.") from error

    def _judge(self, child: subprocess.Popen[bytes]) -> list[str]:
        _close(child)
        status = child.wait()
        if status:
            self._complaints.seek(0)
            words = " ".join(self._complaints.read(2048).decode(errors="replace").split())
            raise ToolFailed(f"pg_restore --list, reading what pg_dump gave, {describe_status(status)}: {words}",
                             hint="Run pg_dump by hand and list its archive; one of the two programs is broken.",
                             code="dump.unreadable")
        self._said.seek(0)
        return self._said.read().decode(errors="replace").splitlines()


def _offer(child: subprocess.Popen[bytes], chunk: bytes) -> None:
    if child.stdin is None or child.stdin.closed:
        return
    rest = memoryview(chunk)
    try:
        while rest:
            rest = rest[child.stdin.write(rest):]
    except BrokenPipeError:
        _close(child)                  # it has read all that it lists


def _close(child: subprocess.Popen[bytes]) -> None:
    with suppress(BrokenPipeError):
        if child.stdin is not None:
            child.stdin.close()
