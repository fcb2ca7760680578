# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Leave beside a set what reading it found, where that is news, so that every listing tells it from then on."""
from __future__ import annotations

import json
from typing import Sequence

from ..errors import Damaged, NotFound
from ..model.drill import Check
from ..model.finding import damaged_since, finding_name
from ..model.naming import BackupId, object_key, set_prefix
from ..ports import Store
from .world import World, read_manifest


def note_finding(world: World, store: Store, backup: BackupId, verdict: str,
                 checks: Sequence[Check] = ()) -> bool:
    """Write down that a copy is damaged, or whole again; return whether that was news.

    What could not be read to its end tells neither. Where no key opens the set, a finding of what the key opened stays.
    """
    if verdict == "incomplete":
        return False
    names = [entry.key.rpartition("/")[2] for entry in store.list(set_prefix(world.cluster, backup))]
    damaged, since = verdict == "failed", damaged_since(names)
    if damaged == (since is not None):
        return False
    if since is not None and any(each.result == "not_run" for each in checks) and _inside(world, store, backup, names):
        return False
    now = world.clock.now()
    failed = [{"level": each.level, "name": each.name, "detail": each.detail} for each in checks
              if each.result == "failed"]
    body = {"format": 1, "verdict": "damaged" if damaged else "whole", "at": now.isoformat(), "failed": failed}
    store.put(object_key(world.cluster, backup, finding_name(now, names, damaged=damaged)),
              [json.dumps(body, indent=1).encode() + b"\n"])
    return True


def _inside(world: World, store: Store, backup: BackupId, names: Sequence[str]) -> bool:
    """Say whether the newest finding is of what an object holds, and not of its stored bytes."""
    newest = max(name for name in names if damaged_since([name]))
    try:
        body = json.loads(b"".join(store.get(object_key(world.cluster, backup, newest))))
        return any(each["level"] != "L0" for each in body["failed"])
    except (NotFound, Damaged, ValueError, KeyError, TypeError):
        return False               # it tells nothing that would have to stay


def manifest_is_damaged(world: World, store: Store, backup: BackupId) -> bool:
    """Say whether a committed set's manifest is no longer what was written; raise what prevents to tell."""
    try:
        read_manifest(store, world.cluster, backup)
    except Damaged:
        return True
    except NotFound:
        return False               # a prune took it meanwhile
    return False
