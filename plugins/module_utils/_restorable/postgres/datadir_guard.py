# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Where no data directory may be made: where a server runs, in one's files or a repository's, or around them."""
from __future__ import annotations

import os
from typing import Iterator

from ..errors import ConfigError, NotFound, Refused
from .accounts import own_name

MARKER = ".restorable-repository"  # in the top folder of a repository; store/home.py makes it
DEEP = 3                           # levels below a folder that is to be moved aside; a package's server lies two below


def guard_place(folder: str, *, beside: bool) -> None:
    """Raise unless a folder could be made, or taken, here; what is in it is not judged beyond a running server.

    With beside something will be written next to it, too.
    """
    if not os.path.isabs(folder):
        raise ConfigError(f"data directory {folder!r} is no absolute path", code="recover.bad_path",
                          hint="Give the whole path, such as /var/lib/postgresql/15/main.")
    above = os.path.dirname(folder)
    if not os.path.isdir(above):
        raise NotFound(f"folder {above} does not exist", code="recover.no_folder",
                       hint="Make it, owned by the server's account, or name another data directory.")
    _refuse_running(folder)
    for each in _parents(folder):
        _refuse_running(each)
        what = "data directory" if _is_file(each, "PG_VERSION") else "repository" if _is_file(each, MARKER) else ""
        if what:
            raise Refused(f"{folder} lies in the {what} {each}", code="recover.bad_place",
                          hint="Name a directory outside of it.")
    if (beside or not os.path.isdir(folder)) and not os.access(above, os.W_OK | os.X_OK):
        raise _closed(above, "it may not write there")
    if os.path.isdir(folder) and os.geteuid() not in (0, os.stat(folder).st_uid):
        raise _closed(folder, "it belongs to another account")


def guard_content(folder: str) -> None:
    """Raise Refused if a folder that is to be moved aside is, or holds, what somebody else needs where it is."""
    for each in _below(folder, 0 if _is_file(folder, "PG_VERSION") else DEEP):
        _refuse_running(each)
        if _is_file(each, MARKER):
            raise Refused(f"{each} is a repository, and would be moved aside with {folder}", code="recover.bad_place",
                          hint="Name another directory; force never moves a repository.")


def _parents(folder: str) -> Iterator[str]:
    """Yield the folders that a folder really lies in, the nearest first."""
    each = os.path.realpath(os.path.dirname(folder))
    while True:
        yield each
        if each == os.path.dirname(each):
            return
        each = os.path.dirname(each)


def _below(folder: str, levels: int) -> Iterator[str]:
    """Yield a folder and those in it, so many levels deep; a data directory's own folders are left out."""
    yield folder
    if not levels or not os.path.isdir(folder) or os.path.islink(folder):
        return
    try:
        with os.scandir(folder) as entries:
            inner = [each.path for each in entries if each.is_dir(follow_symlinks=False)]
    except PermissionError as error:
        raise _closed(folder, "it may not look into it") from error
    for each in inner:
        yield from _below(each, 0 if _is_file(each, "PG_VERSION") else levels - 1)


def _is_file(folder: str, name: str) -> bool:
    return os.path.isfile(os.path.join(folder, name))


def _refuse_running(folder: str) -> None:
    """A server that runs there would write into what we write; force does not help."""
    try:
        with open(os.path.join(folder, "postmaster.pid"), encoding="ascii", errors="replace") as file:
            pid = int(file.readline())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return
    except OSError as error:
        raise _closed(folder, error.strerror or "it cannot be read") from error
    try:
        os.kill(pid, 0)
    except PermissionError:
        pass                           # it lives, and belongs to another account
    except (OSError, OverflowError):
        return
    raise Refused(f"a server seems to run in {folder}: its postmaster.pid names a living process",
                  code="recover.running", hint="Stop it first, for example with `systemctl stop postgresql`.")


def _closed(folder: str, why: str) -> ConfigError:
    return ConfigError(f"data directory {folder} is closed to user {own_name()}: {why}", code="recover.closed",
                       hint="Run this as root or as the server's account, or name a directory that is open to it.")
