# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Somebody's folder with files that are not ours."""
from __future__ import annotations

import os
import stat
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from typing import Iterator

from ..errors import NotFound, Unavailable
from ..ports import FolderEntry

CHUNK = 1024 * 1024


class LocalFolder:
    """A folder of this machine; see ports.Folder."""

    def __init__(self, path: str) -> None:
        self.path = os.path.abspath(path)

    def entries(self) -> list[FolderEntry]:
        """Return what is in the folder, sorted by name."""
        try:
            with os.scandir(self.path) as found:
                return sorted((_entry(each) for each in found), key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotFound(f"folder {self.path} does not exist", code="folder.missing",
                           hint="Name the folder that holds the files.") from error
        except OSError as error:
            raise Unavailable(f"folder {self.path} cannot be listed: {error.strerror}", code="folder.unreadable",
                              hint="Run the command as a user who may read it.") from error

    def read(self, name: str) -> Iterator[bytes]:
        """Yield a file's bytes, without following a link that took its place."""
        with self._told(name, "read"), open(os.open(self.path_of(name), os.O_RDONLY | os.O_NOFOLLOW), "rb",
                                            buffering=0) as file:
            while chunk := file.read(CHUNK):
                yield chunk

    def path_of(self, name: str) -> str:
        """Return a file's absolute path."""
        return os.path.join(self.path, name)

    def remove(self, name: str) -> None:
        """Remove a file; what a repository shares with it by a hard link becomes private first."""
        with self._told(name, "removed"):
            handle = os.open(self.path_of(name), os.O_RDONLY | os.O_NOFOLLOW)
            try:
                with suppress(PermissionError):    # another user's file stays that user's
                    os.fchmod(handle, 0o600)
            finally:
                os.close(handle)
            os.unlink(self.path_of(name))

    @contextmanager
    def _told(self, name: str, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise Unavailable(f"file {self.path_of(name)} cannot be {what}: {error.strerror}", code="folder.file",
                              hint="Run the command as a user who may do that.") from error


def _entry(each: os.DirEntry[str]) -> FolderEntry:
    facts = each.stat(follow_symlinks=False)
    kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}
    return FolderEntry(each.name, kinds.get(stat.S_IFMT(facts.st_mode), "other"), facts.st_size,
                       datetime.fromtimestamp(facts.st_mtime, timezone.utc))
