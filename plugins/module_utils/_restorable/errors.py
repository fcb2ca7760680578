# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The error tree, ordered by what the reader does next. Pure.

    RestorableError
    ├── ConfigError   fix the settings
    ├── Unavailable   wait and retry
    ├── Refused       a human decides
    ├── NotFound      name another thing
    ├── ToolFailed    read the tool's words
    └── Damaged       wake someone

A message is lower case without full stop and names the thing and the value; a hint is a full sentence
that says what to do. Codes are stable: scripts may compare them.
"""
from __future__ import annotations

from typing import Any


class RestorableError(Exception):
    """Any failure this project explains. exit_status is what the host command returns."""

    code = "error"
    exit_status = 1

    def __init__(self, message: str, *, hint: str = "", code: str = "",
                 details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code or type(self).code
        self.details = details or {}    # what a result may carry beside the message, such as a refused plan

    def as_dict(self) -> dict[str, str]:
        """Return {"code", "message", "hint"} for results, logs and evidence."""
        return {"code": self.code, "message": self.message, "hint": self.hint}


class ConfigError(RestorableError):
    """A setting is wrong; nothing was changed."""

    code = "config.invalid"
    exit_status = 2


class Unavailable(RestorableError):
    """Something cannot be reached or used at the moment; the same call may succeed later."""

    code = "unavailable"
    exit_status = 3


class Refused(RestorableError):
    """A guard stopped the work before anything was changed; a human decides."""

    code = "refused"
    exit_status = 4


class NotFound(RestorableError):
    """A thing that was named does not exist."""

    code = "not_found"
    exit_status = 5


class ToolFailed(RestorableError):
    """A program exited with another status than 0, or died by a signal."""

    code = "tool.failed"
    exit_status = 6


class Damaged(RestorableError):
    """Stored data is not what was stored."""

    code = "damaged"
    exit_status = 7
