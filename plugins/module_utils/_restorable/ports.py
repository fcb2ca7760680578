# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""What the operations need from the world, as contracts. Adapters in store, postgres and host keep them."""
from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Iterable, Iterator, Mapping, Protocol, Sequence

from .model.fingerprint import Fingerprint
from .model.server import Database, Selection, Server
from .model.toc import Toc

Relation = tuple[str, str]         # schema and name of a table, view or sequence


@dataclass(frozen=True)
class Entry:
    """One key of a listing."""

    key: str
    size: int
    modified: datetime | None = None


@dataclass(frozen=True)
class Stored:
    """What put made durable: size in bytes and SHA-256 (hex) of the stored bytes."""

    key: str
    size: int
    sha256: str


class Store(Protocol):
    """A place that holds objects under keys such as shop/backup/20261120T030000Z-dump/app.dump.zst.

    Objects are immutable. A listing sees every finished put at once, and never a running or failed one.
    """

    name: str

    def check(self, *, write: bool = True) -> None:
        """Raise Refused, ConfigError or Unavailable unless the place can be trusted with a backup now.

        With write False only with reading one: nothing is made, written or removed, and a place that was never
        used is fine.
        """

    def put(self, key: str, chunks: Iterable[bytes]) -> Stored:
        """Store all chunks or nothing, durably, and return what was stored, read back.

        The SHA-256 of Pieces may be left out, "", since nobody asks for it.
        An existing key raises Refused("store.exists") and stays as it was. If chunks raises, its error
        passes through and nothing is visible under the key.
        """

    def put_file(self, key: str, path: str, *, move: bool = False) -> Stored:
        """Store a local file like put, by a hard link where that is possible; move removes the original after."""

    def get(self, key: str) -> Iterator[bytes]:
        """Yield an object's bytes; raise NotFound("store.missing") before the first one if it is absent."""

    def list(self, prefix: str) -> Iterator[Entry]:
        """Yield every object whose key begins with prefix, sorted by key. Raise rather than list in part."""

    def delete(self, key: str) -> None:
        """Remove an object; one that is absent is fine."""

    def free_bytes(self) -> int | None:
        """Return how many bytes still fit, or None where no such limit is known."""


class Clock(Protocol):
    """The only source of now."""

    def now(self) -> datetime:
        """Return the aware UTC time."""

    def elapsed(self) -> float:
        """Return seconds on a scale that never goes back."""


class Progress(Protocol):
    """Receives how far long work has come; must be cheap and never raise."""

    def phase(self, name: str, total: int | None = None) -> None:
        """Begin a phase such as "dump app"; total is the expected number of bytes if it is known."""

    def advance(self, count: int) -> None:
        """Add bytes to the running phase. May be called from any thread."""


class Lock(Protocol):
    """One lock per cluster, held by one process or by readers, and given back by the kernel when it dies."""

    def hold(self, purpose: str, *, shared: bool = False) -> AbstractContextManager[None]:
        """Hold the lock, alone or with other readers; raise Unavailable("lock.held") naming who holds it since when."""


class Hooks(Protocol):
    """Runs the commands a user asked for around the work."""

    def run(self, argv: Sequence[str], environment: Mapping[str, str], *, timeout: float = 3600.0) -> str:
        """Run a command without a shell and return the end of what it said; raise ToolFailed unless it exits 0."""


@dataclass(frozen=True)
class RestoreOptions:
    """How an archive is restored into a database."""

    format: str = "custom"         # custom, directory (one tar), plain
    jobs: int = 1
    schemas: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()   # schema.table or table
    clean: bool = False            # drop the chosen objects first
    cascade: bool = False          # and what depends on them; views and foreign keys are brought back
    data_only: bool = False
    no_owner: bool = False
    no_privileges: bool = False
    single_transaction: bool = False   # all or nothing; excludes jobs > 1
    alone: bool = False            # the chosen objects go into a new database, with the types and functions they need


class Archives(Protocol):
    """Reads archives without a server."""

    def contents(self, chunks: Iterable[bytes], options: RestoreOptions) -> list[str]:
        """Return the archive's table of contents, one line an entry, having read the archive to its end."""

    def sql(self, chunks: Iterable[bytes], options: RestoreOptions) -> Iterator[bytes]:
        """Yield an archive as the SQL that makes its database, data included; raise Damaged instead of ending early."""


@dataclass(frozen=True)
class FolderEntry:
    """One name in somebody's folder."""

    name: str
    kind: str                      # file, folder, link, other
    size: int
    modified: datetime


class Folder(Protocol):
    """Somebody's folder with files that are not ours; folders in it are not entered, links not followed."""

    path: str

    def entries(self) -> list[FolderEntry]:
        """Return what is in it, sorted by name; raise NotFound or Unavailable if it cannot be listed."""

    def read(self, name: str) -> Iterator[bytes]:
        """Yield a file's bytes; raise Unavailable if it cannot be read."""

    def path_of(self, name: str) -> str:
        """Return a file's absolute path."""

    def remove(self, name: str) -> None:
        """Remove a file, and take from others the right to read what still links to it; raise Unavailable if denied."""


