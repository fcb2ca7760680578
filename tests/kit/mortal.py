# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stores for tests of what is done in steps: one whose process dies at a certain write, one that locks what it has."""
from __future__ import annotations

from datetime import datetime, timezone

from _restorable.model.retained import retained

UNTIL = datetime(2030, 1, 1, tzinfo=timezone.utc)


class Killed(BaseException):
    """The process is gone: nothing below may catch it."""


class Mortal:
    """A Store whose process dies as it begins a certain write; left is shared by all of them."""

    def __init__(self, inner, left):
        self.inner, self.name, self.left = inner, inner.name, left

    def _strike(self):
        if next(self.left) == 0:
            raise Killed

    def put(self, key, chunks):
        if not key.endswith(".probe"):
            self._strike()
        return self.inner.put(key, chunks)

    def delete(self, key):
        self._strike()
        self.inner.delete(key)

    def __getattr__(self, name):
        return getattr(self.inner, name)


class StoppedAt:
    """A Store whose process dies as it begins to put an object of a certain name."""

    def __init__(self, inner, name):
        self.inner, self.name, self.place = inner, inner.name, name

    def put(self, key, chunks):
        if self.place in key:
            raise Killed
        return self.inner.put(key, chunks)

    def __getattr__(self, name):
        return getattr(self.inner, name)


class Locked:
    """A Store that keeps backups and WAL by a lock."""

    def __init__(self, inner):
        self.inner, self.name = inner, inner.name

    def delete(self, key):
        if "/backup/" in key or "/wal/" in key:
            raise retained(f"{self.name}:{key}", UNTIL)
        self.inner.delete(key)

    def __getattr__(self, name):
        return getattr(self.inner, name)
