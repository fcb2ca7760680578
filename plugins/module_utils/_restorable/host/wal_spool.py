# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The folder in which the shipper leaves word for archive_command, and the two scripts that PostgreSQL runs."""
from __future__ import annotations

import json
import os
import pwd
import stat
import time
from contextlib import suppress
from typing import Any, Mapping

from ..errors import ConfigError, Unavailable
from .files import write_atomically
from .wal_scripts import write_scripts

OK, ERROR = ".ok", ".error"
PID = "shipper.pid"
STATUS = "status.json"


class FileSpool:
    """A Spool in a folder that nobody else may write to."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._opened = False

    def open(self) -> None:
        """Make what is missing, and write our process id, by which archive_command knows that somebody ships."""
        make_spool(self.folder)
        self._opened = True
        self._complete()

    def close(self) -> None:
        """Take the process id away."""
        with suppress(OSError):
            os.unlink(os.path.join(self.folder, PID))

    def acknowledged(self) -> set[str]:
        """Return the names that are acknowledged; see ops/wal_ports.py."""
        try:
            return {name[:-len(OK)] for name in os.listdir(self.folder) if name.endswith(OK)}
        except FileNotFoundError:
            self.open()                # lost while we run: what it held is found in the repositories again
            return set()
        except OSError as error:
            raise self._unusable(error) from error

    def acknowledge(self, name: str, *, after: float = 0.0) -> None:
        """Say that a file, last written at after (seconds since 1970), is durable."""
        self._unlink(name + ERROR)
        path = self._write(name + OK, b"")
        if time.time() <= after:       # archive_command believes only what is younger than the file
            os.utime(path, (after + 1, after + 1))

    def refuse(self, name: str, status: int, message: str) -> None:
        """Say why a file is not archived."""
        line = " ".join(message.split())
        self._write(name + ERROR, f"{min(max(status, 1), 125)} {line}\n".encode())

    def forget(self, name: str) -> None:
        """Take back what was said of a file."""
        for end in (OK, ERROR):
            self._unlink(name + end)

    def report(self, facts: Mapping[str, Any]) -> None:
        """Keep the shipper's state, and the scripts, without which PostgreSQL cannot even ask."""
        self._write(STATUS, json.dumps(facts).encode())
        if self._opened:
            self._complete()

    def read_report(self) -> dict[str, Any]:
        """Return the shipper's last report, {} if there is none."""
        try:
            with open(os.path.join(self.folder, STATUS), encoding="utf-8") as file:
                return dict(json.load(file))
        except (OSError, ValueError):
            return {}

    def _complete(self) -> None:
        """Write the scripts and our process id if they are not there as they should be."""
        try:
            write_scripts(self.folder)
        except OSError as error:
            raise self._unusable(error) from error
        if self._read(PID) != str(os.getpid()):
            self._write(PID, f"{os.getpid()}\n".encode())

    def _read(self, name: str) -> str:
        with suppress(OSError), open(os.path.join(self.folder, name), encoding="utf-8") as file:
            return file.read().strip()
        return ""

    def _write(self, name: str, data: bytes) -> str:
        path = os.path.join(self.folder, name)
        for attempt in (1, 2):
            try:
                write_atomically(path, data)
                return path
            except FileNotFoundError:
                if attempt == 2:
                    raise
                make_spool(self.folder)
            except OSError as error:
                raise self._unusable(error) from error
        return path

    def _unlink(self, name: str) -> None:
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(self.folder, name))

    def _unusable(self, error: OSError) -> Unavailable:
        return Unavailable(f"spool {self.folder} cannot be used: {error.strerror}", code="wal.spool",
                           hint=f"As root, run `install -d -o {_account()} -m 0700 {self.folder}`.")


def make_spool(folder: str, account: tuple[int, int] | None = None) -> bool:
    """Make the spool's folder for an account, and say whether it was made now; refuse one that others may enter."""
    made = False
    if not os.path.isdir(folder):
        try:
            os.makedirs(os.path.dirname(folder), exist_ok=True)
            os.mkdir(folder, 0o700)
        except OSError as error:
            raise ConfigError(f"spool {folder} cannot be made: {error.strerror}", code="wal.spool",
                              hint=f"As root, run `install -d -o postgres -m 0700 {folder}`.") from error
        made = True
        if account is not None and os.geteuid() == 0:
            os.chown(folder, *account)
    if stat.S_IMODE(os.stat(folder).st_mode) & 0o022:
        raise ConfigError(f"spool {folder} may be written to by others", code="wal.spool_mode",
                          hint=f"Run `chmod 0700 {folder}`: whoever writes there can acknowledge WAL.")
    return made


def _account() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
