# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Read the settings: a file, or in a container the environment variables."""
from __future__ import annotations

import os
import re
import stat
from typing import Mapping

from ..errors import ConfigError, RestorableError
from ..model.environment import Surroundings, read_environment
from ..model.variables import KNOWN, READ
from .config import find_config, load_config

ENVIRONMENT = "environment"        # RESTORABLE_CONFIG=environment instead of the path of a file
_FILE = "_FILE"
_TOOLS = ("tools.too_old", "tools.missing")


def load_surroundings(path: str | None, environment: Mapping[str, str]) -> Surroundings:
    """Return the settings and what a scheduler needs; raise ConfigError that names what is wrong."""
    found = find_config(path, environment)
    if found != ENVIRONMENT:
        return Surroundings(load_config(found), "", "")
    return from_environment(environment)


def from_environment(environment: Mapping[str, str]) -> Surroundings:
    """Read the variables, and the files that those named like DB_PASSWORD_FILE name."""
    given, warnings = dict(environment), []
    for name in sorted(READ):
        path = environment.get(name + _FILE)
        if path:
            if given.get(name):
                raise ConfigError(f"environment variables {name} and {name}{_FILE} are both set",
                                  hint=f"Keep {name}{_FILE} and remove {name}.", code="environment.two")
            given[name], warning = _content(name, path)
            warnings += [warning] if warning else []
        given.pop(name + _FILE, None)
    found = read_environment(given)
    return Surroundings(**{**vars(found), "warnings": (*found.warnings, *warnings)})


def for_container(error: RestorableError, environment: Mapping[str, str]) -> RestorableError:
    """Return an error with the cure that a compose stack has, where it has another one than a host."""
    if environment.get("RESTORABLE_CONFIG") != ENVIRONMENT:
        return error
    lacks = re.search(r"of major (\d+) or newer", error.message) if error.code in _TOOLS else None
    if lacks:
        image = re.sub(r":\d+", f":{lacks[1]}", environment.get("RESTORABLE_IMAGE") or "restorable-backup:0")
        error.hint = (f"Use the image {image}: set BACKUP_POSTGRES_MAJOR={lacks[1]} in .env and run `docker compose "
                      "--profile backup up -d --build`; for the drill service `docker compose build drill`, too.")
    elif error.code == "connect.password":
        error.hint = ("Write the server's password into the file of the secret that DB_PASSWORD_FILE names, then run "
                      "`docker compose --profile backup up -d --force-recreate backup`.")
    return error


def _content(name: str, path: str) -> tuple[str, str]:
    """Return a file's text without the line end at its end, and a warning if others can read a secret."""
    try:
        with open(path, encoding="utf-8") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ConfigError(f"file {path} of environment variable {name}{_FILE} cannot be read: {why}",
                          hint=f"Mount it as a secret, on the host owned by uid {os.geteuid()} with mode 0400.",
                          code="environment.file") from error
    text = text.rstrip("\r\n")
    if not text:
        raise ConfigError(f"file {path} of environment variable {name}{_FILE} is empty",
                          hint="Write the value, and nothing else, into it.", code="environment.file")
    loose = name in KNOWN and KNOWN[name].secret and mode & 0o004
    return text, (f"secret file {path} of environment variable {name}{_FILE} has mode {mode:04o}, everybody can read "
                  f"it: give it to uid {os.geteuid()} with mode 0400 on the host") if loose else ""
