# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""PostgreSQL's list of a base backup's files, one by one: what backup_manifest says of each. Pure."""
from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from ..errors import Damaged
from .crc32c import Crc32c

_HINT = "Use another backup, and take a new one with `restorable backup --kind base`."
# What pg_verifybackup leaves alone too: made anew or changed where a backup is restored.
UNLISTED = ("backup_manifest", "pg_wal", "postgresql.auto.conf", "recovery.signal", "standby.signal")


@dataclass(frozen=True)
class ListedFile:
    """One file; algorithm is empty where the list has no checksum of it."""

    path: str
    size: int
    algorithm: str = ""            # CRC32C, SHA224, SHA256, SHA384, SHA512
    checksum: str = ""             # hex digits


def read_file_list(data: bytes, where: str) -> list[ListedFile]:
    """Return the files of a backup_manifest; raise Damaged unless its own checksum holds.

    The format is that of backup-manifest-format.html.
    """
    try:
        body = json.loads(data)
        told, files = body["Manifest-Checksum"], [_file(each) for each in body["Files"]]
    except (ValueError, KeyError, TypeError) as error:
        raise Damaged(f"{where} is no backup_manifest: {error}", code="base.bad_file_list", hint=_HINT) from error
    # the checksum is of everything before its own line
    found = hashlib.sha256(data[:data.rindex(b'"Manifest-Checksum"')]).hexdigest()
    if found != str(told).lower():
        raise Damaged(f"{where} has SHA-256 {found[:16]}…, it says {str(told)[:16]}… of itself", hint=_HINT,
                      code="base.bad_file_list")
    return files


def _file(entry: Any) -> ListedFile:
    path = entry["Path"] if "Path" in entry else bytes.fromhex(entry["Encoded-Path"]).decode(errors="surrogateescape")
    return ListedFile(path, int(entry["Size"]), entry.get("Checksum-Algorithm", ""),
                      str(entry.get("Checksum", "")).lower())


def new_digest(algorithm: str) -> Any:
    """Return a digest with update and hexdigest; raise Damaged for an algorithm that PostgreSQL does not have."""
    if algorithm == "CRC32C":
        return Crc32c()
    if algorithm in ("SHA224", "SHA256", "SHA384", "SHA512"):
        return hashlib.new(algorithm)
    raise Damaged(f"checksum algorithm {algorithm!r} of a list of files is not known", code="base.bad_file_list",
                  hint=_HINT)
