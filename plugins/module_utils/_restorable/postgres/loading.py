# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Put archives into a database with pg_restore and psql, which stop at the first error and never at an early end."""
from __future__ import annotations

import re
from contextlib import AbstractContextManager, ExitStack
from itertools import chain
from typing import Callable, Iterable, Iterator, Sequence

from ..errors import Damaged, Refused, RestorableError, ToolFailed
from ..model.choice import DEPENDENTS, Choice
from ..model.toc import Toc
from ..ports import RestoreOptions
from ..stream.program import feed
from ..stream.stage import owned
from .archives import StagedArchive, complete_sql, damage
from .children import child_environment
from .databases import no_locale
from .flowing import FlowingArchive
from .globals import statements
from .making import drop_first, without_default_grants
from .parameters import Connection
from .tools import find_tool

MARK = "restorable: everything was read"
_HASHES = re.compile(r"SCRAM-SHA-256\$[^'\s]+|\bmd5[0-9a-f]{32}\b")
_CREATES = re.compile(rb"^(?:DROP|CREATE) DATABASE .*^\\connect [^\n]*\n(?:\s*\\restrict [^\n]*\n)?", re.M | re.S)
# StartRestoreLOs and EndRestoreLOs in pg_backup_archiver.c put large objects into a transaction of their own.
_LO_BEGIN = re.compile(rb"\nBEGIN;\n\n(?=SELECT pg_catalog\.lo_open\()")
_LO_COMMIT = re.compile(rb"(?<=\nSELECT pg_catalog\.lo_close\(0\);\n\n)COMMIT;\n")
_OVERLAP = 256                     # bytes; more than either of the two needs to be seen whole
_HEAD = 256 * 1024                 # bytes of a plain dump in which CREATE DATABASE is, if it is there


