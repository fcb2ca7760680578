# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The folder through which a recovering server of ours is given its WAL, and its restore_command.

The command is a small sh script that waits for the file; this very process fetches. PostgreSQL (xlogarchive.c) is
answered 0: there, 1: proven to be absent, 255: anything else, which stops the server. With 1 to 125 it would take a
trouble for the end of the WAL and promote with rows missing.
"""
from __future__ import annotations

import os
import shlex
from typing import Iterable

from ..errors import Damaged
from .accounts import Account

_SCRIPT = """\
#!/bin/sh
# restore_command of a recovery by restorable: $1 is the file's name, $2 where it shall lie
spool={spool}
# not `:`, as a redirection that fails would then end the shell with 2, which is the end of the WAL (POSIX, 2.8.1)
true >"$spool/want/$1" || exit 255
while :; do
  if [ -e "$spool/ready/$1" ]; then
    rm -f "$spool/want/$1"
    mv "$spool/ready/$1" "$2" && exit 0
    exit 255
  fi
  if [ -e "$spool/absent/$1" ]; then
    rm -f "$spool/want/$1"
    exit 1
  fi
  if [ -e "$spool/failed" ] || [ ! -d /proc/{pid} ]; then
    exit 255
  fi
  sleep 0.02
done
"""


class WalSpool:
    """A folder of the server's account, on the data directory's own disk so that a file is moved and not copied."""

    def __init__(self, folder: str, account: Account | None) -> None:
        self.folder = os.path.join(folder, "wal")
        self._account = account
        for name in ("", "want", "ready", "absent", "part"):
            path = os.path.join(self.folder, name)
            os.mkdir(path, 0o700)
            self._own(path)
        script = os.path.join(self.folder, "restore")
        with open(script, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(_SCRIPT.format(spool=shlex.quote(self.folder), pid=os.getpid()))
        self._own(script)
        # read by sh and not started itself, which a file system mounted noexec forbids; without the script sh would
        # exit with 2, which is the end of the WAL. In restore_command a % is doubled, and the shell sees the rest
        path = shlex.quote(script).replace("%", "%%")
        self.command = f"[ -r {path} ] || exit 255; exec /bin/sh {path} %f %p"

    def wanted(self) -> list[str]:
        """Return the names that the server waits for."""
        return sorted(os.listdir(os.path.join(self.folder, "want")))

    def waiting(self) -> list[str]:
        """Return the names that lie ready."""
        return os.listdir(os.path.join(self.folder, "ready"))

    def give(self, name: str, chunks: Iterable[bytes], size: int) -> None:
        """Lay a file ready, whole or not at all; size is what a segment must have, 0 of other files."""
        part = os.path.join(self.folder, "part", name)
        count = 0
        with open(part, "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            for chunk in chunks:
                count += file.write(chunk)
        if size and count != size:
            os.unlink(part)
            raise Damaged(f"WAL {name} has {count} bytes, not {size}", code="wal.damaged",
                          hint="Recover from another repository, and take a new base backup.")
        self._own(part)
        os.rename(part, os.path.join(self.folder, "ready", name))

    def tell_absent(self, name: str) -> None:
        """Tell that a listing proved that there is no such file."""
        self._touch(os.path.join("absent", name))

    def fail(self) -> None:
        """Let every request end the server."""
        self._touch("failed")

    def _touch(self, name: str) -> None:
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8"):
            self._own(path)

    def _own(self, path: str) -> None:
        if self._account:
            os.chown(path, self._account.uid, self._account.gid)
