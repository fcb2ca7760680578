# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The settings of a repository, one class and one reader a type. Pure.

A new type is a class, a reader, a line in READERS, and a line in OPENERS of app/stores.py.
"""
from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Mapping, Union

from ..errors import ConfigError
from .policy import Policy
from .reading import Reader
from .reading import absolute as _absolute
from .s3_settings import CREDENTIALS, S3Repository, s3_repository

FAMILIES = ("dump", "base")            # each has a retention of its own

# never in a log, an argument or a result
SECRETS = (*CREDENTIALS, "secret_options")


@dataclass(frozen=True)
class LocalRepository:
    """A folder of this machine, or a disk mounted there."""

    name: str
    path: str
    require_marker: bool = False   # refuse a folder without its marker file, as an unmounted disk shows
    evidence: str = ""             # another folder for the evidence of drills; empty: beside the backups
    retention: Mapping[str, Policy] = field(default_factory=dict)      # by family, in the place of the cluster's

    @property
    def place(self) -> str:
        """Return where it is, for people."""
        return self.path


@dataclass(frozen=True)
class RcloneRepository:
    """A remote of the rclone program, such as backup-host:postgres."""

    name: str
    remote: str
    config_file: str = ""          # empty: rclone's own, as `rclone config file` tells
    options: Mapping[str, str] = field(default_factory=dict)   # rclone's, by their names: {"bwlimit": "10M"}
    secret_options: Mapping[str, str] = field(default_factory=dict, repr=False)
    retention: Mapping[str, Policy] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Return where it is, for people."""
        return self.remote


Repository = Union[LocalRepository, RcloneRepository, S3Repository]


def repository(name: str, body: Any) -> Repository:
    """Read one repository strictly; raise ConfigError that names the path and the value."""
    reader = Reader(body, f"repositories.{name}")
    found = READERS[reader.choice("type", "local", READERS)](name, reader)
    own = reader.inner("retention")
    policies = {family: Policy.of(own.raw(family), f"{own.where}.{family}", bases=family == "base")
                for family in FAMILIES if own.raw(family)}
    own.done()
    reader.done()
    return replace(found, retention=policies)


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


def _rclone(name: str, reader: Reader) -> RcloneRepository:
    remote = reader.text("remote")
    # a connection string such as ":sftp,pass=x:" would show its secrets to everybody who lists processes
    if not re.fullmatch(r"[\w.][\w. +@-]*:[^\0\n]*", remote) or ".." in remote.split(":", 1)[1].split("/"):
        raise reader.wrong("remote", remote, "a remote of rclone's configuration and a path, such as "
                                             "backup-host:postgres")
    return RcloneRepository(name, remote, _absolute(reader, "config_file"), _options(reader, "options"),
                            _options(reader, "secret_options"))


def _options(reader: Reader, key: str) -> dict[str, str]:
    inner, found = reader.inner(key), {}
    for name in reader.raw(key, {}):
        value = inner.raw(name, "")
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", str(name)) or not isinstance(value, (str, int, float, bool)):
            raise inner.wrong(str(name), value, "an option of rclone without its dashes, such as bwlimit, with a text, "
                                                "a number, true or false")
        found[str(name)] = str(value).lower() if isinstance(value, bool) else str(value)
    return found


READERS: Mapping[str, Callable[[str, Reader], Repository]] = {
    "local": _local, "rclone": _rclone, "s3": s3_repository}
