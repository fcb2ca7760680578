# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""What one repository's journal holds, as an audit reads it, and what it says of itself. Pure."""
from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Callable, Iterator, Mapping

from .journal import UPKEEP, Event, Head, Unreadable, read_event, read_head

Verify = Callable[[bytes, Mapping[str, str]], str]     # (bytes, signature) → "" or what is wrong with it


@dataclass(frozen=True)
class Finding:
    """Something that must not be."""

    # unreadable, edited, reordered, gap, cut, unsigned, signature, missing, added, replaced
    kind: str
    repository: str
    where: str                     # db1.postgres 12, or a key
    message: str


@dataclass(frozen=True)
class Found:
    """One stored event; event is None where problem says why it cannot be read."""

    number: int
    sha256: str
    event: Event | None = None
    problem: str = ""
    signature: Mapping[str, str] = field(default_factory=dict)
    covered: bytes = b""

    @classmethod
    def of(cls, number: int, data: bytes) -> Found:
        """Read stored bytes."""
        sha256 = hashlib.sha256(data).hexdigest()
        try:
            event, signature, covered = read_event(data)
        except Unreadable as error:
            return cls(number, sha256, problem=str(error))
        return cls(number, sha256, event, signature=signature, covered=covered)


@dataclass(frozen=True)
class Claim:
    """A witness saw a chain's head in some journal."""

    witness: str                   # event db1.postgres 12 of repository local, or evidence …
    writer: str                    # the chain of the witness; empty for evidence
    journal: str                   # id
    repository: str                # its name then
    chain: str
    head: Head


@dataclass(frozen=True)
class JournalView:
    """One repository's journal, and what it tells of."""

    repository: str
    id: str                        # empty: there is no journal
    chains: Mapping[str, tuple[Found, ...]]            # each sorted by number
    digests: Mapping[str, str] = field(default_factory=dict)       # manifests and evidence → SHA-256
    evidence: Mapping[str, Any] = field(default_factory=dict)      # key → body, None where it cannot be read
    records: Mapping[str, Any] = field(default_factory=dict)       # prune records that could be read

    def events(self) -> Iterator[Event]:
        """Yield the readable events, oldest first."""
        every = [found.event for chain in self.chains.values() for found in chain if found.event]
        yield from sorted(every, key=lambda event: (event.at, event.number))

    def trusted(self, verify: Verify | None) -> Iterator[Event]:
        """Yield the events whose word about the journal itself counts: with keys only the well signed ones."""
        for chain in self.chains.values():
            for found in chain:
                if found.event and found.event.what == UPKEEP and not (verify and verify(
                        found.covered, found.signature)):
                    yield found.event


@dataclass(frozen=True)
class Upkeep:
    """What a journal's own events explain."""

    anchors: Mapping[str, Head]    # chain → newest event that retention removed
    missed: frozenset[tuple[str, str]]     # (event id, repository name) that could not be written
    before: datetime | None        # evidence and events from before then were removed by retention


def upkeep(view: JournalView, verify: Verify | None) -> Upkeep:
    """Return what the journal's own events explain."""
    anchors: dict[str, Head] = {}
    missed: set[tuple[str, str]] = set()
    before: list[datetime] = []
    for event in view.trusted(verify):
        details = event.details
        try:
            for chain, body in dict(details.get("anchors", {})).items():
                anchors[chain] = max(read_head(body), anchors.get(chain, Head()), key=lambda head: head.number)
            missed |= {(str(details["event"]), name) for name in details.get("missed", {})}
            before += [datetime.fromisoformat(details["before"])] if "before" in details else []
        except (Unreadable, ValueError, KeyError, TypeError):
            continue               # it explains nothing
    return Upkeep(anchors, frozenset(missed), max(before, default=None))


def announced(event: Event) -> Iterator[tuple[str, str]]:
    """Yield (key, SHA-256) of the manifests that an event says it is about to store."""
    manifests = event.details.get("manifests") if event.result == "begun" else None
    if isinstance(manifests, Mapping):
        yield from ((str(key), str(sha256)) for key, sha256 in manifests.items())


def claims(view: JournalView) -> Iterator[Claim]:
    """Yield every head that events, evidence and prune records of a repository saw."""
    for event in view.events():
        yield from _claims(event.heads, f"event {event.chain} {event.number} in {view.repository}", event.chain)
    for key, body in {**view.evidence, **view.records}.items():
        if isinstance(body, Mapping):
            yield from _claims(body.get("journal"), f"{key} in {view.repository}", "")


def _claims(heads: Any, witness: str, writer: str) -> Iterator[Claim]:
    if not isinstance(heads, Mapping):
        return
    for journal, body in heads.items():
        try:
            for chain, head in body["chains"].items():
                yield Claim(witness, writer, str(journal), str(body["name"]), str(chain), read_head(head))
        except (Unreadable, KeyError, TypeError, AttributeError):
            continue
