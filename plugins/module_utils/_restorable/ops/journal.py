# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Write events into the journal of every repository, each chained to the writer's event before it there.

What deletes backups is announced first and stops if that fails; what else happened is told afterwards, and a journal
that cannot take it is a warning. docs/adr/0002 has the reasons.
"""
from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any, Mapping

from ..errors import Damaged, NotFound, Refused, RestorableError, Unavailable
from ..model.journal import UPKEEP, Event, Facts, Head
from ..model.naming import (
    chain_prefix,
    cluster_prefix,
    event_key,
    journal_id_key,
    journal_prefix,
    parse_event_key,
    stamp,
)
from ..ports import Store
from ..version import VERSION
from .pen import Pen
from .world import World

TRIES = 8                      # a second writer of the same chain may be faster

Heads = dict[str, dict[str, Any]]


def record(world: World, facts: Facts, *, write: bool = True) -> tuple[str, ...]:
    """Append an event to every repository's journal; return warnings of those that could not take it.

    With write False the work only read: a repository that holds nothing of this cluster is left untouched.
    """
    if world.pen is None:
        return ()
    missed = _record(world, world.pen, facts, write=write)
    return tuple(f"{error.message}: so the journal of repository {name} has no event of this {facts.what}"
                 for name, error in missed.items() if not _is_known(name, error, facts))


def announce(world: World, facts: Facts) -> None:
    """Append an event before something is deleted; raise Refused("journal.unwritable") unless every repository has it.
    """
    if world.pen is None:
        return
    for name, error in _record(world, world.pen, facts, write=True).items():
        raise Refused(f"nothing was deleted, because the journal of repository {name} cannot record it: "
                      f"{error.message}", code="journal.unwritable",
                      hint=f"{error.hint} To {facts.what} without a record, run it once with `--confirm`.".strip())


def append_upkeep(world: World, store: Store, facts: Facts) -> None:
    """Append what one repository's journal has to say of itself; raise whatever prevents it."""
    if world.pen is None:
        return
    with world.pen.lock.hold("journal"):
        _append(store, world.pen, _event(world, world.pen, facts), facts, read_heads(world), write=True)


def read_heads(world: World) -> Heads:
    """Return {journal id: {"name": repository, "chains": {chain: head}}} of the repositories that can be read."""
    found: Heads = {}
    for store in world.stores:
        try:
            known, chains = known_id(store, world.cluster), _heads(store, world.cluster)
        except RestorableError:
            continue               # whoever asks has other work to do, which tells what is wrong with the repository
        if known:
            found[known] = {"name": store.name, "chains": {name: head.as_dict() for name, head in chains.items()}}
    return found


def known_id(store: Store, cluster: str) -> str:
    """Return what tells this journal from others, or "" if there is none yet."""
    key = journal_id_key(cluster)
    try:
        return str(json.loads(b"".join(store.get(key)))["id"])
    except NotFound:
        return ""
    except (ValueError, KeyError, TypeError) as error:
        raise Damaged(f"object {store.name}:{key} cannot be read: {error}", code="journal.id_damaged",
                      hint="Run `restorable audit`; if only this file is damaged, put the id that the events name "
                           "back into it.") from error


def _record(world: World, pen: Pen, facts: Facts, *, write: bool) -> dict[str, RestorableError]:
    missed: dict[str, RestorableError] = {}
    written: list[Store] = []
    event = _event(world, pen, facts)
    try:
        with pen.lock.hold("journal"):
            heads = read_heads(world)
            for store in world.stores:
                try:
                    written += [store] if _append(store, pen, event, facts, heads, write=write) else []
                except RestorableError as error:
                    missed[store.name] = error
            # one that this run has lost takes every put and keeps none, or is not even asked
            _tell_missed(pen, event, {**missed, **world.absent}, written)
    except RestorableError as error:
        return missed or {store.name: _reason(store, error, write) for store in world.stores if store not in written}
    return missed


