# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Store what a drill found in every repository, under the verdict of that repository's own copy, and read it again."""
from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from ..errors import Damaged, NotFound, RestorableError
from ..model.catalogue import Backup
from ..model.drill import Evidence, in_words
from ..model.encoding import ESCAPED
from ..model.naming import drill_key, drill_prefix, page_key, parse_drill_key
from ..ports import Store
from .findings import note_finding
from .world import World, read_catalogue

KEYS = "keys"                      # beside L0 to L7: a key does not open another backup than the drilled one


def previous_evidence(world: World) -> tuple[str, bytes]:
    """Return the newest evidence of the first repository as (key, bytes); empty if there is none."""
    store = world.stores[0]
    keys = sorted(entry.key for entry in store.list(drill_prefix(world.cluster)) if parse_drill_key(entry.key))
    return (keys[-1], b"".join(store.get(keys[-1]))) if keys else ("", b"")


def store_evidence(world: World, evidence: Evidence) -> Evidence:
    """Put the evidence into every repository, under a name that tells the verdict of the copy there.

    Returns it with the name that tells its own verdict.
    """
    world.progress.phase("store evidence")
    taken = {found[:2] for store in world.stores for entry in store.list(drill_prefix(world.cluster))
             for found in [parse_drill_key(entry.key)] if found}
    when = evidence.begun.replace(microsecond=0)
    while (when, evidence.backup) in taken:
        when += timedelta(seconds=1)   # two drills within a second
    named = {store.name: drill_key(world.cluster, when, evidence.backup, _verdict_of(world, store, evidence))
             for store in world.stores}
    for store in world.stores:
        _put(world, store, replace(evidence, key=named[store.name]))
    whole = [store for store in world.stores if evidence.copies.get(store.name, {}).get("verdict") == "passed"]
    notes = [note for store in whole for note in _found_whole(world, store, evidence)]
    return replace(evidence, key=drill_key(world.cluster, when, evidence.backup, evidence.verdict),
                   notes=(*evidence.notes, *notes))


def _found_whole(world: World, store: Store, evidence: Evidence) -> list[str]:
    """End the finding that a copy is damaged; where that may not be written the evidence counts all the same."""
    try:
        note_finding(world, store, evidence.backup, "passed")
    except RestorableError as error:
        return [f"{error.message}: so `restorable list` goes on to call the copy in {store.name} damaged"]
    return []


def _put(world: World, store: Store, evidence: Evidence) -> None:
    """Store evidence, and beside it the page for people."""
    body = evidence.as_dict()
    data = (json.dumps(body, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode(errors=ESCAPED)
    store.put(evidence.key, [data])
    if world.page:
        store.put(page_key(evidence.key), [world.page(body, in_words(evidence), hashlib.sha256(data).hexdigest())])


def _verdict_of(world: World, store: Store, evidence: Evidence) -> str:
    """Return the verdict on one repository's copy.

    A copy that was not read is the same bytes as the one that was, unless it was found damaged before: of that one a
    drill of another copy says nothing.
    """
    if store.name in evidence.copies:
        return str(evidence.copies[store.name]["verdict"])
    read = str(evidence.copies.get(evidence.repository, {}).get("verdict", evidence.verdict))
    known = next((each for each in read_catalogue(store, world.cluster).backups if each.id == evidence.backup), None)
    if known is not None and known.damaged:
        return "incomplete"
    if known is not None and known.verdict == "failed":
        own, levels = failed_levels(store, world.cluster, known)
        return "incomplete" if own and not faultless(levels) else read
    return read


def failed_levels(store: Store, cluster: str, backup: Backup) -> tuple[bool, set[str]]:
    """Return whether the failed drill read this repository's copy, and on which levels it failed.

    Evidence that cannot be read tells no level, and is taken for evidence of this copy.
    """
    if backup.drilled is None:
        return True, set()
    try:
        body = json.loads(b"".join(store.get(drill_key(cluster, backup.drilled, backup.id, "failed"))))
        copies = body.get("copies") or {body["repository"]: {"levels": _failed(body)}}
        own = store.name in copies
        return own, set(copies[store.name if own else body["repository"]]["levels"])
    except (NotFound, Damaged, ValueError, KeyError, TypeError, AttributeError):
        return True, set()


def blameless(store: Store, cluster: str, backup: Backup) -> bool:
    """Say whether a failed drill found no fault in this repository's copy.

    Damaged objects of one repository say nothing of another's. Evidence that cannot be read clears nothing.
    """
    own, levels = failed_levels(store, cluster, backup)
    return faultless(levels) or (not own and bool(levels) and levels <= {"L0", "L1", KEYS})


def faultless(levels: set[str]) -> bool:
    """Say whether the levels that failed find no fault in the drilled backup itself.

    An own check (L6), such as one that wants rows of today of an old backup, says nothing of whether the backup equals
    what was dumped; a lost key of older backups says nothing of this one.
    """
    return bool(levels) and levels <= {"L6", KEYS}


def _failed(body: dict[str, Any]) -> set[str]:
    return {check["level"] for check in body["checks"] if check["result"] == "failed"}
