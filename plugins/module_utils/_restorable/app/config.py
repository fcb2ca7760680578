# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Find and read the settings file of the host command."""
from __future__ import annotations

import json
import os
import shlex
import stat
from typing import Any, Iterator, Mapping

from ..errors import ConfigError
from ..model.settings import Settings

SYSTEM = "/etc/restorable/config.json"
SECRET = ("password", "secret_access_key", "session_token")


def find_config(path: str | None, environment: Mapping[str, str]) -> str:
    """Return the settings file: --config, then $RESTORABLE_CONFIG, the user's, the system's."""
    if path or environment.get("RESTORABLE_CONFIG"):
        return path or environment["RESTORABLE_CONFIG"]
    home = environment.get("XDG_CONFIG_HOME") or os.path.join(environment.get("HOME", "/"), ".config")
    own = os.path.join(home, "restorable", "config.json")
    if not os.path.exists(own) and not os.path.exists(SYSTEM) and not _is_closed(os.path.dirname(SYSTEM)):
        raise ConfigError(f"there is no settings file: neither {own} nor {SYSTEM}", code="config.missing",
                          hint="Write one of them (docs/settings.md shows one), or name another with --config or "
                               "$RESTORABLE_CONFIG.")
    return own if os.path.exists(own) else SYSTEM


def named_config(path: str | None, environment: Mapping[str, str]) -> str:
    """Return the words by which a command names the settings file of this run; "" where it finds that one by itself."""
    if not path:
        return ""
    try:
        usual = find_config(None, environment)
    except ConfigError:
        usual = ""
    # whole, for a command that is copied is run in another folder
    whole, usual = (each if each in ("", "environment") else os.path.abspath(each) for each in (path, usual))
    return "" if whole == usual else f"--config {shlex.quote(whole)}"


def _is_closed(folder: str) -> bool:
    """Return whether a folder is there that this user may not look into, so that nobody knows what it lacks."""
    return os.path.isdir(folder) and not os.access(folder, os.X_OK)


def load_config(path: str) -> Settings:
    """Read a settings file; raise ConfigError that names the file and what is wrong in it."""
    return Settings.of(read_body(path))


def read_body(path: str) -> dict[str, Any]:
    """Return a settings file's content; raise ConfigError if it cannot be read, or if others can read its password."""
    try:
        with open(path, encoding="utf-8") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            body = json.load(file)
    except FileNotFoundError as error:
        raise ConfigError(f"settings file {path} does not exist", code="config.missing",
                          hint="Write it (docs/settings.md shows one), or name another with --config.") from error
    except OSError as error:
        raise ConfigError(f"settings file {path} cannot be read: {error.strerror}", code="config.unreadable",
                          hint="Run it as root or as the backups' user: `sudo -u restorable restorable …`.") from error
    except ValueError as error:
        raise ConfigError(f"settings file {path} is not JSON: {error}", code="config.json",
                          hint="Mend the place that is named.") from error
    secret = next(_secrets(body, ""), "")
    if mode & 0o077 and secret:
        raise ConfigError(f"settings file {path} holds a secret, {secret}, and has mode {mode:04o}", code="config.mode",
                          hint="Move a password to a password_file or passfile and a key to a credentials_file, of "
                               f"mode 0600, or run `chmod 0600 {path}`.")
    if not isinstance(body, dict):
        raise ConfigError(f"settings file {path} holds no mapping", code="config.type",
                          hint="Write the settings as one JSON object.")
    return body


def _secrets(body: Any, where: str) -> Iterator[str]:
    """Yield the places of secrets, such as clusters.shop.connection.password."""
    if isinstance(body, dict):
        for key, value in body.items():
            path = f"{where}.{key}" if where else str(key)
            if key in SECRET and value:
                yield path
            yield from _secrets(value, path)
    elif isinstance(body, list):
        for number, value in enumerate(body):
            yield from _secrets(value, f"{where}[{number}]")
