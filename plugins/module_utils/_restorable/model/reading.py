# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Read settings strictly: every error names the path and the value, and says what would be right. Pure."""
from __future__ import annotations

import math
import re
from typing import Any, Iterable, Mapping

from ..errors import ConfigError
from .meant import did_you_mean

MOST_JOBS = 64                     # parallel workers
MOST = 1_000_000                   # of what is counted: periods that are kept, backups, minutes
LONGEST = 36500 * 86400.0          # seconds of any duration: a hundred years

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([smhdw]?)")


class Reader:
    """Takes keys out of one mapping; done() refuses what nobody asked for."""

    def __init__(self, body: Any, where: str) -> None:
        if not isinstance(body, Mapping):
            raise ConfigError(f"{where} is {body!r}, not a mapping",
                              hint=f"Write {where} as keys and values.", code="config.type")
        self._body = body
        self._asked: set[str] = set()
        self.where = where

    def raw(self, key: str, default: Any = None) -> Any:
        """Return the value as it is; None counts as absent."""
        self._asked.add(key)
        value = self._body.get(key)
        return default if value is None else value

    def inner(self, key: str) -> Reader:
        """Return a reader of a mapping inside this one; an absent one is empty."""
        return Reader(self.raw(key, {}), f"{self.where}.{key}")

    def text(self, key: str, default: str = "") -> str:
        """Return a string."""
        value = self.raw(key, default)
        if not isinstance(value, str):
            raise self.wrong(key, value, "a text")
        return value

    def flag(self, key: str, default: bool) -> bool:
        """Return true or false; texts such as "yes" are not guessed at."""
        value = self.raw(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, value, "true or false")
        return value

    def number(self, key: str, default: int, *, least: int = 0, most: int = MOST) -> int:
        """Return a whole number within bounds."""
        value = self.raw(key, default)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.wrong(key, value, "a whole number")
        return within(value, f"{self.where}.{key}", least, most)

    def choice(self, key: str, default: str, among: Iterable[str]) -> str:
        """Return one of some words."""
        value, words = self.raw(key, default), list(among)
        if value not in words:
            raise self.wrong(key, value, "one of " + ", ".join(words))
        return str(value)

    def texts(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return a list of strings."""
        value = self.raw(key, list(default))
        if not isinstance(value, (list, tuple)) or not all(isinstance(each, str) and each for each in value):
            raise self.wrong(key, value, "a list of texts")
        return tuple(value)

    def duration(self, key: str, default: float) -> float:
        """Return seconds; a value is 90, "90s", "15m", "24h", "7d" or "2w"."""
        return duration(self.raw(key, default), f"{self.where}.{key}")

    def wrong(self, key: str, value: Any, right: str) -> ConfigError:
        """Return the error for a value of the wrong kind."""
        return ConfigError(f"{self.where}.{key} is {value!r}", hint=f"It must be {right}.", code="config.value")

    def done(self) -> None:
        """Raise ConfigError if a key was given that nobody reads, with the nearest that somebody does."""
        for key in self._body:
            if key not in self._asked:
                hint = did_you_mean(str(key), self._asked) or f"Known keys are {', '.join(sorted(self._asked))}."
                raise ConfigError(f"{self.where}.{key} is not a known setting", hint=hint, code="config.unknown_key")


def within(value: int, where: str, least: int, most: int, *, code: str = "config.value") -> int:
    """Return a whole number that is within bounds; raise ConfigError naming where and the value otherwise."""
    if not least <= value <= most:
        raise ConfigError(f"{where} is {value!r}", hint=f"It must be at least {least} and at most {most}.", code=code)
    return value


def duration(value: Any, where: str) -> float:
    """Return seconds of 90, "90s", "15m", "24h", "7d" or "2w"; raise ConfigError naming where otherwise."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < math.inf:
        seconds = float(min(value, 2 * LONGEST))
    else:
        found = _DURATION.fullmatch(value) if isinstance(value, str) else None
        if not found:
            raise ConfigError(f"{where} is {value!r}", hint="It must be a duration such as 90s, 15m, 24h, 7d or 2w.",
                              code="config.duration")
        seconds = float(found[1]) * _UNITS[found[2] or "s"]
    if seconds > LONGEST:
        raise ConfigError(f"{where} is {value!r}", hint="It must be a hundred years at most, 36500d.",
                          code="config.duration")
    return seconds


def absolute(reader: Reader, key: str, *, required: bool = False) -> str:
    """Return an absolute path; "" where none is given and none is required."""
    path = reader.text(key)
    if (path or required) and not path.startswith("/"):
        raise reader.wrong(key, path, "an absolute path")
    return path
