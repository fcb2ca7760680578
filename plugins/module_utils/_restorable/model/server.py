# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""What is known of a PostgreSQL server, a set's selection of databases, and the options of a dump. Pure."""
from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any, Mapping


@dataclass(frozen=True)
class Database:
    """One row of pg_database that matters to a backup."""

    name: str
    size: int                      # bytes, pg_database_size
    allows_connections: bool = True
    is_template: bool = False
    encoding: str = "UTF8"
    collate: str = "C"
    ctype: str = "C"
    provider: str = ""             # pg_database.datlocprovider: c libc, i icu, b builtin; "" not known
    locale: str = ""               # of icu and builtin
    rules: str = ""                # of icu


@dataclass(frozen=True)
class Server:
    """Facts of a running server, asked once at the beginning."""

    version_num: int               # 150018
    version: str                   # 15.18
    system_identifier: str
    bootstrap_user: str            # name of the role with oid 10
    user: str
    is_superuser: bool
    in_recovery: bool = False
    databases: tuple[Database, ...] = ()
    tablespaces: tuple[str, ...] = ()      # names other than pg_default and pg_global

    @property
    def major(self) -> int:
        """Return 15 for 150018."""
        return self.version_num // 10000


@dataclass(frozen=True)
class Selection:
    """What of a cluster goes into a set. Patterns are pg_dump's table patterns."""

    databases: tuple[str, ...] = ()          # empty: all that take connections and are no template
    exclude_databases: tuple[str, ...] = ()  # exact names
    exclude_tables: tuple[str, ...] = ()
    exclude_table_data: tuple[str, ...] = ()
    globals: bool = True

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Selection:
        """Read the selection that a manifest keeps."""
        def names(key: str) -> tuple[str, ...]:
            return tuple(body.get(key, ()))

        return cls(names("databases"), names("exclude_databases"), names("exclude_tables"),
                   names("exclude_table_data"), bool(body.get("globals", True)))

    def label(self) -> str:
        """Return "" for the whole cluster, otherwise eight hex digits that tell this selection from others.

        Retention compares only sets of one label, so an hourly set of one database never displaces the
        nightly set of all.
        """
        if self == Selection():
            return ""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:8]


@dataclass(frozen=True)
class SharedNames:
    """Names of what belongs to the whole server, quoted where SQL wants it."""

    roles: frozenset[str] = frozenset()
    tablespaces: frozenset[str] = frozenset()


@dataclass(frozen=True)
class DumpOptions:
    """How the chosen databases are dumped."""

    format: str = "custom"         # custom, directory, plain
    jobs: int = 1                  # parallel workers of a directory dump
    compression: str = "zstd"      # zstd, gzip, none
    level: int | None = None       # the method's own scale; None is our default
    fingerprint: str = "full"      # full, counts, none
    lock_timeout: float = 60.0     # seconds to wait for each table's ACCESS SHARE lock
