# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Audit the journals of a cluster: read every event, manifest and evidence of every repository, and check them."""
from __future__ import annotations

import hashlib
import json
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..errors import NotFound
from ..model.evidence_retention import FAMILIES
from ..model.journal_check import check
from ..model.journal_view import Finding, Found, JournalView, Verify
from ..model.naming import (
    MANIFEST,
    backup_prefix,
    drill_prefix,
    is_page,
    journal_prefix,
    manifest_generation,
    parse_drill_key,
    parse_event_key,
    parse_prune_key,
    prune_prefix,
)
from ..ports import Store
from .journal import known_id
from .world import World

READINGS = 4                       # at most: a cut chain that grows meanwhile has its end elsewhere each time


@dataclass(frozen=True)
class ChainState:
    """One writer's events in one repository."""

    chain: str
    first: int
    last: int
    count: int
    signed: int
    sha256: str                    # of the last event
    newest: datetime | None


@dataclass(frozen=True)
class Audited:
    """One repository's journal as the audit found it."""

    repository: str
    journal: str                   # its id
    chains: tuple[ChainState, ...]
    evidence: int
    manifests: int


@dataclass(frozen=True)
class AuditReport:
    """What the audit of a cluster found."""

    repositories: tuple[Audited, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """Return intact, damaged, or empty if there is no event at all."""
        if self.findings:
            return "damaged"
        return "intact" if any(each.chains for each in self.repositories) else "empty"


def audit(world: World, verify: Verify | None) -> AuditReport:
    """Read and check every journal; a repository that cannot be read raises, since silence would read as intact.

    Other hosts share no lock with this one, and what they write while it is read looks like something that is
    missing. So where something is found everything is read again, and only what two readings found is told.
    """
    for store in world.stores:
        store.check(write=False)
    own = world.pen.chain if world.pen else ""
    seen: set[tuple[str, str, str]] = set()
    for _reading in range(READINGS):
        views, (findings, notes) = _read(world, verify, own)
        told = [each for each in findings if _place(each) in seen]
        if told == findings:
            break
        seen = {_place(each) for each in findings}
    return AuditReport(tuple(_audited(view) for view in views), tuple(told), tuple(notes))


def _read(world: World, verify: Verify | None, own: str) -> tuple[list[JournalView], tuple[list[Finding], list[str]]]:
    # an event of this host that is being written is in some repositories and not yet in others
    with world.pen.lock.hold("audit", shared=True) if world.pen else nullcontext():
        views = [_view(world, store) for store in world.stores]
    return views, check(views, verify, own=own)


def _place(finding: Finding) -> tuple[str, str, str]:
    return finding.kind, finding.repository, finding.where


def _view(world: World, store: Store) -> JournalView:
    cluster = world.cluster
    world.progress.phase(f"read the journal of {store.name}")
    chains: dict[str, list[Found]] = {}
    for entry in store.list(journal_prefix(cluster)):
        parsed = parse_event_key(entry.key)
        if parsed:
            chains.setdefault(parsed[0], []).append(Found.of(parsed[1], _bytes(store, entry.key)))
    digests: dict[str, str] = {}
    evidence: dict[str, Any] = {}
    for entry in store.list(drill_prefix(cluster)):
        if parse_drill_key(entry.key):
            data = _bytes(store, entry.key)
            digests[entry.key], evidence[entry.key] = hashlib.sha256(data).hexdigest(), _json(data)
        elif is_page(entry.key):
            digests[entry.key] = hashlib.sha256(_bytes(store, entry.key)).hexdigest()
    for entry in store.list(backup_prefix(cluster)):
        if manifest_generation(entry.key.rpartition("/")[2]) is not None:
            digests[entry.key] = hashlib.sha256(_bytes(store, entry.key)).hexdigest()
    records = {entry.key: _json(_bytes(store, entry.key)) for entry in store.list(prune_prefix(cluster))
               if any(parse_prune_key(entry.key, family) for family in FAMILIES)}
    ordered = {chain: tuple(sorted(found, key=lambda each: each.number)) for chain, found in chains.items()}
    return JournalView(store.name, known_id(store, cluster), ordered, digests, evidence, records)


def _bytes(store: Store, key: str) -> bytes:
    try:
        return b"".join(store.get(key))
    except NotFound:
        return b""                 # pruned between the listing and now, or torn out: what follows it tells which


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return None


def _audited(view: JournalView) -> Audited:
    chains = tuple(ChainState(chain, found[0].number, found[-1].number, len(found),
                              sum(bool(each.signature) for each in found), found[-1].sha256,
                              found[-1].event.at if found[-1].event else None)
                   for chain, found in sorted(view.chains.items()))
    return Audited(view.repository, view.id, chains, len(view.evidence),
                   sum(key.endswith(f"/{MANIFEST}") for key in view.digests))
