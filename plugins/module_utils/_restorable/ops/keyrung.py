# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""A drill's own rung for keys: the identity that is set here must open the drilled backup, and the oldest kept ones.

A drill of the newest backup says nothing of keys that were rotated since: whoever lost the old identity would learn it
on the day when an old backup is needed. A key that is not here is no fault of a backup: of the drilled one it leaves
the drill incomplete, of another one it fails the drill and does not speak against the drilled one.
"""
from __future__ import annotations

import re
from functools import partial
from typing import Iterator, Sequence

from ..errors import ConfigError, RestorableError
from ..model.catalogue import Backup, Catalogue
from ..model.manifest import Item, Manifest
from ..model.naming import BackupId
from ..model.pick import PHYSICAL
from ..model.policy import Policy
from ..model.retention import plan_prune
from ..model.wal_naming import StoredWal, stored_wal, wal_prefix
from ..model.wal_sealing import valid
from ..ports import Store
from .base_chain import read_chain
from .evidence import blameless
from .ladder import Ladder
from .objects import read_stored, require_opens
from .prune import candidates
from .reread import read_twice
from .wal_level import checked_wal
from .wal_reading import SEALED
from .world import World, read_catalogue, read_manifest

KEY = "key opens"                  # the name of such a check, before what it opens
NO_KEY = ("encryption.no_identity", "encryption.no_cryptography")

_TIER = re.compile(r"([a-z]+)#\d+")


def check_keys(world: World, store: Store, drilled: Sequence[Manifest], policy: Policy, ladder: Ladder) -> bool:
    """Add one check for each of these backups that is sealed; where none is, add nothing.

    drilled is the backup itself or, of a base backup, its chain. Returns whether all of that can be opened; a key that
    does not open another backup fails the drill, but neither stops it nor speaks against the drilled one.
    """
    own = {each.id for each in drilled}
    with ladder.phase("try keys"):
        catalogue = read_catalogue(store, world.cluster)
        oldest = dict(oldest_kept(world, store, catalogue, policy, physical=drilled[-1].id.kind in PHYSICAL))
        for backup, why in oldest.items():
            if backup not in own:
                ladder.others.add(_name(backup))
            _check(world, store, backup, why, ladder)
        for manifest in drilled:
            if manifest.id not in oldest:
                _check(world, store, manifest.id, "the drilled one", ladder)
        if drilled[-1].id.kind in PHYSICAL:
            _check_wal(world, store, ladder)
    names = {_name(each) for each in own}
    return all(each.result == "ok" for each in ladder.checks if each.name in names)


def is_own_key(name: str, backup: BackupId) -> bool:
    """Say whether a check is whether the drilled backup can be opened."""
    return name == _name(backup)


def oldest_kept(world: World, store: Store, catalogue: Catalogue, policy: Policy, *,
                physical: bool = False) -> Iterator[tuple[BackupId, str]]:
    """Yield the oldest backup of all, and the oldest that each tier keeps, each once with the tiers' names.

    Of base backups the parents of these come with them, since an incremental is nothing without.
    """
    by_id = {each.id: each for each in catalogue.committed() if (each.id.kind in PHYSICAL) == physical}
    if not by_id:
        return
    cleared = {each.id for each in by_id.values() if each.verdict == "failed"
               and blameless(store, world.cluster, each)}
    rows = [each for each in candidates(catalogue, cleared) if each.id in by_id]
    plan = plan_prune(rows, policy, world.clock.now(), confirmed=True)
    oldest: dict[str, Backup] = {"of all": min(by_id.values(), key=lambda each: each.id)}
    for row in plan.kept:              # newest first, so the last one of a tier stays
        for reason in row.reasons:
            found = _TIER.fullmatch(reason)
            if found:
                oldest[found[1]] = by_id[row.id]
    whys: dict[BackupId, list[str]] = {}
    for tier, backup in oldest.items():
        whys.setdefault(backup.id, []).append(tier)
    for each in [each for each in whys if each.kind == "incr"]:
        for parent in _parents(world, store, each, catalogue):
            whys.setdefault(parent, []).append(f"that {each} stands on")
    yield from ((backup, f"the oldest {', '.join(tiers)}") for backup, tiers in whys.items())


def _parents(world: World, store: Store, backup: BackupId, catalogue: Catalogue) -> list[BackupId]:
    try:
        return [each.id for each in read_chain(world, store, backup, catalogue) if each.id != backup]
    except RestorableError:
        return []                      # a chain that is broken is told by verify; its keys open nothing


def _name(backup: BackupId) -> str:
    return f"{KEY} {backup}"


def _check(world: World, store: Store, backup: BackupId, why: str, ladder: Ladder) -> None:
    began, name = ladder.now(), _name(backup)
    manifest: Manifest | None = None
    try:
        found, _wrong = read_twice(lambda: read_manifest(store, world.cluster, backup))
        manifest = found
        sealed = {item.recipients: item for item in found.items if item.encryption}
        for item in sealed.values():
            read_twice(partial(_require_opens, world, store, found, item))
    except RestorableError as error:
        seconds = ladder.now() - began
        if manifest is None or not _is_of_key(error):
            ladder.found("L0", name, error, seconds=seconds)
        elif name not in ladder.others:
            ladder.found("L0", name, ConfigError(
                f"{backup} cannot be opened by the identities given, it is sealed for "
                f"{', '.join(manifest.key_ids())}: {error.message}", hint=error.hint, code=error.code), seconds=seconds)
        elif error.code in NO_KEY:
            ladder.not_run("L0", name, f"{error.message}. {error.hint}")
        else:                          # an identity that is set and does not open is what this rung is for
            ladder.failed("L0", name, error.message, expected=", ".join(manifest.key_ids()),
                          actual="no such identity", seconds=seconds)
    else:
        if sealed:
            ladder.ok("L0", name, f"{why}; {', '.join(found.key_ids())}", seconds=ladder.now() - began)


def _is_of_key(error: RestorableError) -> bool:
    return isinstance(error, ConfigError) and not error.code.startswith("store.")


def _require_opens(world: World, store: Store, manifest: Manifest, item: Item) -> None:
    """Raise what prevents an object from being opened: damage, if it is not as it was stored, before a wrong key."""
    try:
        require_opens(world, store, manifest, item)
    except ConfigError as error:
        if error.code != "age.no_match":
            raise
        read_stored(world, store, manifest, item)      # a changed header looks like one for another key,
        require_opens(world, store, manifest, item)    # and so does one that was only read wrongly


def _check_wal(world: World, store: Store, ladder: Ladder) -> None:
    """Try the oldest archived WAL, which may be sealed for a key that was given up since."""
    listing = valid(stored_wal((entry.key, entry.size) for entry in store.list(wal_prefix(world.cluster))))
    oldest: StoredWal | None = next((each for each in listing if each.suffix.endswith(SEALED)), None)
    if oldest is None:
        return
    name, began = f"{KEY} WAL {oldest.name}", ladder.now()
    ladder.others.add(name)
    try:
        read_twice(lambda: checked_wal(world, store, oldest))
        world.keys.identities()
    except ConfigError as error:
        if not _is_of_key(error):
            ladder.found("L0", name, error)
        elif error.code in NO_KEY:
            ladder.not_run("L0", name, f"{error.message}. {error.hint}")
        else:
            ladder.failed("L0", name, error.message, actual="no such identity", seconds=ladder.now() - began)
    except RestorableError as error:
        ladder.found("L0", name, error, seconds=ladder.now() - began)
    else:
        ladder.ok("L0", name, "the oldest WAL", seconds=ladder.now() - began)
