# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The files of secrets that settings name: there, private, and readable for the user who will need them."""
from __future__ import annotations

import os
import pwd
import stat
from typing import Any, Iterator, Mapping

from ..errors import ConfigError

KEYS = ("password_file", "passfile", "sslkey", "identity_file", "passphrase_file", "signing_key_file",
        "credentials_file")


def check_secret_files(body: Mapping[str, Any], user: str = "") -> None:
    """Raise ConfigError for the first file that is missing, open to others, or another user's than user's, or ours."""
    for where, path in _named(body, ""):
        try:
            found = os.stat(path)
        except OSError as error:
            raise ConfigError(f"{where} is {path!r}, which cannot be read: {error.strerror}", code="secret.missing",
                              hint="Write the secret there with mode 0600, or name the right file.") from error
        owner = _owner(user)
        mode = stat.S_IMODE(found.st_mode)
        if mode & 0o077:
            raise ConfigError(f"{where} is {path!r}, which has mode {mode:04o}: others can read the secret",
                              hint=f"Run `chmod 0600 {path}`, and replace the secret if others may have read it.",
                              code="secret.mode")
        if owner is not None and found.st_uid != owner:
            raise ConfigError(f"{where} is {path!r}, which belongs to user id {found.st_uid} and not to {user}",
                              hint=f"Run `chown {user} {path}`.", code="secret.owner")


def _owner(user: str) -> int | None:
    if not user:
        return None
    try:
        return pwd.getpwnam(user).pw_uid
    except KeyError as error:
        raise ConfigError(f"there is no user {user!r}", code="usage",
                          hint="Name the user who runs the jobs.") from error


def _named(body: Any, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(body, dict):
        for key, value in body.items():
            path = f"{where}.{key}" if where else str(key)
            if key in KEYS and value:
                yield from ((path, each) for each in ([value] if isinstance(value, str) else value))
            else:
                yield from _named(value, path)
    elif isinstance(body, list):
        for number, value in enumerate(body):
            yield from _named(value, f"{where}[{number}]")
