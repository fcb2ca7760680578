# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Dump roles, memberships and tablespaces, after the databases, so that every role that a dump names is among them."""
from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import chain
from typing import Iterable, Mapping, Sequence

from ..errors import Unavailable
from ..model.encoding import bytes_of
from ..model.manifest import Item
from ..model.naming import BackupId
from ..model.server import SharedNames
from ..model.settings import DumpJob
from .dump_ports import Cluster
from .dumpset import ATTEMPTS, forget, store_stream
from .world import World

Named = Sequence[tuple[str, SharedNames]]        # by database, as each snapshot shows them


@dataclass(frozen=True)
class DumpedGlobals:
    """The globals' objects in the set and what is told of them."""

    items: tuple[Item, ...]
    not_covered: tuple[str, ...] = ()


def dump_globals(world: World, cluster: Cluster, job: DumpJob, backup: BackupId, named: Named) -> DumpedGlobals:
    """Dump the globals, and what a drill compares them with.

    A role that a dump names and that is gone by now is in the set too, without rights: the dump would not restore
    otherwise. Raises Unavailable("dump.moving") for a tablespace that is gone, since nobody knows where it was, and
    for such roles that come and go all the time.
    """
    world.progress.phase("dump globals")
    roles = {role: database for database, names in reversed(named) for role in sorted(names.roles)}
    for _attempt in range(ATTEMPTS):
        before = cluster.globals_inventory()
        _require_tablespaces(before, named)
        gone = [role for role in sorted(roles) if _key(role) not in before]
        item = store_stream(world, backup, "globals.sql", chain(_bare(gone), cluster.dump_globals()), role="globals",
                            form="plain", options=job.options)
        after = cluster.globals_inventory()
        moved = [role for role in sorted(roles) if (_key(role) in before) != (_key(role) in after)]
        if not moved:
            break
        error = Unavailable(f"role {moved[0]}, which database {roles[moved[0]]} names, was made or dropped just as the "
                            "globals were dumped", code="dump.moving",
                            hint="Run again when whoever changes it is done.")
        forget(world, backup, "globals", error)
    else:
        raise error
    told = tuple(f"role {role} was dropped during the backup: it comes back without rights or memberships, because the "
                 f"dump of database {roles[role]} names it" for role in gone)
    if job.options.fingerprint == "none":
        return DumpedGlobals((item,), told)
    expected = json.dumps(_expected(before, after, gone), sort_keys=True, indent=0).encode()
    return DumpedGlobals((item, store_stream(world, backup, "globals.inventory.json", [expected],
                                             role="globals_inventory", form="", options=job.options)), told)


def _key(role: str) -> str:
    return f"role {role}"


def _bare(roles: Iterable[str]) -> list[bytes]:
    """Return the SQL that makes roles, each with nothing but its name."""
    lines = [f"CREATE ROLE {role};\n" for role in roles]
    return [bytes_of("".join(["SET client_encoding = 'UTF8';\n", *lines]))] if lines else []


def _expected(before: Mapping[str, str], after: Mapping[str, str], gone: Iterable[str]) -> dict[str, str]:
    """Return what the globals must bring back: what was the same before and after them, and the bare roles.

    What changed in between is in the set in one form or the other, and no drill could tell which is right.
    """
    same = {key: text for key, text in before.items() if after.get(key) == text}
    readable = any(key.startswith("role_password ") for key in before)
    for role in gone:
        same[_key(role)] = "nologin"
        same.update({f"role_password {role}": "none"} if readable else {})
    return same


def _require_tablespaces(found: Mapping[str, str], named: Named) -> None:
    for database, names in named:
        gone = sorted(each for each in names.tablespaces if f"tablespace {each}" not in found)
        if gone:
            raise Unavailable(f"tablespace {gone[0]} was dropped during the backup, and the dump of database "
                              f"{database} names it", code="dump.moving",
                              hint="Nothing was committed, since that would not restore; run again.")
