# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Whom a server of ours runs as: PostgreSQL refuses root."""
from __future__ import annotations

import glob
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from typing import Any

from ..errors import ConfigError

ACCOUNTS = ("postgres", "nobody")  # tried in this order


@dataclass(frozen=True)
class Account:
    """An account of this machine."""

    name: str
    uid: int
    gid: int

    def arguments(self) -> dict[str, Any]:
        """Return what makes subprocess run a child as this account, without any of our groups."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def server_account(wanted: str = "") -> Account | None:
    """Return the account to run a server as if we are root; None otherwise: as ourselves.

    Raises ConfigError if the wanted one, or without a wish postgres or nobody, does not exist.
    """
    if os.geteuid() != 0:
        return None
    for name in (wanted,) if wanted else ACCOUNTS:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        if found.pw_uid != 0:
            return Account(found.pw_name, found.pw_uid, found.pw_gid)
    raise ConfigError(f"no account {wanted or ' or '.join(ACCOUNTS)} to run a scratch server as; root may not",
                      hint="Create an account, for example with `useradd --system postgres`, or set "
                           "drill.scratch.user to one that exists.", code="scratch.no_account")


def own_name() -> str:
    """Return the name of the account that we run as, or its number."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"number {os.geteuid()}"


def can_enter(folder: str, account: Account | None) -> bool:
    """Say whether the account may pass through the folder and all above it, by their modes."""
    if account is None:
        return os.access(folder, os.W_OK | os.X_OK)
    path = os.path.realpath(folder)
    while os.path.isdir(path):
        state = os.stat(path)
        shift = 6 if state.st_uid == account.uid else 3 if state.st_gid == account.gid else 0
        if not (state.st_mode >> shift) & 1:
            return False
        if path == os.path.dirname(path):
            return True
        path = os.path.dirname(path)
    return False


def reachable(bin_dir: str, folder: str, account: Account | None) -> str:
    """Return bin_dir if the account can run what is in it, otherwise that of a copy of the installation in folder.

    Installations in a Python wheel often lie below a home folder that is closed to others. PostgreSQL finds its
    own files relative to its programs; a wheel's libraries lie in NAME.libs beside the package (auditwheel).
    """
    if account is None or _runs(bin_dir, account):
        return bin_dir
    if os.statvfs(folder).f_flag & os.ST_NOEXEC:
        raise ConfigError(f"account {account.name} cannot run the programs in {bin_dir}, and no copy of them in "
                          f"{os.path.dirname(folder)}, which is mounted noexec", code="scratch.noexec",
                          hint="Install PostgreSQL where every account can read it, or take a folder on another file "
                               "system: of a drill it is drill.scratch.dir, of a recovery the data directory.")
    home = os.path.dirname(os.path.realpath(bin_dir))
    package = os.path.dirname(home)
    copied = os.path.join(folder, "install", os.path.basename(package))
    beside = os.path.join(glob.escape(os.path.dirname(package)), "*.libs", "libpq*")
    libraries = {os.path.dirname(each) for each in glob.glob(beside)}
    for source in (home, *libraries):
        copy = os.path.join(copied if source == home else os.path.dirname(copied), os.path.basename(source))
        shutil.copytree(source, copy, symlinks=True)
        _open(copy)
    found = os.path.join(copied, os.path.basename(home), os.path.basename(bin_dir))
    os.chmod(copied, 0o755)
    os.chmod(os.path.dirname(copied), 0o755)
    if _runs(found, account):
        return found
    raise ConfigError(f"account {account.name} cannot run the programs in {bin_dir}", code="scratch.no_access",
                      hint="Install PostgreSQL where every account can read it, or set bin_dir.")


def _open(copy: str) -> None:
    """Let everybody read what was copied, as an installation should."""
    for folder, _folders, files in os.walk(copy):
        os.chmod(folder, 0o755)
        for path in (os.path.join(folder, each) for each in files):
            if not os.path.islink(path):
                os.chmod(path, 0o755 if os.stat(path).st_mode & 0o100 else 0o644)


def _runs(bin_dir: str, account: Account) -> bool:
    for name in ("initdb", "postgres"):
        try:
            done = subprocess.run([os.path.join(bin_dir, name), "--version"], cwd="/", stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
                                  **account.arguments())
        except OSError:
            return False
        if done.returncode:
            return False
    return True
