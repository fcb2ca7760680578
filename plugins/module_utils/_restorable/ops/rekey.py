# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Give stored backups new recipients, without the database: new headers before the old payloads.

Objects stay immutable. The new ones get names of their own, then a new manifest takes the place of the old one, and
only then what nothing names any more is deleted. Killed at any point, the set is readable by the old or by the new
keys, and the next rekey goes on from there. What a lock keeps of a killed one stays, and its names are not used again.
docs/adr/0004 has the reasons.

A new manifest is announced in the journals with its digest before it stands anywhere, and told once it does: so an
audit during a rekey, or after a killed one, can tell it from one that somebody else put there.
"""
from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Iterable, Iterator

from ..errors import ConfigError, Damaged, NotFound, RestorableError, Unavailable
from ..model.catalogue import Catalogue
from ..model.finding import parse_finding
from ..model.journal import Facts
from ..model.manifest import Item, Manifest
from ..model.naming import MANIFEST, BackupId, hold_prefix, later_manifest, manifest_generation, object_key, set_prefix
from ..model.rekeying import Change, changes, next_generation, rekeyed
from ..ports import Store
from ..stream.tee import put_everywhere
from .copies import names_repository
from .journal import record
from .objects import counted, expect, require_opens
from .protect import delete_unless_retained, hold_objects, protection_of
from .reach import give_up, kept_up
from .world import World, manifest_names, read_catalogue, read_manifest, read_one_manifest


@dataclass(frozen=True)
class Rekeyed:
    """What became of one set."""

    backup: BackupId
    action: str                    # rekeyed, current (sealed for these keys already), failed
    size: int = 0                  # bytes stored anew
    before: tuple[str, ...] = ()   # short names of keys
    after: tuple[str, ...] = ()
    manifest: str = ""             # the key of the new manifest
    reason: str = ""
    warnings: tuple[str, ...] = ()


def rekey(world: World, wish: str = "all", *, dry_run: bool = False) -> list[Rekeyed]:
    """Seal one set, or all, for the recipients of the settings; a set that fails stops no other and stays as it was.

    Whoever calls this has checked the repositories and, unless dry_run, holds the lock.
    """
    require_recipients(world)
    if not dry_run:
        world.keys.check()
    done = (_each(world, backup, stores, dry_run=dry_run) for backup, stores in _chosen(world, wish))
    return [each for each in done if each is not None]


def require_recipients(world: World) -> None:
    """Raise ConfigError unless the settings say whom to seal for."""
    if not world.keys.recipients():
        raise ConfigError("no recipient is set to seal for", code="encryption.no_recipient",
                          hint="Name the new public keys under `encryption.recipients`.")


def _chosen(world: World, wish: str) -> list[tuple[BackupId, list[Store]]]:
    """Return the wanted sets, oldest first, each with the repositories that hold it."""
    found: dict[BackupId, list[Store]] = {}
    missing: RestorableError | None = None
    for store in world.stores:
        catalogue = read_catalogue(store, world.cluster)
        try:
            chosen = catalogue.committed() if wish == "all" else (catalogue.get(wish),)
        except NotFound as error:
            missing = missing or error
            continue
        for backup in chosen:
            found.setdefault(backup.id, []).append(store)
    if not found and missing is not None:
        raise missing
    return sorted(found.items())


def _each(world: World, backup: BackupId, stores: list[Store], *, dry_run: bool) -> Rekeyed | None:
    """Rekey a set where it lies; None where no repository is left that has it, which is told of the repository."""
    world.progress.phase(f"rekey {backup}")
    while left := kept_up(stores):
        try:
            return _rekey_set(world, backup, left, dry_run=dry_run)
        except RestorableError as error:
            if kept_up(left) == left and not _given_up(world, left, error):
                return Rekeyed(backup, "failed", reason=f"{error.message}. {error.hint}".strip())
    return None


def _given_up(world: World, stores: Iterable[Store], error: RestorableError) -> bool:
    """Give up the repository whose trouble this is, where it may be spared; damage is trouble of the set alone."""
    if not isinstance(error, (ConfigError, Unavailable)) or not error.code.startswith("store."):
        return False
    return any(names_repository(error, store, world.cluster) and give_up(store, error) for store in stores)


def _rekey_set(world: World, backup: BackupId, stores: list[Store], *, dry_run: bool) -> Rekeyed:
    names = {store.name: _newest_manifest(world, store, backup) for store in stores}
    newest = max(names.values(), key=lambda name: manifest_generation(name) or 0)
    ahead = [store for store in stores if names[store.name] == newest]
    behind = [store for store in stores if names[store.name] != newest]
    source = ahead[0]
    manifest = read_manifest(source, world.cluster, backup)
    wanted = world.keys.key_ids()
    todo = changes(manifest, wanted, next_generation(newest))
    done = Rekeyed(backup, "rekeyed" if todo else "current", sum(each.old.size for each in todo), manifest.key_ids(),
                   wanted if todo else manifest.key_ids())
    _check_keys(world, source, manifest, todo)
    if dry_run:
        return done
    for store in behind:
        # a rekey was killed between two repositories: the ones behind get the very same objects
        _clean(world, store, backup)
        _copy(world, source, store, manifest, newest)
    locked = [name for store in stores for name in _clean(world, store, backup)]
    generation = next_generation(newest, locked)
    unwritten = _store(world, source, stores, manifest, changes(manifest, wanted, generation),
                       generation) if todo else ()
    _keep_held(world, stores, backup)
    warnings = (*unwritten, *(warning for store in stores for warning in retire(world, store, backup)))
    return replace(done, warnings=warnings,
                   manifest=object_key(world.cluster, backup, later_manifest(generation)) if todo else "")


def _newest_manifest(world: World, store: Store, backup: BackupId) -> str:
    names = manifest_names(store, world.cluster, backup)
    if not names:
        raise NotFound(f"backup {backup} is gone from repository {store.name}", code="backup.unknown",
                       hint="Run `restorable list` to see what is there, then this again.")
    return names[-1]


def _check_keys(world: World, store: Store, manifest: Manifest, todo: Iterable[Change]) -> None:
    """Raise before anything is written unless one object of each set of keys can be opened here."""
    for item in {each.old.recipients: each.old for each in todo if each.old.encryption}.values():
        require_opens(world, store, manifest, item)


def _store(world: World, source: Store, stores: list[Store], manifest: Manifest, todo: tuple[Change, ...],
           generation: int) -> tuple[str, ...]:
    """Store the new objects and then their manifest; return warnings of journals that could not take its events."""
    fresh = {each.old.name: _store_object(world, source, stores, manifest, each) for each in todo}
    _keep_held(world, stores, manifest.id)     # before the new manifest lets a prune see them
    new = rekeyed(manifest, fresh)
    key, data = object_key(new.cluster, new.id, later_manifest(generation)), new.as_json()
    told = {"backup": str(new.id)}
    announced = {**told, "manifests": {key: hashlib.sha256(data).hexdigest()}}
    begun = record(world, Facts("rekey", "begun", details=announced))
    put_everywhere(stores, key, [data])
    return tuple(dict.fromkeys((*begun, *record(world, Facts("rekey", "ok", details=told, keys=(key,))))))


def _keep_held(world: World, stores: Iterable[Store], backup: BackupId) -> None:
    """Put what a rekey has added to a held set under its legal hold too, where the store has one."""
    for store in stores:
        if protection_of(store):
            # not the whole cluster: it would be listed twice for each set
            entries = (entry for prefix in (set_prefix(world.cluster, backup), hold_prefix(world.cluster))
                       for entry in store.list(prefix))
            for each in Catalogue.of(world.cluster, ((entry.key, entry.size) for entry in entries)).committed():
                if each.held:
                    hold_objects(store, world.cluster, each, on=True)


def _store_object(world: World, source: Store, stores: list[Store], manifest: Manifest, change: Change) -> Item:
    """Store one object under its new name; the old one is digested on the way, so damage is never carried over."""
    old = change.old
    where = object_key(manifest.cluster, manifest.id, old.name)
    chunks = expect(old.size, old.sha256, f"{source.name}:{where} as stored")(
        counted(source.get(where), world.progress))
    sealing = world.keys.sealing()
    if sealing is None:
        raise ConfigError("no recipient is set to seal for", code="encryption.no_recipient",
                          hint="Name the new public keys under `encryption.recipients`.")
    packed = world.keys.rewrapping()(chunks) if old.encryption else sealing(chunks)
    stored = put_everywhere(stores, object_key(manifest.cluster, manifest.id, change.name), packed)
    sizes = {(each.size, each.sha256) for each in stored}
    if len(sizes) != 1:
        raise Damaged(f"repositories disagree on object {change.name}: {sorted(sizes)}", code="store.disagree",
                      hint="Check the disks and run the rekey again.")
    size, sha256 = sizes.pop()
    return replace(old, name=change.name, size=size, sha256=sha256, encryption="age",
                   recipients=world.keys.key_ids())


def _copy(world: World, source: Store, target: Store, manifest: Manifest, name: str) -> None:
    there = {entry.key for entry in target.list(set_prefix(world.cluster, manifest.id))}
    for item in manifest.items:
        key = object_key(world.cluster, manifest.id, item.name)
        if key in there:
            _require_same(world, target, key, item)
        else:
            target.put(key, expect(item.size, item.sha256, f"{source.name}:{key}")(
                counted(source.get(key), world.progress)))
    key = object_key(world.cluster, manifest.id, name)
    target.put(key, source.get(key))


def _require_same(world: World, store: Store, key: str, item: Item) -> None:
    """Raise unless an object that is there already, old or kept by a lock, is the one that the manifest names."""
    try:
        for _chunk in expect(item.size, item.sha256, f"{store.name}:{key}")(counted(store.get(key), world.progress)):
            pass                       # read to its end
    except Damaged as error:
        raise Damaged(f"another object stands under a name that the other repositories use: {error.message}",
                      code="store.differs", hint="If a lock keeps it, a rekey after the lock's end deletes it; until "
                                                 "then the backup opens by the old keys there.") from error


def _clean(world: World, store: Store, backup: BackupId) -> list[str]:
    """Delete what a killed rekey wrote and no manifest names; return the names of those that a lock keeps."""
    named = _named(world, store, backup, manifest_names(store, world.cluster, backup))
    return [key.rpartition("/")[2] for key in _keys(world, store, backup)
            if key.rpartition("/")[2] not in named and delete_unless_retained(store, key)]


def retire(world: World, store: Store, backup: BackupId) -> Iterator[str]:
    """Delete the objects that only older manifests name; the manifests stay, since the first one commits the set."""
    names = manifest_names(store, world.cluster, backup)
    valid = _named(world, store, backup, names[-1:])
    old = [key for key in _keys(world, store, backup) if key.rpartition("/")[2] not in valid]
    if not old:
        return
    try:
        with world.reading.hold("rekey"):      # a drill or a restore may be reading them
            locked = [until for until in (delete_unless_retained(store, key) for key in old) if until]
    except Unavailable as error:
        yield f"{len(old)} objects that nothing names any more stay in repository {store.name}: {error.message}"
    else:
        if locked:
            yield (f"{len(locked)} objects that nothing names any more stay in repository {store.name} until a later "
                   f"rekey, retained: {max(locked)}")


def _keys(world: World, store: Store, backup: BackupId) -> list[str]:
    # what was found of a set is named by no manifest, and stays
    return [entry.key for entry in store.list(set_prefix(world.cluster, backup))
            if parse_finding(entry.key.rpartition("/")[2]) is None]


def _named(world: World, store: Store, backup: BackupId, manifests: list[str]) -> set[str]:
    """Return every manifest's name and the names of the objects in some of them."""
    named = {MANIFEST, *manifest_names(store, world.cluster, backup)}
    for name in manifests:
        named |= {item.name for item in read_one_manifest(store, world.cluster, backup, name).items}
    return named
