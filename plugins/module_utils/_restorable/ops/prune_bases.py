# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Plan the retention of base backups by their own policy, and join it with the plan of the dumps."""
from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any, Iterable

from ..errors import ConfigError, Damaged, NotFound, RestorableError
from ..model.base_retention import keep_parents
from ..model.catalogue import Catalogue
from ..model.naming import BackupId, parse_prune_key
from ..model.policy import Policy
from ..model.retention import Candidate, Plan, plan_prune
from ..ports import Store
from .world import World, read_manifest

PHYSICAL = ("base", "incr")


def plan_bases(world: World, store: Store, catalogue: Catalogue, candidates: Iterable[Candidate], policy: Policy,
               now: datetime, *, past: Iterable[str], confirm: bool) -> Plan:
    """Return the fate of every base backup; past are the keys of the records of earlier prunes."""
    bases = [each for each in candidates if each.id.kind in PHYSICAL]
    if not bases:
        return Plan()
    plan = plan_prune(bases, policy, now, confirmed=confirm, **last_prune(store, past, "base"))
    plan = keep_parents(plan, _parents(world, store, catalogue))
    return plan if plan.dropped else replace(plan, refusals=())


def last_prune(store: Store, past: Iterable[str], family: str) -> dict[str, Any]:
    """Return what the newest record of a family tells plan_prune: known_digest, last_pruned, known."""
    found = [(*parsed, key) for key in past for parsed in [parse_prune_key(key, family)] if parsed]
    if not found:
        return {}
    when, digest, key = max(found)
    try:
        known = json.loads(b"".join(store.get(key)))["policy"]
    except (RestorableError, ValueError, KeyError, TypeError):
        known = None                   # the guard says so; the digest in the record's name counts
    return {"known_digest": digest, "last_pruned": when, "known": known if isinstance(known, dict) else None}


def joined(one: Plan, other: Plan) -> Plan:
    """Return both plans as one, newest first."""
    rows = sorted((*one.rows, *other.rows), key=lambda row: row.id, reverse=True)
    return Plan(tuple(rows), (*one.refusals, *other.refusals))


def _parents(world: World, store: Store, catalogue: Catalogue) -> dict[BackupId, BackupId | None]:
    return {each.id: parent_of(world, store, each.id) for each in catalogue.committed() if each.id.kind == "incr"}


def parent_of(world: World, store: Store, backup: BackupId) -> BackupId | None:
    """Read what a base backup stands on; None if nothing, or if its manifest cannot tell."""
    try:
        manifest = read_manifest(store, world.cluster, backup)
        return BackupId.parse(manifest.base.parent) if manifest.base else None
    except (Damaged, NotFound, ConfigError):
        return None
