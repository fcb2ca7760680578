# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""A data directory that is made from a base backup: guarded before, whole after, as it was on any failure."""
from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from typing import Iterable, Mapping

from ..errors import Damaged, Refused, Unavailable
from ..stream.tar import Member, TarReader
from .accounts import Account
from .datadir_guard import guard_content, guard_place

# Of a base backup of a standby, or written for the place where the backup was taken.
LEFT_OUT = ("standby.signal", "recovery.signal", "tablespace_map", "postmaster.pid", "postmaster.opts")


@dataclass
class DataDir:
    """One directory and its tablespaces; places maps a tablespace's old path, or its oid, to a new path."""

    path: str
    account: Account | None = None
    places: Mapping[str, str] = field(default_factory=dict)
    _made: list[str] = field(default_factory=list)
    _aside: dict[str, str] = field(default_factory=dict)
    _kept: set[str] = field(default_factory=set)

    def place_of(self, oid: int, path: str) -> str:
        """Return where a tablespace will lie."""
        return self.places.get(str(oid)) or self.places.get(path) or path

    def guard(self, folders: Iterable[str], *, force: bool) -> list[str]:
        """Raise unless every folder may be filled; return those that are not empty, which only force allows."""
        full: list[str] = []
        for folder in folders:
            guard_place(folder, beside=folder == self.path)
            if os.path.lexists(folder) and (not os.path.isdir(folder) or os.listdir(folder)):
                full.append(folder)
        if full and not force:
            raise Refused(f"{full[0]} is not empty", code="recover.not_empty",
                          hint="Name an empty directory, or use --force (`force: true`), which moves what is there "
                               "aside and keeps it.")
        for folder in full:
            guard_content(folder)
        return full

    def require_room(self, wanted: Mapping[str, int]) -> dict[str, int]:
        """Return the free bytes of each folder's disk; raise Unavailable unless what is wanted fits."""
        disks: dict[int, list[str]] = {}
        for folder in wanted:
            disks.setdefault(os.stat(os.path.dirname(folder)).st_dev, []).append(folder)
        free: dict[str, int] = {}
        for folders in disks.values():
            left = shutil.disk_usage(os.path.dirname(folders[0])).free
            need = sum(wanted[each] for each in folders)
            free.update(dict.fromkeys(folders, left))
            if left < need:
                raise Unavailable(f"{', '.join(folders)} needs {need} bytes, its disk has {left} free",
                                  code="recover.no_room", hint="Free some space, or name a folder on another disk.")
        return free

    def make(self, folder: str, stamp: str) -> None:
        """Make an empty folder of mode 0700 for the server's account; what is there is moved aside first."""
        if os.path.isdir(folder) and not os.listdir(folder):
            os.chmod(folder, 0o700)    # stays what it is: it may be a mount point
            self._kept.add(folder)
        else:
            if os.path.lexists(folder):
                self._move_aside(folder, f"{folder}.before-{stamp}")
            os.mkdir(folder, 0o700)
        self._made.append(folder)
        self._own(folder)

    def _move_aside(self, folder: str, aside: str) -> None:
        try:
            os.rename(folder, aside)
        except OSError as error:
            raise Refused(f"{folder} cannot be moved to {aside}: {error.strerror}", code="recover.cannot_move",
                          hint="A mount point cannot be renamed: empty it by hand, then run again.") from error
        self._aside[folder] = aside

    def unpack(self, chunks: Iterable[bytes], folder: str) -> None:
        """Unpack one archive into a folder, all of it owned by the server's account."""
        reader = TarReader(chunks)
        for member in reader.members():
            if member.name.rstrip("/") not in LEFT_OUT:
                self._write(reader, member, _inside(folder, member.name))

    def _write(self, reader: TarReader, member: Member, path: str) -> None:
        if member.kind == "folder":
            if not os.path.isdir(path):
                os.mkdir(path, 0o700)
                self._own(path)
            return
        if member.kind == "link":
            os.symlink(member.target, path)
            return
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            for piece in reader.content():
                while piece:
                    piece = piece[os.write(handle, piece):]
            if self.account:
                os.fchown(handle, self.account.uid, self.account.gid)
        finally:
            os.close(handle)

    def link(self, data: str, oid: int, place: str) -> None:
        """Let a tablespace's link in pg_tblspc lead to its new place."""
        path = os.path.join(data, "pg_tblspc", str(oid))
        if os.path.islink(path):
            os.unlink(path)
        os.symlink(place, path)

    def write(self, data: str, name: str, text: str, *, append: bool = False) -> None:
        """Write a small file of the data directory."""
        path = os.path.join(data, name)
        with open(path, "a" if append else "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(text)
        self._own(path)

    def asides(self) -> dict[str, str]:
        """Return where what was there before lies now."""
        return dict(self._aside)

    def abandon(self) -> None:
        """Remove what was made and put back what was there."""
        for folder in reversed(self._made):
            if folder in self._kept:
                for name in os.listdir(folder):
                    _remove(os.path.join(folder, name))
            else:
                shutil.rmtree(folder, ignore_errors=True)
            if folder in self._aside:
                os.rename(self._aside.pop(folder), folder)
        self._made.clear()

    def _own(self, path: str) -> None:
        if self.account:
            os.chown(path, self.account.uid, self.account.gid, follow_symlinks=False)


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path, ignore_errors=True)
    else:
        os.unlink(path)


def _inside(folder: str, name: str) -> str:
    parts = [each for each in name.split("/") if each not in ("", ".")]
    if name.startswith("/") or ".." in parts:
        raise Damaged(f"the archive holds the name {name!r}, which leads out of its folder", code="base.bad_name",
                      hint="Somebody changed the archive; use another backup.")
    return os.path.join(folder, *parts)