class Loader:
    """Runs pg_restore and psql against one server."""

    def __init__(self, connection: Connection, major: int, bin_dir: str = "", *, tablespaces: bool = True) -> None:
        self._connection, self._major, self._bin_dir = connection, major, bin_dir
        self._flags = () if tablespaces else ("--no-tablespaces",)

    def stream(self, database: str, chunks: Iterable[bytes], options: RestoreOptions) -> None:
        """Restore a custom archive straight from a stream: one process, nothing on disk."""
        single = ["--single-transaction"] if options.single_transaction else []
        self._pg_restore(database, [*single, *self._filters(options)], chunks=chunks)

    def whole(self, database: str, archive: StagedArchive, options: RestoreOptions) -> None:
        """Restore a staged archive with as many jobs as asked for, a flowing one with one."""
        if isinstance(archive, FlowingArchive):
            self.stream(database, archive.chunks(), options)
            return
        how = ["--single-transaction"] if options.single_transaction else [f"--jobs={max(1, options.jobs)}"]
        self._pg_restore(database, [*how, *self._filters(options), archive.path])

    def without_data(self, database: str, archive: StagedArchive) -> None:
        """Restore what a staged archive has before its data; only its contents need to be there yet."""
        self._pg_restore(database, [*self._flags, "--section=pre-data", archive.path])

    def data(self, database: str, archive: StagedArchive, options: RestoreOptions) -> None:
        """Restore what without_data left, with as many jobs as asked for."""
        self._pg_restore(database, [*self._flags, "--section=data", "--section=post-data",
                                    f"--jobs={max(1, options.jobs)}", archive.path])

    def chosen(self, database: str, archive: StagedArchive, options: RestoreOptions, choice: Choice) -> list[str]:
        """Restore chosen tables and schemas in one transaction, then bring back what others lost with them.

        Returns notes on what of others could not be brought back.
        """
        toc = archive.toc()
        ids = _data_only(toc, choice) if options.data_only else choice.ids
        try:
            self._bring(database, archive, ids, options, archive.content, first=drop_first(choice, options))
        except ToolFailed as error:
            raise _lonely(error) if options.alone else _dependents(error) from error
        notes: list[str] = []
        for later in () if options.data_only else choice.later:
            try:
                self._bring(database, archive, later.ids, options, archive.script)
            except ToolFailed as error:
                notes += [] if "already " in error.message else [f"{later.what} was not restored: {error.message}"]
        return notes

    def _bring(self, database: str, archive: StagedArchive, ids: Sequence[int], options: RestoreOptions,
               script: Callable[..., AbstractContextManager[Iterator[bytes]]], *, first: str = "") -> None:
        """Restore entries in one transaction, with the grants that the archive has and no others.

        ALTER DEFAULT PRIVILEGES of the living database gives new relations grants, which the lost ones may never
        have had; the archive has only what differs from PostgreSQL's own defaults.
        """
        grants = {entry.id for entry in archive.toc().of_kind("ACL", "DEFAULT ACL")}
        made = [entry for entry in archive.toc().entries if entry.id in ids]
        flags = self._filters(options)
        with ExitStack() as stack:
            text = stack.enter_context(script([each for each in ids if each not in grants], flags))
            parts: list[Iterable[bytes]] = [[archive.sql(first)], text, [archive.sql(without_default_grants(made))]]
            wanted = [each for each in ids if each in grants]
            if wanted and not options.no_privileges:
                parts.append(stack.enter_context(archive.script(wanted, flags)))
            self.script(database, chain.from_iterable(parts))

    def plain(self, database: str, chunks: Iterable[bytes]) -> None:
        """Run a plain dump in one transaction; it is rolled back unless the dump's last line was reached."""
        self.script(database, in_one_piece(_without_create(complete_sql(chunks))))

    def create(self, making: bytes, toc: Toc, maintenance: str) -> None:
        """Create the database as the archive says: encoding, locale and its provider, tablespace, owner."""
        try:
            self.script(maintenance, [making], transaction=False)
        except ToolFailed as error:
            if re.search("locale|LC_COLLATE|LC_CTYPE|collation", error.message):
                raise no_locale(toc.database, _locale(error.message), error.message) from error
            raise

    def database(self, archive: StagedArchive, toc: Toc) -> tuple[bytes, bytes]:
        """Return the SQL that makes the database, and the SQL of its comment, grants and settings.

        The second runs last: settings such as default_transaction_read_only would stop a restore.
        """
        ids = [entry.id for entry in toc.entries if entry.kind in ("DATABASE", "DATABASE PROPERTIES")
               or (entry.schema == "-" and entry.rest.startswith("- DATABASE "))]
        # pg_restore prints the first two whatever is chosen (_tocEntryRequired), so both are asked for
        with archive.script(ids, ["--create", *self._flags]) as text:
            return split_at_connect(text)

    def script(self, database: str, text: Iterable[bytes], *, transaction: bool = True) -> None:
        """Run SQL in one psql that stops at the first error and must say at its end that it read everything.

        In a transaction a killed run leaves nothing: COMMIT is written only after the text ended well.
        """
        argv = [self._tool("psql"), "--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1",
                "--file=-", "--tuples-only", "--no-align"]
        whole = _framed(text) if transaction else _after(b"", text, _ending(b""))
        said = self._run(argv, database, whole)
        if not said.rstrip().endswith(MARK.encode()):
            raise Damaged("psql stopped before the end of the script", code="restore.not_at_end",
                          hint="The dump holds a `\\q` or an unbalanced quote; restore another backup.")

    def _pg_restore(self, database: str, words: Sequence[str], *, chunks: Iterable[bytes] = ()) -> None:
        with damage():
            self._run([self._tool("pg_restore"), "--exit-on-error", "--no-password"], database, chunks, words)

    def _run(self, argv: Sequence[str], database: str, chunks: Iterable[bytes], words: Sequence[str] = ()) -> bytes:
        argv = [*argv, f"--dbname={self._connection.conninfo(database)}", *words]
        try:
            with child_environment(self._connection) as env:
                return feed(argv, chunks, env=env, secrets=self._connection.secrets)
        except ToolFailed as error:
            # a failing ALTER ROLE is quoted with the password's hash in it
            error.message, error.hint = _HASHES.sub("***", error.message), _HASHES.sub("***", error.hint)
            error.args = (error.message,)
            raise

    def _tool(self, name: str) -> str:
        return find_tool(name, self._major, self._bin_dir or None).path

    def _filters(self, options: RestoreOptions) -> list[str]:
        flags = [*self._flags]
        flags += ["--no-owner"] if options.no_owner else []
        flags += ["--no-privileges"] if options.no_privileges else []
        flags += ["--data-only"] if options.data_only else []
        if options.clean and not (options.tables or options.schemas):
            flags += ["--clean", "--if-exists"]
        return flags


