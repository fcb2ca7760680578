# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""What archiving needs on the server's own host: the spool with its scripts, and a file of settings."""
from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import Mapping

from ..errors import ConfigError
from .files import write_atomically
from .wal_scripts import write_scripts
from .wal_spool import make_spool

HEAD = "# Written by restorable; changes are lost.\n"


class SpoolMaker:
    """Makes the spool and its scripts for the account that owns the data directory."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def prepare(self, data_directory: str, *, dry_run: bool) -> bool:
        """Make what is missing; say whether anything was, or would be, changed."""
        if os.path.isdir(data_directory) and os.path.realpath(self._folder).startswith(
                os.path.realpath(data_directory) + os.sep):
            raise ConfigError(f"spool {self._folder} lies in the data directory {data_directory}", code="wal.spool",
                              hint="Choose a folder outside of it: pg_rewind and base backups copy what is inside.")
        if dry_run and not os.path.isdir(self._folder):
            return True
        account = _owner(data_directory)
        made = make_spool(self._folder, account)
        return write_scripts(self._folder, account, dry_run=dry_run) or made


class SettingsFile:
    """A file of settings that postgresql.conf includes, such as conf.d/restorable.conf."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._before: str | None = None

    def write(self, wanted: Mapping[str, str]) -> None:
        """Write the settings as a whole, for the account that owns the folder."""
        self._before = self._content()
        self._put(HEAD + "".join(f"{name} = '{_quoted(value)}'\n" for name, value in sorted(wanted.items())))

    def take_back(self) -> None:
        """Leave the file as it was before the last write."""
        if self._before is None:
            os.unlink(self.path)
        else:
            self._put(self._before)

    def _put(self, text: str) -> None:
        try:
            write_atomically(self.path, text.encode(), mode=0o640)
            account = _owner(os.path.dirname(self.path))
            if account is not None and os.geteuid() == 0:
                os.chown(self.path, *account)
        except OSError as error:
            raise ConfigError(f"settings file {self.path} cannot be written: {error.strerror}", code="archiver.file",
                              hint="Make its folder, and name it in postgresql.conf by include_dir.") from error

    def _content(self) -> str | None:
        with suppress(OSError), open(self.path, encoding="utf-8") as file:
            return file.read()
        return None


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "''")


def _owner(path: str) -> tuple[int, int] | None:
    """Return who owns a folder, None where that cannot be seen."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return (found.st_uid, found.st_gid) if stat.S_ISDIR(found.st_mode) else None
