# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The settings of a repository, one class and one reader a type. Pure.

A new type is a class, a reader, a line in READERS, and a line in OPENERS of app/stores.py.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Mapping

from ..errors import ConfigError
from .reading import Reader

SECRETS = ("access_key_id", "secret_access_key", "session_token")   # never in a log, an argument or a result


@dataclass(frozen=True)
class LocalRepository:
    """A folder of this machine, or a disk mounted there."""

    name: str
    path: str
    require_marker: bool = False   # refuse a folder without its marker file, as an unmounted disk shows
    evidence: str = ""             # another folder for the evidence of drills; empty: beside the backups

    @property
    def place(self) -> str:
        """Return where it is, for people."""
        return self.path


Repository = LocalRepository            # a Union once there are more


def repository(name: str, body: Any) -> Repository:
    """Read one repository strictly; raise ConfigError that names the path and the value."""
    reader = Reader(body, f"repositories.{name}")
    found = READERS[reader.choice("type", "local", READERS)](name, reader)
    reader.done()
    return found


def without_secrets(body: Any, where: str) -> None:
    """Raise ConfigError if a mapping of repositories holds a secret."""
    for name, inner in body.items() if isinstance(body, Mapping) else ():
        for key in SECRETS if isinstance(inner, Mapping) else ():
            if inner.get(key):
                raise ConfigError(f"{where}.{name} holds {key}", code="config.secret",
                                  hint=f"Give it as repository_secrets.{name}.{key}, which is kept out of every log, "
                                       "or name a credentials_file or a profile.")


def with_secrets(body: Any, secrets: Any) -> Any:
    """Return a mapping of repositories with the secrets of each put into it: {"offsite": {"secret_access_key": …}}."""
    if not secrets or not isinstance(body, Mapping):
        return body
    for name, inner in secrets.items():
        if name not in body or not isinstance(body[name], Mapping) or not isinstance(inner, Mapping):
            raise ConfigError(f"repository_secrets.{name} fits no repository", code="config.secret",
                              hint=f"Known repositories: {', '.join(map(str, body)) or 'none'}.")
    return {name: {**inner, **secrets.get(name, {})} if name in secrets else inner for name, inner in body.items()}


def _local(name: str, reader: Reader) -> LocalRepository:
    return LocalRepository(name, _absolute(reader, "path", required=True), reader.flag("require_marker", False),
                           _absolute(reader, "evidence"))


def _absolute(reader: Reader, key: str, *, required: bool = False) -> str:
    path = reader.text(key)
    if (path or required) and not path.startswith("/"):
        raise reader.wrong(key, path, "an absolute path")
    return path


READERS: Mapping[str, Callable[[str, Reader], Repository]] = {"local": _local}
