# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Remove evidence, prune records and events that are older than they must be kept, behind an anchor in the journal."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Iterator, Mapping, Sequence

from ..errors import Refused, RestorableError
from ..model.evidence_retention import AgedPlan, OldEnd, plan_aged
from ..model.journal import UPKEEP, Event, Facts, Head, Unreadable, read_head
from ..model.journal_view import Found
from ..model.naming import cluster_prefix, event_key, parse_event_key
from ..ports import Store
from .journal import append_upkeep
from .protect import delete_unless_retained
from .world import World

UNWRITABLE = "journal.unwritable"


@dataclass(frozen=True)
class _Chains:
    store: Store
    cluster: str
    numbers: Mapping[str, Sequence[int]]       # chain → its events, ascending

    def read(self, chain: str, number: int) -> Found:
        return Found.of(number, b"".join(self.store.get(event_key(self.cluster, chain, number))))


def plan_evidence(world: World, store: Store, kept: Sequence[str], now: datetime, keep: timedelta) -> AgedPlan:
    """Return what of one repository is old enough to go; kept are the ids of its backups that stay."""
    keys = [entry.key for entry in store.list(cluster_prefix(world.cluster))]
    numbers: dict[str, list[int]] = {}
    for parsed in (parse_event_key(key) for key in keys):
        if parsed:
            numbers.setdefault(parsed[0], []).append(parsed[1])
    chains = _Chains(store, world.cluster, {chain: sorted(each) for chain, each in sorted(numbers.items())})
    ends = [_old_end(chains, chain, now - keep) for chain in chains.numbers]
    if any(each[0] > 1 for each in chains.numbers.values()):
        known = _anchors(chains, first=world.pen.chain if world.pen else "")
        ends = [OldEnd(end.chain, end.found, end.last, known.get(end.chain, Head())) for end in ends]
    return plan_aged(world.cluster, keys, frozenset(kept), ends, now, keep)


def delete_evidence(world: World, store: Store, plan: AgedPlan) -> None:
    """Write the anchor, then delete; raise Refused("journal.unwritable") and delete nothing without the anchor."""
    if not plan.rows:
        return
    world.progress.phase(f"delete old evidence from {store.name}")
    if world.pen is not None:
        facts = Facts(UPKEEP, "ok", details=plan.details(), deleted={store.name: plan.evidence()})
        try:
            append_upkeep(world, store, facts)
        except RestorableError as error:
            raise Refused(f"old evidence was not deleted, because the journal of repository {store.name} cannot record "
                          f"it: {error.message}", code=UNWRITABLE, hint=error.hint) from error
    for row in plan.rows:
        delete_unless_retained(store, row.key)


def _old_end(chains: _Chains, chain: str, before: datetime) -> OldEnd:
    """Read a chain from its beginning up to the first event that is young or cannot be read."""
    numbers, found = chains.numbers[chain], []
    for number in numbers:
        found.append(chains.read(chain, number))
        if found[-1].event is None or found[-1].event.at >= before:
            break
    return OldEnd(chain, found, numbers[-1])


def _anchors(chains: _Chains, *, first: str) -> dict[str, Head]:
    """Return the newest anchor of each chain. Each anchor event tells of every chain, so the newest is enough."""
    newest: Event | None = None
    for chain in sorted(chains.numbers, key=lambda name: name != first):
        event = next(_anchor_events(chains, chain), None)
        if event and (newest is None or event.at > newest.at):
            newest = event
    try:
        return {chain: read_head(body) for chain, body in newest.details["anchors"].items()} if newest else {}
    except (Unreadable, AttributeError):
        return {}


def _anchor_events(chains: _Chains, chain: str) -> Iterator[Event]:
    for number in reversed(chains.numbers[chain]):
        event = chains.read(chain, number).event
        if event and event.what == UPKEEP and "anchors" in event.details:
            yield event