class Staged(Protocol):
    """An archive that lies on this machine's disk while it is listed and restored."""

    def lines(self) -> list[str]:
        """Return its table of contents, one line an entry."""

    def tables_with_data(self) -> list[Relation]:
        """Return the tables whose rows it holds."""


class Target(Protocol):
    """A server that is restored into: somebody's live server or a scratch one."""

    def server(self) -> Server:
        """Return the server's facts."""

    def database_exists(self, name: str) -> bool:
        """Say whether the database is there."""

    def user_objects(self, database: str) -> list[str]:
        """Return some names of tables, views, functions or schemas a user made; empty means an empty database."""

    def create_database(self, name: str, like: Database | None = None) -> None:
        """Create an empty database from template0 with the encoding and locale of like."""

    def drop_database(self, name: str) -> None:
        """Drop a database; absent is fine."""

    def restore_globals(self, chunks: Iterable[bytes]) -> list[str]:
        """Run pg_dumpall's globals, leaving out what exists already; return what was left out and why."""

    def database_names(self) -> list[str]:
        """Return the names of all databases."""

    def standing(self, database: str, relations: Sequence[Relation]) -> list[str]:
        """Return schema.name of those relations that are there."""

    def dependents(self, database: str, relations: Sequence[Relation], schemas: Sequence[str] = ()) -> list[str]:
        """Return what else is lost when those relations and schemas are dropped with CASCADE, as "VIEW public big"."""

    def sessions(self, database: str) -> list[str]:
        """Describe the other sessions in a database, such as "app from psql since 03:00"."""

    def rename_database(self, old: str, new: str) -> None:
        """Rename a database that has no sessions; raise Refused if the new name is taken."""

    def swap(self, fresh: str, name: str, aside: str, *, disconnect: bool) -> None:
        """Rename name to aside and fresh to name, both or, on any error or kill, neither."""

    def restore(self, database: str, chunks: Iterable[bytes], options: RestoreOptions) -> list[str]:
        """Restore one archive into an existing database, exit-on-error always; raise ToolFailed.

        Returns notes on what was left out, such as foreign keys of other tables.
        """

    def restore_whole(self, database: str, chunks: Iterable[bytes], options: RestoreOptions, *,
                      like: Database | None = None) -> list[str]:
        """Restore one archive with the database itself and its properties, into a server that lacks it."""

    def staged(self, chunks: Iterable[bytes], options: RestoreOptions, *, database: str = "",
               like: Database | None = None) -> AbstractContextManager[Staged]:
        """Give an archive, staged or in passing, so that it is listed and restored from one reading of the store.

        With database, restore_staged will be asked for that one, and a scratch server may begin with it meanwhile.
        """

    def restore_staged(self, database: str, archive: Any, options: RestoreOptions, *,
                       like: Database | None = None, beside: str = "") -> list[str]:
        """Restore what staged gave, as restore_whole does.

        With beside, the database bears that name until it is whole; then it has its own, with its properties, at once.
        """

    def restore_properties(self, database: str, archive: Any) -> list[str]:
        """Give a database what a staged archive holds of the database itself: owner, grants, settings, comment."""

    def outline(self, chunks: Iterable[bytes], options: RestoreOptions) -> Toc:
        """Return an archive's table of contents with its dependencies, reading no more of it than that takes."""

    def contents(self, chunks: Iterable[bytes], options: RestoreOptions) -> list[str]:
        """Return the same as Archives.contents."""

    def ensure_roles(self, names: Sequence[str]) -> list[str]:
        """Create the roles that are missing, without login; return the created ones."""

    def fingerprint(self, database: str, selection: Selection, level: str) -> Fingerprint:
        """Return counts, digests and inventory of a database."""

    def globals_inventory(self) -> dict[str, str]:
        """Return the same as Cluster.globals_inventory."""

    def integrity(self, database: str) -> list[tuple[str, str, str]]:
        """Run the integrity checks; return (check, "ok" | "failed" | "not_run", detail) rows."""

    def query(self, database: str, sql: str) -> list[list[str | None]]:
        """Return a query's rows as text."""

    def environment(self, database: str) -> dict[str, str]:
        """Return PG* variables with which a user's command reaches the database."""


class Scratch(Protocol):
    """Makes private servers that vanish."""

    def plan(self, major: int) -> str:
        """Return in words which server would be started; raise ConfigError if none of that major or newer is there."""

    def start(self, major: int, bootstrap_user: str, *, keep_on_failure: bool) -> AbstractContextManager[Target]:
        """Start a private server without TCP, archiving or replication; always tear it down."""

    def discard(self) -> None:
        """Remove the servers that were kept so far; may be called at any time."""
