# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put a role's variables and those that a person wrote for a container together. Private to this collection."""
from __future__ import annotations

import re
from typing import Any, Iterable, Mapping, Sequence

from ansible_collections.restorable.postgres.plugins.module_utils._restorable.model.variables import KNOWN

_FILE = re.compile("_FILE$")
# other variables that answer the same question, beside a variable's own aliases
SAME = {
    "BACKUP_SCHEDULE": ("BACKUP_BEGIN", "BACKUP_INTERVAL"),
    "BACKUP_RETENTION_DAYS": ("BACKUP_KEEP_DAYS", "BACKUP_KEEP_WEEKS", "BACKUP_KEEP_MONTHS", "BACKUP_KEEP_MINS",
                              "BACKUP_CLEANUP_MINUTES"),
    "BACKUP_PREFIX": ("BACKUP_PREFIX_STAGING", "BACKUP_PREFIX_PROD"),
    "DB_PASSWORD": ("PGPASSFILE",),
}


def variables_like(names: Iterable[str], pattern: str) -> list[str]:
    """Return the names that mean a variable whose own name matches at its beginning, with or without _FILE."""
    return [name for name in names if re.match(pattern, _own_name(name))]


def stack_variables(environment: Mapping[str, Any], options: Sequence[Mapping[str, Any]],
                    secrets: Iterable[str] = ()) -> dict[str, Any]:
    """Return {"variables", "wrong"}: all variables of a service, and what a person must decide, "" if nothing.

    options says what a role sets: {"variable", "option", "value", "default"}, of a secret, which has a file and is no
    variable, {"variable", "option", "secret": True}. What a person wrote under any name wins
    over a default; over an option that the person set, too, neither wins.
    """
    written = {**dict.fromkeys(secrets, "compose_secret_files"),
               **{name: "compose_environment" for name, value in environment.items() if str(value)}}
    found: dict[str, Any] = {}
    for each in options:
        mine = {name: place for name, place in written.items() if _own_name(name) in _same(each["variable"])}
        secret = each.get("secret", False)
        if not mine:
            found.update({} if secret else {each["variable"]: each["value"]})
        elif secret or each["value"] != each["default"]:
            name, place = next(iter(mine.items()))
            return {"variables": {}, "wrong": f"{place}.{name} and {each['option']} are both set, and each says "
                    f"what {each['variable']} is. Keep one of the two."}
    return {"variables": {**found, **environment}, "wrong": ""}


def _same(variable: str) -> tuple[str, ...]:
    return (variable, *SAME.get(variable, ()))


def _own_name(name: str) -> str:
    plain = name if name in KNOWN else _FILE.sub("", name)
    return KNOWN[plain].name if plain in KNOWN else name
