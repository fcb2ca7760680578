# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Store in memory, for tests of what stands above stores. It passes the same contract suite as the real ones."""
from __future__ import annotations

import hashlib
import os
import threading
from datetime import datetime, timezone

from _restorable.errors import ConfigError, NotFound, Refused
from _restorable.ports import Entry, Stored
from _restorable.stream.stage import owned


class MemoryStore:
    """Keeps ports.Store. objects is {key: bytes}; tests may damage them there."""

    def __init__(self, name="memory", *, now=datetime(2026, 11, 20, 3, 0, tzinfo=timezone.utc)):
        self.name = name
        self.objects = {}
        self._now = now
        self._guard = threading.Lock()

    def check(self, *, write=True):
        return None

    def put(self, key, chunks):
        with owned(chunks) as source:
            self._refuse(key)
            data = b"".join(source)
        with self._guard:
            self._refuse(key)
            self.objects[key] = data
        return Stored(key, len(data), hashlib.sha256(data).hexdigest())

    def put_file(self, key, path, *, move=False):
        with open(path, "rb") as file:
            stored = self.put(key, [file.read()])
        if move:
            os.unlink(path)
        return stored

    def get(self, key):
        if key not in self.objects:
            raise NotFound(f"object {self.name}:{key} does not exist", code="store.missing")
        yield self.objects[key]

    def list(self, prefix):
        for key in sorted(key for key in list(self.objects) if key.startswith(prefix)):
            yield Entry(key, len(self.objects[key]), self._now)

    def delete(self, key):
        self.objects.pop(key, None)

    def free_bytes(self):
        return None

    def _refuse(self, key):
        if not all(name and name[0] != "." and name.isprintable() for name in key.split("/")):
            raise ConfigError(f"{key!r} is not a key", code="store.key")
        if key in self.objects:
            raise Refused(f"object {self.name}:{key} exists", code="store.exists")
