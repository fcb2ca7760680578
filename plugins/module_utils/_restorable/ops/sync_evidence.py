# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Judge evidence before it is copied: by itself, by the evidence that follows it, and by the journal beside it."""
from __future__ import annotations

import hashlib
import json
from functools import cached_property
from typing import Any, Iterator

from ..errors import NotFound
from ..model.journal_check import renamed
from ..model.journal_view import Found
from ..model.naming import drill_prefix, is_page, journal_prefix, parse_drill_key, parse_event_key
from ..ports import Store
from .world import World


class Witnesses:
    """What one repository tells of its evidence; nothing is read before something is to be judged."""

    def __init__(self, world: World, store: Store) -> None:
        self._cluster, self._store = world.cluster, store

    def wrong(self, key: str, data: bytes) -> str:
        """Return what speaks against evidence, or against the page that stands for it, or ""."""
        sha256 = hashlib.sha256(data).hexdigest()
        if is_page(key):
            evidence = self._get(f"{key[:-len('.html')]}.json")
            if evidence and hashlib.sha256(evidence).hexdigest().encode() not in data:
                return "it is not the page of the evidence beside it"
        else:
            body = _json(data)
            if not isinstance(body, dict):
                return "it is no evidence"
            if renamed(key, body):
                return f"it says that it is {body.get('key') or 'another'}"
        told = self._told.get(key)
        return f"it is not what {told[1]} saw" if told and told[0] != sha256 else ""

    @cached_property
    def _told(self) -> dict[str, tuple[str, str]]:
        """Return key → (SHA-256, who says so); the journal counts more than evidence."""
        return {key: (sha256, who) for key, sha256, who in (*self._by_evidence(), *self._by_events())}

    def _by_evidence(self) -> Iterator[tuple[str, str, str]]:
        for entry in self._store.list(drill_prefix(self._cluster)):
            body = _json(self._get(entry.key)) if parse_drill_key(entry.key) else None
            previous = body.get("previous") if isinstance(body, dict) else None
            if isinstance(previous, dict) and previous.get("key"):
                yield str(previous["key"]), str(previous.get("sha256")), entry.key

    def _by_events(self) -> Iterator[tuple[str, str, str]]:
        for entry in self._store.list(journal_prefix(self._cluster)):
            parsed = parse_event_key(entry.key)
            event = Found.of(parsed[1], self._get(entry.key)).event if parsed else None
            for key, sha256 in event.present.items() if event else ():
                yield key, sha256, f"event {event.chain} {event.number}" if event else ""

    def _get(self, key: str) -> bytes:
        try:
            return b"".join(self._store.get(key))
        except NotFound:
            return b""                 # pruned meanwhile


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return None
