# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Journals in memory: repositories, writers with chains of their own, sets and evidence that events name."""
from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from _restorable.host.hooks import CommandHooks
from _restorable.host.progress import Silent
from _restorable.model.drill import Check, Evidence
from _restorable.model.journal import Facts
from _restorable.model.naming import BackupId, drill_prefix, event_key, manifest_key
from _restorable.ops.audit import audit
from _restorable.ops.evidence import store_evidence
from _restorable.ops.journal import read_heads, record
from _restorable.ops.pen import Pen
from _restorable.ops.world import World
from kit.frozen_clock import FrozenClock
from kit.memory_store import MemoryStore

CLUSTER = "shop"
_tokens = itertools.count(1)


class NoLock:
    """Keeps ports.Lock without keeping anybody out, as two hosts without a shared state_dir do."""

    @contextlib.contextmanager
    def hold(self, purpose, *, shared=False):
        yield


class Journals:
    """A cluster with repositories in memory; every step takes an hour."""

    def __init__(self, *names: str, sign: Any = None, verify: Any = None) -> None:
        self.stores = {name: MemoryStore(name) for name in names or ("local",)}
        self.clock = FrozenClock()
        self.sign, self.verify = sign, verify

    def world(self, writer: str = "db1.postgres") -> World:
        user = f"postgres@{writer}"
        pen = Pen(writer, user, user, NoLock(), lambda: f"{next(_tokens):08x}", self.sign)
        lock = NoLock()
        return World(CLUSTER, tuple(self.stores.values()), self.clock, Silent(), lock, lock, CommandHooks(), 0.0, pen)

    def backup(self, *, writer: str = "db1.postgres") -> BackupId:
        """Commit a set everywhere, and its event."""
        self.clock.move(3600)
        made = BackupId(self.clock.now(), "dump")
        key = manifest_key(CLUSTER, made)
        for store in self.stores.values():
            store.put(key, [str(made).encode()])
        assert record(self.world(writer), Facts("backup", "ok", keys=(key,))) == ()
        return made

    def drill(self, backup: BackupId, *, writer: str = "db1.postgres") -> Evidence:
        """Store evidence as a drill does, and its event."""
        self.clock.move(3600)
        world, now = self.world(writer), self.clock.now()
        old = sorted(entry.key for entry in world.stores[0].list(drill_prefix(CLUSTER)))
        previous = {"key": old[-1], "sha256": self.digest(old[-1])} if old else {}
        found = Evidence(now, now + timedelta(minutes=1), CLUSTER, backup, "the newest", world.stores[0].name,
                         (Check("L2", "restore shop", "ok"),), {}, 1.0, 2.0, previous=previous,
                         journal=read_heads(world))
        stored = store_evidence(world, found)
        record(world, Facts("drill", "ok", keys=(stored.key,)))
        return stored

    def digest(self, key: str, name: str = "") -> str:
        return hashlib.sha256(self.objects(name)[key]).hexdigest()

    def objects(self, name: str = "") -> dict[str, bytes]:
        """Return a repository's objects, to be tampered with."""
        return self.stores[name or next(iter(self.stores))].objects

    def event(self, number: int, chain: str = "db1.postgres") -> str:
        return event_key(CLUSTER, chain, number)

    def body(self, key: str, name: str = "") -> dict[str, Any]:
        return json.loads(self.objects(name)[key])

    def audit(self, *, writer: str = "db1.postgres", without: str = "") -> Any:
        world = self.world(writer)
        return audit(replace(world, stores=tuple(each for each in world.stores if each.name != without)), self.verify)

    def kinds(self, **how: Any) -> list[tuple[str, str, str]]:
        """Return what an audit finds, as (kind, repository, where)."""
        return [(each.kind, each.repository, each.where) for each in self.audit(**how).findings]
