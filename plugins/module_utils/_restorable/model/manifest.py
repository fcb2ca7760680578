# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The manifest: the JSON object whose presence commits a backup. Pure. docs/format.md describes every key."""
from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, fields
from datetime import datetime, timezone
from typing import Any, Mapping

from ..errors import ConfigError, Damaged
from .base import BaseReport, Left, Tablespace
from .encoding import ESCAPED
from .naming import BackupId
from .server import Database

FORMAT = 2                         # what is written: 2 knows sealed objects
READ = (1, 2)
ROLES = ("dump", "globals", "globals_inventory", "fingerprint", "sidecar", "missing", "base", "tablespace", "file_list")


@dataclass(frozen=True)
class Item:
    """One object of a set: what it is, and size and SHA-256 of its stored and of its plain bytes."""

    name: str                      # app.dump.zst
    role: str                      # one of ROLES
    size: int
    sha256: str
    plain_size: int                # of roles base and tablespace about, where the server has compressed
    plain_sha256: str              # empty where the server has compressed
    database: str = ""             # of roles dump and fingerprint
    format: str = ""               # custom, directory, plain
    compression: str = "none"      # zstd, gzip, none
    encryption: str = ""           # age, or openssl/KDF/DIGEST of an adopted file; "" is none
    recipients: tuple[str, ...] = ()   # short names of the public keys that it is sealed for


@dataclass(frozen=True)
class DatabaseReport:
    """What is worth knowing of one database without opening its fingerprint."""

    name: str
    begun: str                     # ISO time of the snapshot
    lsn: str
    tables: int
    rows: int | None               # None without fingerprint
    seconds: float
    encoding: str = "UTF8"
    collate: str = "C"
    ctype: str = "C"
    provider: str = ""             # pg_database.datlocprovider: c libc, i icu, b builtin; "" not known
    locale: str = ""               # of icu and builtin
    rules: str = ""                # of icu


@dataclass(frozen=True)
class Manifest:
    """Everything a restore or a drill needs to know of one set."""

    id: BackupId
    cluster: str
    begun: datetime
    ended: datetime
    tool: str                      # restorable 0.1.0
    items: tuple[Item, ...]
    databases: tuple[DatabaseReport, ...] = ()
    server: Mapping[str, Any] = field(default_factory=dict)
    selection: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    not_covered: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()   # only with allow_partial
    hooks: tuple[Mapping[str, Any], ...] = ()
    restore: tuple[str, ...] = ()  # the stock commands, in order
    adopted: Mapping[str, Any] = field(default_factory=dict)
    base: BaseReport | None = None     # of kinds base and incr

    @property
    def size(self) -> int:
        """Return the stored bytes of all objects."""
        return sum(item.size for item in self.items)

    @property
    def plain_size(self) -> int:
        """Return the uncompressed bytes of all objects."""
        return sum(item.plain_size for item in self.items)

    def find(self, role: str, database: str = "") -> Item | None:
        """Return the object with that role, or None."""
        return next((item for item in self.items if item.role == role and item.database == database), None)

    def dumps(self) -> tuple[Item, ...]:
        """Return the archives, one a database."""
        return tuple(item for item in self.items if item.role == "dump")

    def key_ids(self) -> tuple[str, ...]:
        """Return the short names of all keys that an object of the set is sealed for."""
        return tuple(sorted({key for item in self.items for key in item.recipients}))

    def report(self, database: str) -> DatabaseReport | None:
        """Return the report on one database, or None."""
        return next((row for row in self.databases if row.name == database), None)

    def like(self, database: str) -> Database | None:
        """Return what a new database must be created like to hold this one, or None without a report."""
        row = self.report(database)
        if row is None:
            return None
        return Database(row.name, 0, encoding=row.encoding, collate=row.collate, ctype=row.ctype,
                        provider=row.provider, locale=row.locale, rules=row.rules)

    def as_json(self) -> bytes:
        """Return the bytes that are stored, readable and with sorted keys."""
        body: dict[str, Any] = {"format": FORMAT}
        for each in fields(self):
            body[each.name] = _plain(getattr(self, each.name))
        body["digest"] = _digest(body)
        return (json.dumps(body, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode(errors=ESCAPED)

    @classmethod
    def from_json(cls, data: bytes, where: str) -> Manifest:
        """Read a manifest strictly; where names it in errors. An unknown format is refused, never guessed at."""
        try:
            body = json.loads(data)
            version, digest = body["format"], body.get("digest")
        except (ValueError, KeyError, TypeError) as error:
            raise _damaged(where, f"it is not a manifest ({error})") from error
        if version not in READ:
            raise Damaged(f"manifest {where} has format {version!r}, this version reads 1 to {FORMAT}",
                          hint="Use the version of restorable that wrote it, or a newer one.",
                          code="manifest.unknown_format")
        if digest != _digest(body):
            raise _damaged(where, "its content does not fit its own digest, so it was edited or damaged")
        try:
            return _read(cls, {key: value for key, value in body.items() if key not in ("format", "digest")})
        except (ConfigError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise _damaged(where, str(error)) from error


def _digest(body: Mapping[str, Any]) -> str:
    content = {key: value for key, value in body.items() if key != "digest"}
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode(errors=ESCAPED)).hexdigest()


def _read(cls: type[Manifest], body: dict[str, Any]) -> Manifest:
    unknown = set(body) - {each.name for each in fields(cls)}
    if unknown:
        raise ValueError(f"unknown keys {sorted(unknown)}")
    body["id"] = BackupId.parse(body["id"])
    for key in ("begun", "ended"):
        body[key] = _time(body[key])
    body["items"] = tuple(_item(row) for row in body["items"])
    body["databases"] = tuple(DatabaseReport(**row) for row in body.get("databases", ()))
    body["base"] = BaseReport.of(body["base"]) if body.get("base") else None
    for key in ("not_covered", "failed", "hooks", "restore"):
        body[key] = tuple(body.get(key, ()))
    return cls(**body)


def _item(row: dict[str, Any]) -> Item:
    item = Item(**{**row, "recipients": tuple(row.get("recipients", ()))})
    if item.role not in ROLES:
        raise ValueError(f"object {item.name!r} has the unknown role {item.role!r}")
    if "/" in item.name or item.name.startswith(".") or len(item.sha256) != 64:
        raise ValueError(f"object {item.name!r} is not described well")
    return item


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(f"time {text!r} has no zone")
    return time.astimezone(timezone.utc)


def _plain(value: Any) -> Any:
    if isinstance(value, BackupId):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat()
    if isinstance(value, (Item, DatabaseReport, BaseReport, Tablespace, Left)):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(inner) for inner in value]
    return value


def _damaged(where: str, why: str) -> Damaged:
    return Damaged(f"manifest {where} cannot be read: {why}",
                   hint="Run `restorable verify` and take another backup; do not edit manifests.",
                   code="manifest.damaged")
