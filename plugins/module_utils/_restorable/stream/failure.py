# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Say why a program failed, without its secrets and without the rows that PostgreSQL quotes."""
from __future__ import annotations

import os
import re
import shlex
import signal
from typing import Mapping, Sequence

from ..errors import ToolFailed
from ..model.row_data import without_rows

KEPT = 2048                        # bytes kept of the beginning and of the end of what a program complains
SHOWN = 240                        # characters of a command that a message quotes
MASK = "***"

# password=… in a connection string, PGPASSWORD=…, --password=…, --passphrase …
_NAMED = re.compile(r"(\b\w*(?:pass(?:word|phrase|wd)?|secret|token)\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s'&]+)", re.I)
_URI = re.compile(r"(\w+://[^:/@\s]*:)[^@\s]+(?=@)")
_URI_PASSWORD = re.compile(r"\w+://[^:/@\s]*:([^@\s]+)@")
_OPTION = re.compile(r"(?:--?[\w-]*(?:password|passphrase|secret|token)[\w-]*|PGPASSWORD)=(.+)", re.I | re.S)
_SECRET_VARIABLE = re.compile(r"PASS|SECRET|TOKEN", re.I)
_TELLING = re.compile(r"error|fatal|panic|denied|cannot|could not|failed|invalid|no such|not found|killed", re.I)
_CONTINUED = re.compile(r"(?:pg_\w+: |psql:[^ ]* )?(?:detail|hint|error detail|error hint):", re.I)


class ProgramFailed(ToolFailed):
    """A program's failure with its parts: status as subprocess has it (-9 for SIGKILL), the masked end of stderr."""

    status: int = 0
    stderr: str = ""


class Complaint:
    """Keeps the first and the last 2 KiB of what a program writes to its standard error."""

    def __init__(self) -> None:
        self._first = b""
        self._last = b""
        self._size = 0

    def add(self, data: bytes) -> None:
        """Take what was read."""
        self._size += len(data)
        room = KEPT - len(self._first)
        self._first += data[:room]
        self._last = (self._last + data[room:])[-KEPT:]

    def text(self) -> str:
        """Return what was kept; " […] " stands for what was not."""
        last = self._last
        if self._size > len(self._first) + len(last):
            # half a line would not be known for what it is, and could be half a row
            last = b"\n[...]\n" + last.partition(b"\n")[2]
        return (self._first + last).decode(errors="replace").strip()


def telling(text: str, limit: int = 400) -> str:
    """Return the first lines that name an error, with the detail that follows, or else the last line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for number, line in enumerate(lines):
        if _TELLING.search(line):
            more = [each for each in lines[number + 1:number + 3] if _CONTINUED.match(each)]
            return "; ".join([line, *more])[:limit]
    return lines[-1][:limit] if lines else ""


def hide(text: str, secrets: Sequence[str] = ()) -> str:
    """Return text without the secrets, without values called password, and without passwords in URIs."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, MASK)
    return _URI.sub(rf"\1{MASK}", _NAMED.sub(rf"\1{MASK}", text))


def secret_values(env: Mapping[str, str] | None) -> tuple[str, ...]:
    """Return the values of an environment (None: ours) that must not be shown: PGPASSWORD, AWS_SECRET_ACCESS_KEY…

    Values of less than four characters are flags, unless it is PostgreSQL's own password.
    """
    return tuple(value for name, value in (os.environ if env is None else env).items()
                 if _SECRET_VARIABLE.search(name) and not name.upper().endswith("FILE")
                 and (len(value) > 3 or name == "PGPASSWORD"))


def describe_status(status: int) -> str:
    """Return "exited with status 1" or "died by signal 9 (SIGKILL)"."""
    if status >= 0:
        return f"exited with status {status}"
    try:
        return f"died by signal {-status} ({signal.Signals(-status).name})"
    except ValueError:
        return f"died by signal {-status}"


def failure(argv: Sequence[str], status: int, complaint: str, secrets: Sequence[str], *,
            what: str = "") -> ProgramFailed:
    """Return the error of a program that failed; what replaces the words for its status."""
    tool = os.path.basename(argv[0])
    secrets = [*secrets, *_argv_secrets(argv)]
    complaint = without_rows(hide(complaint, secrets))
    said = telling(complaint)
    said = said[len(tool) + 2:] if said.startswith(f"{tool}: ") else said
    message = f"{tool} {what or describe_status(status)}" + (f": {said}" if said else "")
    hint = ["Look for the out-of-memory killer with `journalctl -k`."] if status == -signal.SIGKILL else []
    if complaint and complaint not in (said, f"{tool}: {said}"):
        hint.append(f"It said:\n{complaint[-KEPT:]}")
    hint.append(f"The command was: {_command(argv, secrets)}")
    code = "tool.killed" if status < 0 and not what else "tool.failed"
    error = ProgramFailed(message, hint="\n".join(hint), code=code)
    error.status, error.stderr = status, complaint
    return error


def _command(argv: Sequence[str], secrets: Sequence[str]) -> str:
    """Return the command as far as a person reads it: hundreds of options say less than the first ones."""
    # hidden first, so that no secret is cut in two
    command = hide(" ".join(shlex.quote(word) for word in argv), secrets)
    more = len(command) - SHOWN
    return command if more <= 0 else f"{command[:SHOWN].rstrip()} … ({more} more characters)"


def _argv_secrets(argv: Sequence[str]) -> list[str]:
    """Return the values of --password=…, PGPASSWORD=… and of passwords in URIs, as a tool may repeat them."""
    found = [match[1] for word in argv for match in [_OPTION.match(word)] if match]
    return found + [match[1] for word in argv for match in _URI_PASSWORD.finditer(word)]