def split_at_connect(text: Iterable[bytes]) -> tuple[bytes, bytes]:
    """Split a script of `pg_restore --create` into what comes before its first \\connect and what comes after.

    Each half keeps the \\restrict that guards it, if this version of pg_restore writes one.
    """
    halves: tuple[list[bytes], list[bytes]] = ([], [])
    guard = b""
    seen = 0
    for part in statements(text):
        if part.startswith(b"\\restrict "):
            guard = guard or part
        elif part.startswith(b"\\connect "):
            seen = 1
        elif not part.startswith(b"\\"):
            halves[seen].append(part)
    end = guard.replace(b"\\restrict", b"\\unrestrict", 1)
    return guard + b"".join(halves[0]) + end, guard + b"".join(halves[1]) + end


def _framed(text: Iterable[bytes]) -> Iterator[bytes]:
    return _after(b"BEGIN;\n", text, _ending(b"COMMIT;\n"))


def _ending(last: bytes) -> bytes:
    return b"\n" + last + b"\\echo " + MARK.encode() + b"\n"


def _after(first: bytes, text: Iterable[bytes], last: bytes = b"") -> Iterator[bytes]:
    with owned(text) as source:
        yield first
        yield from source
        yield last


def _data_only(toc: Toc, choice: Choice) -> list[int]:
    data = {"TABLE DATA", "SEQUENCE SET", "MATERIALIZED VIEW DATA"}
    return [entry.id for entry in toc.entries if entry.id in choice.ids and entry.kind in data]


def _dependents(error: ToolFailed) -> RestorableError:
    words = getattr(error, "stderr", "") or error.message
    if "other objects depend on it" not in words:
        return error
    found = re.findall(r"(?:DETAIL:\s*)?([^\n]*? depends on [^\n]*)", words)
    return Refused(f"what is to be dropped has dependents: {'; '.join(each.strip() for each in found[:5])}",
                   code="restore.dependents", hint=DEPENDENTS)


def _lonely(error: ToolFailed) -> ToolFailed:
    error.hint = ("The chosen objects need something that was not chosen. Choose it too, or restore the whole database "
                  "under another name and copy the tables from there.")
    return error


def _locale(words: str) -> str:
    found = re.search(r'"([^"]+)"', words)
    return found[1] if found else "?"


def in_one_piece(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Leave out BEGIN and COMMIT around large objects: that COMMIT would end the transaction of the whole restore."""
    held = b""
    with owned(chunks) as source:
        for chunk in source:
            held = _LO_COMMIT.sub(b"", _LO_BEGIN.sub(b"\n", held + chunk))
            yield held[:-_OVERLAP]
            held = held[-_OVERLAP:]
    yield held


def _without_create(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Leave out the part of a `pg_dump --create` that makes the database: ours is already there.

    A dump of a whole cluster is refused: it would change every database.
    """
    head = b""
    with owned(chunks) as source:
        for chunk in source:
            head += chunk
            if len(head) >= _HEAD:
                break
        if b"-- PostgreSQL database cluster dump" in head[:200]:
            raise Refused("this plain dump holds a whole cluster, not one database", code="restore.cluster_dump",
                          hint="Restore it into an empty server with `psql -X -v ON_ERROR_STOP=1 -f FILE postgres`.")
        yield _CREATES.sub(b"", head, count=1)
        yield from source
