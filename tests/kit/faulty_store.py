# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Store around another that fails where a test planned it."""
from __future__ import annotations

from kit.fault import Faults


class FaultyStore:
    """Keeps ports.Store; verbs are check, put, put_file, get, list, delete and free_bytes.

    A fault of put with after_bytes strikes inside the stream that the real put is reading, one of get inside
    the stream that it gives.
    """

    def __init__(self, inner, faults: Faults):
        self.inner = inner
        self.name = inner.name
        self.faults = faults

    def check(self, *, write=True):
        self.faults.meet("check")
        self.inner.check(write=write)

    def put(self, key, chunks):
        fault = self.faults.meet("put")
        return self.inner.put(key, chunks if fault is None else struck(chunks, fault))

    def put_file(self, key, path, *, move=False):
        self.faults.meet("put_file")
        return self.inner.put_file(key, path, move=move)

    def get(self, key):
        fault = self.faults.meet("get")
        yield from self.inner.get(key) if fault is None else struck(self.inner.get(key), fault)

    def list(self, prefix):
        self.faults.meet("list")
        yield from self.inner.list(prefix)

    def delete(self, key):
        self.faults.meet("delete")
        self.inner.delete(key)

    def free_bytes(self):
        self.faults.meet("free_bytes")
        return self.inner.free_bytes()


class MisreadingStore(FaultyStore):
    """Gives other bytes than those that lie there, in the first times readings of a key that ends so, or later ones."""

    def __init__(self, inner, ending: str, *, times: int = 1, after: int = 0):
        super().__init__(inner, Faults())
        self.ending, self.left, self.after, self.readings = ending, times, after, 0

    def get(self, key):
        chunks = self.inner.get(key)
        if key.endswith(self.ending):
            self.readings += 1
            if self.left and self.readings > self.after:
                self.left -= 1
                chunks = (chunk[:-1] + bytes([chunk[-1] ^ 0x01]) for chunk in chunks if chunk)
        yield from chunks


def struck(chunks, fault):
    """Pass chunks on until fault.after_bytes have passed, then fail; a shorter stream is not struck."""
    passed = 0
    for chunk in chunks:
        if passed + len(chunk) > fault.after_bytes:
            yield chunk[:fault.after_bytes - passed]
            fault.strike()
        passed += len(chunk)
        yield chunk
