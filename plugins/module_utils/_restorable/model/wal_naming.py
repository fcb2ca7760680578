# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Keys of the WAL in a repository. Pure.

    shop/wal/segments.16777216.json                         whose segments these are, and how long
    shop/wal/00000002.history-DIGEST
    shop/wal/00000001/0000000100000002/0000000100000002000000FF-DIGEST.zst
    shop/quarantine/0000000100000002000000FF-DIGEST.zst     the same name with other content; never restored from

DIGEST is the first half of the SHA-256 of the plain bytes, so a listing tells an identical file from another one, and
who fetches a file knows whether it is what was archived.
"""
from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Iterable, Iterator

from .wal import WalFile

DIGITS = 32
COMPRESSED = ("segment", "partial")      # the other kinds are small texts

_STORED = re.compile(r"([0-9A-F]{8}(?:[0-9A-F]{16}(?:\.partial|\.[0-9A-F]{8}\.backup)?|\.history))"
                     r"-([0-9a-f]{32})((?:\.[a-z0-9]+)*)")
_BINDING = re.compile(r"segments\.(\d+)\.json")


@dataclass(frozen=True)
class StoredWal:
    """One archived file as a listing shows it."""

    key: str
    name: str
    digest: str                    # the first 32 hex digits of the SHA-256 of the plain bytes
    suffix: str                    # how it is stored, see wal_sealing.py: .zst, .zst.k9c1f03ab.age, or empty
    size: int                      # stored bytes

    @property
    def file(self) -> WalFile:
        """Return what the name says."""
        return WalFile.parse(self.name)


def wal_prefix(cluster: str) -> str:
    """Return the prefix of all WAL: shop/wal/ ."""
    return f"{cluster}/wal/"


def timeline_prefix(cluster: str, timeline: int) -> str:
    """Return the prefix of a timeline's segments: shop/wal/00000001/ ."""
    return f"{cluster}/wal/{timeline:08X}/"


def wal_folder(cluster: str, name: str) -> str:
    """Return the prefix of the folder that holds a file: shop/wal/00000001/0000000100000002/ ."""
    if name.endswith(".history"):
        return wal_prefix(cluster)
    return f"{cluster}/wal/{name[:8]}/{name[:16]}/"


def wal_file_prefix(cluster: str, name: str) -> str:
    """Return the prefix of whatever is stored of one file and of no other."""
    return f"{wal_folder(cluster, name)}{name}-"


def wal_key(cluster: str, name: str, sha256: str, suffix: str) -> str:
    """Return the key of a file with that SHA-256 (hex), stored as suffix says."""
    return f"{wal_file_prefix(cluster, name)}{sha256[:DIGITS]}{suffix}"


def quarantine_prefix(cluster: str) -> str:
    """Return the prefix of the files that were refused: shop/quarantine/ ."""
    return f"{cluster}/quarantine/"


def quarantine_key(cluster: str, name: str, sha256: str, suffix: str) -> str:
    """Return the key of a refused file."""
    return f"{quarantine_prefix(cluster)}{name}-{sha256[:DIGITS]}{suffix}"


def parse_wal_key(key: str, size: int = 0) -> StoredWal | None:
    """Read the key of an archived or a refused file, or None for another one."""
    found = _STORED.fullmatch(key[key.rfind("/") + 1:])
    return StoredWal(key, found[1], found[2], found[3], size) if found else None


def stored_wal(listing: Iterable[tuple[str, int]]) -> Iterator[StoredWal]:
    """Yield the archived files of a listing of (key, size); keys that are not ours are left out."""
    for key, size in listing:
        found = parse_wal_key(key, size)
        if found is not None:
            yield found


def binding_prefix(cluster: str) -> str:
    """Return the prefix of the object that says how long the segments are."""
    return f"{cluster}/wal/segments."


def binding_key(cluster: str, segment_size: int) -> str:
    """Return the key of the object that binds the WAL to one server: shop/wal/segments.16777216.json ."""
    return f"{binding_prefix(cluster)}{segment_size}.json"


def parse_binding_key(key: str) -> int | None:
    """Return the segment size that a binding's key tells, or None for another key."""
    found = _BINDING.fullmatch(key[key.rfind("/") + 1:])
    return int(found[1]) if found else None
