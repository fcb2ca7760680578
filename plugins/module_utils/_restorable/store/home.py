# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The folder of a repository, and the marker file that tells it from a disk that is not mounted."""
from __future__ import annotations

import os
from contextlib import suppress

from ..errors import ConfigError, Refused
from ..stream.owner import give
from .parts import flush_folder

MARKER = ".restorable-repository"

_FORMAT = b'{"format": 1}\n'
_FOREIGN = ("lost+found",)             # what a file system keeps at its top, beside names with a leading dot


class Home:
    """Where a repository lies. Its methods raise OSError as it comes, for the store to explain.

     * The first put into an absent or empty folder makes the folder and its marker. The folder's parent must
       exist: a path with a slip of the pen is an error, not a new tree.
     * With require_marker nothing ever makes it but `create`, called once by a human's command while the disk
       was mounted. From then on a missing marker is Refused("store.not_mounted") by every method. This is the
       setting for a disk that is mounted, since nothing in an empty folder can tell an unmounted disk from a
       first use.
     * Without require_marker a folder with files and no marker is used as it is.
    """

    def __init__(self, name: str, root: str, *, require_marker: bool) -> None:
        if not os.path.isabs(root):
            raise ConfigError(f"repository {name} has path {root!r}, which is not absolute",
                              hint="Write the path from / on.", code="store.path")
        self.root = os.path.normpath(root)
        self._name = name
        self._marker = os.path.join(self.root, MARKER)
        self._require_marker = require_marker

    def create(self) -> None:
        """Make the folder and its marker; one that has a marker already is fine.

        Raises Refused("store.not_empty") for a folder with other things in it.
        """
        self._make_root()
        if self._is_marked():
            return
        if not self._is_empty():
            raise Refused(f"repository {self._name}: folder {self.root} is not empty and has no {MARKER}",
                          hint=f"Name an empty folder, or run `touch {self._marker}` if it is a repository.",
                          code="store.not_empty")
        self._mark()

    def guard(self) -> None:
        """Raise Refused unless the marker is there, if it must be."""
        if self._require_marker and not self._is_marked():
            raise Refused(f"repository {self._name}: {self._marker} is missing, so its disk seems not to be mounted",
                          hint=f"Mount the disk of {self.root}. If it is a new repository, run "
                               "`restorable init` while the disk is mounted.", code="store.not_mounted")

    def prepare(self) -> None:
        """Make the folder fit for a put, as the rules above say."""
        self.guard()
        if not self._require_marker:
            self._make_root()
            if self._is_empty():
                self._mark()

    def _make_root(self) -> None:
        if not os.path.isdir(self.root):
            with suppress(FileExistsError):
                os.mkdir(self.root, 0o700)     # and stays ours, whoever owns its parent
                flush_folder(os.path.dirname(self.root))

    def _is_marked(self) -> bool:
        try:
            os.stat(self._marker)
        except (FileNotFoundError, NotADirectoryError):
            return False               # a folder that is closed to us is another matter, and raises
        return True

    def _is_empty(self) -> bool:
        with os.scandir(self.root) as entries:
            return all(entry.name.startswith(".") or entry.name in _FOREIGN for entry in entries)

    def _mark(self) -> None:
        with suppress(FileExistsError):
            handle = os.open(self._marker, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                give(handle, self.root)
                os.write(handle, _FORMAT)
                os.fsync(handle)
            finally:
                os.close(handle)
            flush_folder(self.root)
