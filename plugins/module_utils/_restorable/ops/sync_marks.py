# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Copy what belongs to a cluster beside its sets and its WAL: the binding to its server, holds, and evidence of drills.

Journals and records of prunes tell what was done to one repository, and stay there. A hold that was released in one
repository while another was away ends there too: what tells of a hold's end is newer than the hold.
"""
from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Iterator, Sequence

from ..errors import RestorableError
from ..model.catalogue import Catalogue
from ..model.health import AHEAD
from ..model.naming import cluster_key, drill_prefix, hold_prefix, is_page, parse_drill_key, parse_hold_key
from ..model.wal_naming import binding_prefix
from ..ports import Entry, Store
from .hold import end_hold
from .objects import counted, put_copy
from .protect import hold_objects
from .sync_evidence import Witnesses
from .world import World, read_catalogue

_BEST = {"passed": 0, "failed": 1, "incomplete": 2}


Ended = dict[str, datetime]        # by backup: when its last hold was released


def ended_holds(world: World, stores: Sequence[Store]) -> Ended:
    """Return when holds were released, as any of the repositories tells it; a time that is yet to come counts not."""
    found: Ended = {}
    for store in stores:
        for entry in store.list(hold_prefix(world.cluster)):
            name, ended = parse_hold_key(entry.key)
            when = _told(store, entry.key, "released") if ended else None
            if when is not None and not _is_ahead(world, when):
                found[name] = max(when, found.get(name, when))
    return found


def without_ended(world: World, store: Store, catalogue: Catalogue, ended: Ended) -> Catalogue:
    """Return a repository's catalogue without the holds that have ended elsewhere."""
    stale = {name for name in ended if _is_stale(world, store, name, ended)}
    return replace(catalogue, backups=tuple(replace(each, held=each.held and str(each.id) not in stale)
                                            for each in catalogue.backups))


def copy_marks(world: World, target: Store, sources: Sequence[Store], ended: Ended, damaged: list[str], *,
               dry_run: bool) -> int:
    """Copy what the target lacks, and end the holds that have ended; return how many objects that were, or would be.

    Evidence that was changed since it was stored, and a release without a time that has been, is not copied, and told
    in damaged.
    """
    count = _end_holds(world, target, ended, dry_run=dry_run)
    here = {entry.key: entry.size for entry in _marks(world, target)}
    drills = {found[:2] for key in here for found in [parse_drill_key(key)] if found}
    bad: dict[object, str] = {}
    witnesses = {source.name: Witnesses(world, source) for source in sources}
    for source, entry in _wanted(world, sources):
        drill = parse_drill_key(entry.key)
        if entry.key in here or (drill and drill[:2] in drills):
            continue
        held = _held(world, entry.key)
        if held and _is_stale(world, source, held, ended):
            continue
        data = [b"".join(counted(source.get(entry.key), world.progress))]
        wrong = (witnesses[source.name].wrong(entry.key, data[0]) if drill or is_page(entry.key)
                 else _wrong_release(world, entry.key, data[0]))
        if wrong:
            bad.setdefault(drill[:2] if drill else entry.key, f"{source.name}:{entry.key}: {wrong}")
            continue
        if not dry_run:
            if held:
                _lock(world, target, held)
            put_copy(target, entry.key, data, source)
        here[entry.key] = entry.size
        if drill:
            drills.add(drill[:2])
        bad.pop(drill[:2] if drill else entry.key, None)       # another repository's stands in
        count += 1
    damaged += bad.values()
    return count


def _end_holds(world: World, target: Store, ended: Ended, *, dry_run: bool) -> int:
    stale = [each for each in read_catalogue(target, world.cluster).backups
             if each.held and _is_stale(world, target, str(each.id), ended)] if ended else []
    for backup in () if dry_run else stale:
        end_hold(target, world.cluster, backup)
    return len(stale)


def _is_stale(world: World, store: Store, name: str, ended: Ended) -> bool:
    """Say whether a repository's hold began before the last release; one that cannot be read holds."""
    key = f"{hold_prefix(world.cluster)}{name}.json"
    since = _told(store, key, "since") if name in ended else None
    return since is not None and since <= ended[name]


def _told(store: Store, key: str, what: str) -> datetime | None:
    """Return the time that a mark tells, None if it is not there or tells none."""
    try:
        return _time(b"".join(store.get(key)), what)
    except RestorableError:
        return None


def _time(data: bytes, what: str) -> datetime | None:
    try:
        when = datetime.fromisoformat(str(json.loads(data)[what]))
    except (ValueError, KeyError, TypeError):
        return None
    return when if when.tzinfo else None


def _is_ahead(world: World, when: datetime) -> bool:
    return (when - world.clock.now()).total_seconds() > AHEAD


def _wrong_release(world: World, key: str, data: bytes) -> str:
    """Say why a mark ends no hold: planted with a time to come, it would end every hold that is set until then."""
    if not key.startswith(hold_prefix(world.cluster)) or not parse_hold_key(key)[1]:
        return ""
    when = _time(data, "released")
    if when is None:
        return "it tells no time at which a hold ended"
    return f"it is dated {when.isoformat()}, in the future, and ends no hold" if _is_ahead(world, when) else ""


def _held(world: World, key: str) -> str:
    """Return the backup that a key holds, or "" if it is no hold."""
    name, ended = parse_hold_key(key) if key.startswith(hold_prefix(world.cluster)) else ("", True)
    return "" if ended else name


def _lock(world: World, target: Store, name: str) -> None:
    """Lock the objects of a set before its hold shows, where the repository can."""
    for each in read_catalogue(target, world.cluster).backups:
        if str(each.id) == name:
            hold_objects(target, world.cluster, each, on=True)


def _wanted(world: World, sources: Sequence[Store]) -> Iterator[tuple[Store, Entry]]:
    """Yield every such object of the sources; of evidence on several copies, that of a good copy first."""
    found = [(source, entry) for source in sources for entry in _marks(world, source)]
    yield from sorted(found, key=lambda pair: _rank(pair[1].key))


def _rank(key: str) -> int:
    drill = parse_drill_key(key)
    return _BEST[drill[2]] if drill else 0


def _marks(world: World, store: Store) -> Iterator[Entry]:
    key = cluster_key(world.cluster)
    yield from (entry for entry in store.list(key) if entry.key == key)
    for prefix in (hold_prefix(world.cluster), drill_prefix(world.cluster), binding_prefix(world.cluster)):
        yield from store.list(prefix)
