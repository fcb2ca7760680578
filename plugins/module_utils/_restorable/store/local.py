# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Keep objects as files of a folder: a local disk, or a network disk mounted there."""
from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import Iterable, Iterator

from ..errors import ConfigError, NotFound, Refused
from ..ports import Entry, Stored
from ..stream.stage import CHUNK, Pieces, owned
from .home import Home
from .parts import Part, digest, flush_folder, linked, make_folders, publish, sweep
from .trouble import Trouble, free_bytes
from .walk import is_name, walk

_TRIES = 8                             # a folder may be removed, empty, between its making and its first file


class LocalStore:
    """A Store in a folder. Objects are files of mode 0600 in folders of mode 0700.

    require_marker refuses a folder without its marker file, as an unmounted disk shows; home.py has the rules.
    A put writes below .part/ first; parts.py says how what a killed writer left there is known and removed.
    Files whose names no key can have (a leading dot) are not seen, nor is lost+found.
    """

    def __init__(self, name: str, root: str, *, require_marker: bool = False) -> None:
        self._home = Home(name, root, require_marker=require_marker)
        self.name = name
        self.root = self._home.root
        self._trouble = Trouble(name, self.root)

    def create(self) -> None:
        """Make the folder and its marker; one that has a marker already is fine.

        Raises Refused("store.not_empty") for a folder with other things in it.
        """
        with self._trouble:
            self._home.create()

    def check(self, *, write: bool = True) -> None:
        """Raise unless the marker is there if it must be, and a file can be written, flushed and read back.

        Removes what killed writers left. With write False only the marker and the right to list are looked at;
        an absent folder whose parent is there is an empty repository.
        """
        with self._trouble:
            if not write:
                self._home.guard()
                os.listdir(self.root if os.path.lexists(self.root) else os.path.dirname(self.root))
                return
            self._home.prepare()
            self.sweep_parts()
            with Part(self.root) as probe:
                probe.write(b"restorable")
                probe.verify()

    def sweep_parts(self) -> list[str]:
        """Remove the unfinished files of writers that are dead, never those of running ones; return their paths."""
        with self._trouble:
            return sweep(self.root)

    def put(self, key: str, chunks: Iterable[bytes]) -> Stored:
        """Write, flush and read back a part, then give it its name; see Store.put."""
        with owned(chunks) as source:
            with self._trouble:
                path = self._free_path(key)
                self._home.prepare()
                part = Part(self.root, digest=not isinstance(chunks, Pieces))
            with part:
                for chunk in source:           # its errors are not ours to explain
                    with self._trouble:
                        part.write(chunk)
                with self._trouble:
                    size, sha256 = part.verify(chunks if isinstance(chunks, list) else None)
                    self._publish(part.path, path, key)
        return Stored(key, size, sha256)

    def put_file(self, key: str, path: str, *, move: bool = False) -> Stored:
        """Store a file by a hard link, else by a copy; a link shares mode, owner and later changes with path.

        Raises Refused("store.changing") if the file is written to meanwhile.
        """
        with self._trouble:
            handle = os.open(path, os.O_RDONLY)
        try:
            before = os.fstat(handle)
            stored = self._put_link(key, path, handle) or self.put(key, _read(handle))
            after = os.fstat(handle)
            if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
                self.delete(key)
                raise Refused(f"file {path} changes while it is stored", code="store.changing",
                              hint="Wait until its writer is done, then run this again.")
            if move:
                with self._trouble:
                    os.fchmod(handle, 0o600)
                    os.unlink(path)
                    flush_folder(os.path.dirname(os.path.abspath(path)))
        finally:
            os.close(handle)
        return stored

    def _put_link(self, key: str, path: str, handle: int) -> Stored | None:
        with self._trouble:
            final = self._free_path(key)
            self._home.prepare()
            with linked(self.root, path, handle) as part:
                if part is None:
                    return None
                os.fsync(handle)
                size, sha256 = digest(handle)
                self._publish(part, final, key)
        return Stored(key, size, sha256)

    def get(self, key: str) -> Iterator[bytes]:
        """Yield an object's bytes in chunks of 1 MiB; see Store.get."""
        path = self._path(key)
        with self._trouble:
            self._home.guard()
            handle = _open(path)
        if handle is None:
            raise NotFound(f"object {self.name}:{key} does not exist", code="store.missing",
                           hint="See with `restorable list` what the repository holds.")
        chunks = _read(handle)
        try:
            while True:
                with self._trouble:
                    chunk = next(chunks, None)
                if chunk is None:
                    return
                yield chunk
        finally:
            os.close(handle)

    def list(self, prefix: str) -> Iterator[Entry]:
        """Yield the objects whose keys begin with prefix, sorted by key; see Store.list."""
        with self._trouble:
            self._home.guard()
        entries = walk(self.root, prefix)
        while True:
            with self._trouble:
                entry = next(entries, None)
            if entry is None:
                return
            yield entry

    def delete(self, key: str) -> None:
        """Remove an object durably, and the folders that it leaves empty below the cluster's."""
        path = self._path(key)
        with self._trouble:
            self._home.guard()
            try:
                os.unlink(path)
            except (FileNotFoundError, NotADirectoryError):
                return
            folder = os.path.dirname(path)
            flush_folder(folder)
            while os.path.dirname(folder) not in (self.root, "/") and folder != self.root:
                try:
                    os.rmdir(folder)
                except OSError:
                    return                     # not empty, or gone already
                folder = os.path.dirname(folder)

    def free_bytes(self) -> int | None:
        """Return how many bytes still fit for our account."""
        with self._trouble:
            self._home.guard()
        return free_bytes(self.root if os.path.isdir(self.root) else os.path.dirname(self.root))

    def _publish(self, path: str, final: str, key: str) -> None:
        for _attempt in range(_TRIES):
            make_folders(os.path.dirname(final), self.root)
            try:
                if publish(path, final, self.root):
                    return
            except FileNotFoundError:
                continue                       # a delete beside us removed the folder while it was empty
            raise self._taken(key)
        raise FileNotFoundError(2, "its folder is removed again and again", os.path.dirname(final))

    def _free_path(self, key: str) -> str:
        path = self._path(key)
        if os.path.lexists(path):
            raise self._taken(key)
        return path

    def _taken(self, key: str) -> Refused:
        return Refused(f"object {self.name}:{key} exists", code="store.exists",
                       hint="Objects are never overwritten; see with `restorable list` what it belongs to.")

    def _path(self, key: str) -> str:
        names = key.split("/")
        if not all(is_name(name) for name in names):
            raise ConfigError(f"{key!r} is not a key", code="store.key",
                              hint="A key is made of names joined by `/`, none of them empty or beginning with a dot.")
        return os.path.join(self.root, *names)


def _open(path: str) -> int | None:
    with suppress(FileNotFoundError, NotADirectoryError):
        if stat.S_ISREG(os.stat(path).st_mode):
            return os.open(path, os.O_RDONLY)
    return None


def _read(handle: int) -> Iterator[bytes]:
    place = 0
    while True:
        chunk = os.pread(handle, CHUNK, place)
        if not chunk:
            return
        yield chunk
        place += len(chunk)
