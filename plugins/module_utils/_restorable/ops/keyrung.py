# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""A drill's own rung for keys: the identity that is set here must open the oldest backups that retention keeps.

A drill of the newest backup says nothing of keys that were rotated since: whoever lost the old identity would learn it
on the day when an old backup is needed.
"""
from __future__ import annotations

import re

from ..errors import ConfigError, RestorableError
from ..model.catalogue import Backup, Catalogue
from ..model.manifest import Manifest
from ..model.naming import BackupId
from ..model.policy import Policy
from ..model.retention import plan_prune
from ..ports import Store
from .ladder import Ladder
from .objects import require_opens
from .prune import candidates
from .world import World, read_catalogue, read_manifest

_TIER = re.compile(r"([a-z]+)#\d+")


def check_keys(world: World, store: Store, drilled: BackupId, policy: Policy, ladder: Ladder) -> None:
    """Add one check for each of these backups that is sealed; where none is, add nothing.

    A key that does not open another backup fails the drill, but neither stops it nor speaks against the drilled one.
    """
    with ladder.phase("try keys"):
        catalogue = read_catalogue(store, world.cluster)
        for backup, why in oldest_kept(world, catalogue, policy):
            name = f"key opens {backup.id}"
            if backup.id != drilled:
                ladder.others.add(name)
            _check(world, store, backup, why, ladder, name)


def oldest_kept(world: World, catalogue: Catalogue, policy: Policy) -> list[tuple[Backup, str]]:
    """Return the oldest backup of all, and the oldest that each tier keeps, each once with the tiers' names."""
    by_id = {each.id: each for each in catalogue.committed()}
    if not by_id:
        return []
    plan = plan_prune(candidates(catalogue), policy, world.clock.now(), confirmed=True)
    oldest: dict[str, Backup] = {"of all": min(by_id.values(), key=lambda each: each.id)}
    for row in plan.kept:              # newest first, so the last one of a tier stays
        for reason in row.reasons:
            found = _TIER.fullmatch(reason)
            if found:
                oldest[found[1]] = by_id[row.id]
    whys: dict[Backup, list[str]] = {}
    for tier, backup in oldest.items():
        whys.setdefault(backup, []).append(tier)
    return [(backup, ", ".join(tiers)) for backup, tiers in whys.items()]


def _check(world: World, store: Store, backup: Backup, why: str, ladder: Ladder, name: str) -> None:
    began = ladder.now()
    manifest: Manifest | None = None
    try:
        manifest = read_manifest(store, world.cluster, backup.id)
        sealed = {item.recipients: item for item in manifest.items if item.encryption}
        for item in sealed.values():
            require_opens(world, store, manifest, item)
    except RestorableError as error:
        seconds = ladder.now() - began
        if not isinstance(error, ConfigError) or manifest is None or error.code.startswith("store."):
            ladder.found("L0", name, error, seconds=seconds)
        elif error.code in ("encryption.no_identity", "encryption.no_cryptography"):
            ladder.not_run("L0", name, f"{error.message}. {error.hint}")
        else:                          # an identity that is set and does not open is what this rung is for
            ladder.failed("L0", name, error.message, expected=", ".join(manifest.key_ids()),
                          actual="no such identity", seconds=seconds)
    else:
        if sealed:
            ladder.ok("L0", name, f"the oldest {why}; {', '.join(manifest.key_ids())}", seconds=ladder.now() - began)