def _reason(store: Store, error: RestorableError, write: bool) -> RestorableError:
    """Return why a repository cannot be used, where the lock beside it is only the first to show it."""
    try:
        store.check(write=write)
    except RestorableError as own:
        return own
    return error


def _is_known(name: str, error: RestorableError, facts: Facts) -> bool:
    """Say whether the failure that the event tells of is the very reason why a journal cannot take it."""
    return error.code == facts.code and (error.code == "lock.unusable" or f"repository {name}" in facts.message)


def _event(world: World, pen: Pen, facts: Facts) -> Event:
    now = world.clock.now()
    return Event(f"{stamp(now)}-{pen.token()}", "", pen.chain, 0, "", now, pen.who, pen.where, f"restorable {VERSION}",
                 world.cluster, facts.what, facts.result, facts.code, facts.message, facts.details)


def _tell_missed(pen: Pen, event: Event, missed: Mapping[str, RestorableError],
                 written: list[Store]) -> None:
    """Write down which repositories lack an event, so that it does not read as cut off there."""
    if not missed:
        return
    details = {"event": event.id, "missed": {name: error.code for name, error in missed.items()}}
    told = replace(event, id=f"{event.id}-missed", what=UPKEEP, result="failed", code="", message="", details=details)
    for store in written:
        _append(store, pen, told, Facts(UPKEEP, "failed"), {}, write=True)


def _append(store: Store, pen: Pen, event: Event, facts: Facts, heads: Heads, *, write: bool) -> bool:
    store.check(write=write)
    if not write and next(iter(store.list(cluster_prefix(event.cluster))), None) is None:
        return False
    journal = known_id(store, event.cluster) or _new_id(store, event.cluster, pen)
    others = {each: body for each, body in heads.items() if each != journal or len(body["chains"]) > 1 or
              event.chain not in body["chains"]}
    event = replace(event, repository=journal, heads=others, present=_present(store, facts),
                    deleted=tuple(facts.deleted.get(store.name, ())))
    for _attempt in range(TRIES):
        head = _head(store, event.cluster, event.chain)
        event = replace(event, number=head.number + 1, previous=head.sha256)
        try:
            store.put(event_key(event.cluster, event.chain, event.number), [event.as_json(pen.sign)])
            return True
        except Refused as error:
            if error.code != "store.exists":
                raise
    raise Unavailable(f"chain {event.chain} grows faster than this writer", code="journal.busy",
                      hint="Give each writer a name of its own by `audit.writer`.")


def _present(store: Store, facts: Facts) -> dict[str, str]:
    found = {}
    for key in facts.keys:
        try:
            found[key] = hashlib.sha256(b"".join(store.get(key))).hexdigest()
        except NotFound:
            continue               # this repository does not hold it
    return found


def _heads(store: Store, cluster: str) -> dict[str, Head]:
    newest: dict[str, int] = {}
    for entry in store.list(journal_prefix(cluster)):
        parsed = parse_event_key(entry.key)
        if parsed:
            newest[parsed[0]] = max(parsed[1], newest.get(parsed[0], 0))
    return {chain: _read_head(store, cluster, chain, number) for chain, number in sorted(newest.items())}


def _head(store: Store, cluster: str, chain: str) -> Head:
    numbers = [parsed[1] for entry in store.list(chain_prefix(cluster, chain))
               for parsed in [parse_event_key(entry.key)] if parsed]
    return _read_head(store, cluster, chain, max(numbers)) if numbers else Head()


def _read_head(store: Store, cluster: str, chain: str, number: int) -> Head:
    data = b"".join(store.get(event_key(cluster, chain, number)))
    return Head(number, hashlib.sha256(data).hexdigest())


def _new_id(store: Store, cluster: str, pen: Pen) -> str:
    body = {"format": 1, "id": pen.token() + pen.token()}
    try:
        store.put(journal_id_key(cluster), [json.dumps(body).encode() + b"\n"])
    except Refused as error:
        if error.code != "store.exists":
            raise
    return known_id(store, cluster)
