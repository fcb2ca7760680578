# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The schedule that db-backup writes as a beginning and an interval, in cron notation. Pure."""
from __future__ import annotations

import re

from ..errors import ConfigError

DAY = 1440                         # minutes
_AT = re.compile(r"([01][0-9]|2[0-3])([0-5][0-9])")
_AFTER = re.compile(r"\+([0-9]+)")


def schedule_of(begin: str, interval: str) -> tuple[str, bool]:
    """Return (cron notation, whether a first backup is taken at the start).

    begin is cron notation, HHMM, or +N minutes after the start; interval is minutes.

    >>> schedule_of("2330", "1440")
    ('30 23 * * *', False)
    >>> schedule_of("+0", "360")
    ('0 */6 * * *', True)
    """
    if len(begin.split()) == 5 and not begin[0:4].isdigit():
        return begin, False
    every = _minutes(interval)
    at, after = _AT.fullmatch(begin), _AFTER.fullmatch(begin)
    if begin and not at and not after:
        raise ConfigError(f"BACKUP_BEGIN is {begin!r}", code="environment.value",
                          hint="Write cron notation, HHMM or +0, or better BACKUP_SCHEDULE instead of it.")
    hour, minute = (int(at[1]), int(at[2])) if at else (0, 0)
    return _cron(every, hour, minute), not at


def _minutes(text: str) -> int:
    found = int(text) if text.isascii() and text.isdigit() else DAY if not text else 0
    if found and ((found < 60 and 60 % found == 0) or (found % 60 == 0 and DAY % found == 0)):
        return found
    raise ConfigError(f"BACKUP_INTERVAL is {text!r}, which divides neither an hour nor a day", code="environment.value",
                      hint="Write the times in cron notation into BACKUP_SCHEDULE.")


def _cron(every: int, hour: int, minute: int) -> str:
    if every < 60:
        return f"{minute % every}-59/{every} * * * *" if minute % every else f"*/{every} * * * *"
    if every == DAY:
        return f"{minute} {hour} * * *"
    step = every // 60
    first = hour % step
    return f"{minute} {f'{first}-23/{step}' if first else f'*/{step}'} * * *" if step > 1 else f"{minute} * * * *"
