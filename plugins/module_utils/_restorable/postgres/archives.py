# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""Archives on this machine: staged where pg_restore can read them at will, and listed."""
from __future__ import annotations

import io
import os
import re
import shutil
import tarfile
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, Callable, Iterable, Iterator, Sequence

from ..errors import ConfigError, Damaged, ToolFailed
from ..model.encoding import bytes_of, codec_of, text_of
from ..model.machine import is_of_machine
from ..model.toc import Toc, list_file, parse_toc
from ..stream.ahead import ahead
from ..stream.beside import Beside
from ..stream.program import read_from
from ..stream.stage import CHUNK, owned
from .exact_names import WORDS, named, unsure
from .offsets import missing_offsets
from .stages import new_stage
from .tools import find_newest

TRAILERS = (b"-- PostgreSQL database dump complete", b"-- PostgreSQL database cluster dump complete")
AHEAD = 4                          # chunks that wait to be written while the next are decompressed
_TAIL = 4096                       # bytes at a plain dump's end in which its last comment must be
# what pg_restore says of archives that are not as pg_dump writes them
_DAMAGE = ("could not read", "could not find", "does not appear", "end of file", "uncompress", "decompress", "corrupt",
           "did not find magic", "too short", "could not open", "unexpected", "out of order", "invalid")
_CLIENT_ENCODING = re.compile(rb"^SET client_encoding = '([A-Za-z0-9_]+)';", re.M)
_NAME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789._")      # what pg_dump names a directory's files of


@dataclass(frozen=True)
class Made:
    """A database that was made for an archive."""

    described: bool                # as the archive says, by its own description of the database
    properties: bytes = b""        # the SQL that is to run last
    maintenance: str = ""          # the database from which it was made, empty if it stood already


class StagedArchive:
    """An archive as a file, or a folder, that is private and vanishes.

    begun is what was begun with its contents while its data was still coming, if that was asked for and possible.
    """

    begun: Beside[Made] | None = None

    def __init__(self, path: str, bin_dir: str = "") -> None:
        self.path, self._bin_dir = path, bin_dir
        self._text: str | None = None
        self._encoding = ""
        self._toc: Toc | None = None

    def tool(self) -> str:
        """Return the newest pg_restore there is: none reads the archives of a newer pg_dump."""
        return find_newest("pg_restore", self._bin_dir or None).path

    def text(self) -> str:
        """Return what pg_restore lists, with dependencies and the database's own entries."""
        if self._text is None:
            with damage():
                listed = b"".join(read_from([self.tool(), "--list", "--verbose", "--create", self.path],
                                            env=plain_environment()))
                self._text = listed.decode() if listed.isascii() else text_of(listed, codec_of(self.encoding()))
        return self._text

    def encoding(self) -> str:
        """Return the encoding that the archive is written in, such as UTF8, LATIN1 or SQL_ASCII."""
        if not self._encoding:
            # its listing does not tell; all SQL of it begins so (pg_backup_archiver.c, _doSetFixedOutputState)
            with damage(), self.script([]) as text:
                found = _CLIENT_ENCODING.search(b"".join(text))
            self._encoding = found[1].decode() if found else "UTF8"
        return self._encoding

    def sql(self, text: str) -> bytes:
        """Return SQL of our own as bytes that may stand beside the archive's in one script, before it too."""
        if not text:
            return b""
        return f"SET client_encoding = '{self.encoding()}';\n".encode() + bytes_of(text, codec_of(self.encoding()))

    def lines(self) -> list[str]:
        """Return the listing's lines, without dependencies."""
        return [line for line in self.text().splitlines() if not line.startswith(";\tdepends on:")]

    def toc(self) -> Toc:
        """Return the parsed table of contents, with exact names of relations and schemas."""
        if self._toc is None:
            self._toc = parse_toc(self.text())
            entries = unsure(self._toc)
            if entries:
                with damage(), self.script([each.id for each in entries], WORDS) as text:
                    self._toc = named(self._toc, entries, text, codec_of(self.encoding()))
        return self._toc

    def tables_with_data(self) -> list[tuple[str, str]]:
        """Return schema and name of the tables whose rows it holds; see ports.Staged."""
        named = {entry.id: entry.place for entry in self.toc().of_kind("TABLE")}
        # the line of a table, on which its rows depend, tells its exact name; rows alone have none
        return [next((named[each] for each in entry.depends if each in named), entry.place)
                for entry in self.toc().of_kind("TABLE DATA")]

    def read_all(self) -> None:
        """Read every byte of data; raise Damaged if that fails."""
        with damage():
            for _chunk in read_from([self.tool(), "--file=/dev/null", self.path], env=plain_environment()):
                pass

    @contextmanager
    def selection(self, ids: Iterable[int]) -> Iterator[str]:
        """Give a file for --use-list with these entries."""
        handle, path = tempfile.mkstemp(prefix="list-", dir=os.path.dirname(self.path))
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(list_file(ids))
            yield path
        finally:
            os.unlink(path)

    @contextmanager
    def content(self, ids: Iterable[int], flags: Sequence[str] = ()) -> Iterator[Iterator[bytes]]:
        """Give the SQL of these entries with their data; the archive was read to its end before."""
        with self.script(ids, flags) as text:
            yield text

    @contextmanager
    def script(self, ids: Iterable[int], flags: Sequence[str] = ()) -> Iterator[Iterator[bytes]]:
        """Give the SQL of these entries, in this order."""
        with self.selection(ids) as listed:
            argv = [self.tool(), "--file=-", f"--use-list={listed}", *flags, self.path]
            with owned(read_from(argv, env=plain_environment())) as text:
                yield text


@contextmanager
def staged(chunks: Iterable[bytes], kind: str, stage: str = "", bin_dir: str = "",
           begin: Callable[[StagedArchive], Made] | None = None) -> Iterator[StagedArchive]:
    """Write an archive where pg_restore can seek in it; only we can read it, and it is removed however this ends.

    begin may use the contents of a custom archive, and no data, beside the writing; see StagedArchive.begun.
    """
    with staging_folder(stage) as folder, ExitStack() as beside:
        archive = StagedArchive(os.path.join(folder, "archive"), bin_dir)

        def known() -> None:
            if begin is not None:
                archive.begun = beside.enter_context(Beside(lambda: begin(archive)))

        with no_room(folder):
            if kind == "directory":
                untar(chunks, archive.path)
            else:
                _spool(ahead(chunks, AHEAD), archive.path, known)
        yield archive


@contextmanager
def staging_folder(stage: str) -> Iterator[str]:
    """Give a new folder below stage, open to our account only; it vanishes with all that is in it."""
    stack = ExitStack()
    try:
        folder = stack.enter_context(new_stage("restorable-stage-", stage or None))
    except OSError as error:
        raise ConfigError(f"staging folder {stage or tempfile.gettempdir()!r} cannot be used: {error.strerror}",
                          hint="Set staging to a writable folder with room for the whole uncompressed dump.",
                          code="restore.staging") from error
    with stack:
        yield folder


@contextmanager
def no_room(folder: str) -> Iterator[None]:
    """Raise ConfigError("restore.staging") for what the disk of a staging folder refuses."""
    try:
        yield
    except OSError as error:
        raise ConfigError(f"archive cannot be staged in {folder}: {error.strerror}", code="restore.staging",
                          hint="Set staging to a folder with room for the whole uncompressed dump, or for the tables "
                               "that are chosen of it; for a drill that folder is scratch.dir.") from error


def _spool(chunks: Iterable[bytes], path: str, known: Callable[[], None]) -> None:
    """Write an archive to a file, with the places of its data in its contents if they were not."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb", buffering=0) as file, owned(chunks) as source:
        for place, words in missing_offsets(_written(source, file), known):
            os.pwrite(handle, words, place)


def _written(chunks: Iterable[bytes], file: IO[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        view = memoryview(chunk)
        while view:
            view = view[file.write(view):]
        yield chunk


def untar(chunks: Iterable[bytes], folder: str) -> None:
    """Unpack a tar of plain files into a new folder; raise Damaged for anything that pg_dump did not make.

    Members are opened by us, by checked names: nothing lands outside, no link is followed. The stream is read to
    its end, so that whoever checks it there gets to.
    """
    os.mkdir(folder, 0o700)
    with owned(chunks) as source:
        try:
            with tarfile.open(fileobj=_Reader(source), mode="r|") as tar:
                for member in tar:
                    name = member.name[2:] if member.name.startswith("./") else member.name
                    if member.isdir() and name in ("", "."):
                        continue
                    content = tar.extractfile(member) if member.isreg() else None
                    if content is None or not name or not set(name) <= _NAME or name.startswith("."):
                        raise Damaged(f"directory archive has a member {member.name!r}, which pg_dump does not make",
                                      hint="Restore another backup.", code="archive.bad_member")
                    _write(content, os.path.join(folder, name))
        except tarfile.TarError as error:
            raise Damaged(f"directory archive is no complete tar: {error}", code="archive.bad_tar",
                          hint="Restore another backup.") from error
        for _rest in source:
            pass


def _write(content: IO[bytes], path: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        shutil.copyfileobj(content, file, CHUNK)


class _Reader(io.RawIOBase):
    """Chunks as a file that tarfile can read."""

    def __init__(self, source: Iterator[bytes]) -> None:
        self._source, self._held = source, memoryview(b"")

    def read(self, size: int = -1) -> bytes:
        """Return exactly size bytes, less only at the end; tarfile asks for nothing else."""
        parts: list[bytes] = []
        while size > 0:
            if not self._held:
                chunk = next(self._source, None)
                if chunk is None:
                    break
                self._held = memoryview(chunk)
            part = self._held[:size]
            self._held = self._held[len(part):]
            size -= len(part)
            parts.append(bytes(part))
        return b"".join(parts)


def complete_sql(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Pass a plain dump on; raise Damaged at its end if its last comment is missing.

    psql takes a truncated dump for a whole one: exit status 0 with half of the rows.
    """
    tail = b""
    with owned(chunks) as source:
        for chunk in source:
            tail = (tail + chunk[-_TAIL:])[-_TAIL:]
            yield chunk
    if not any(mark in tail for mark in TRAILERS):
        raise Damaged("plain dump ends before its last line, `-- PostgreSQL database dump complete`",
                      hint="It was cut off when it was taken; restore another backup.", code="archive.truncated")


@contextmanager
def damage() -> Iterator[None]:
    """Raise Damaged for what pg_restore says of an archive that it cannot read."""
    try:
        yield
    except ToolFailed as error:
        words = getattr(error, "stderr", "") or error.message
        if "unsupported version" in words:
            raise ConfigError(f"archive was made by a newer pg_dump: {error.message}", code="archive.newer",
                              hint="Install the client programs of that version or set bin_dir.") from error
        if not is_of_machine(words) and any(each in words for each in _DAMAGE):
            raise Damaged(f"archive cannot be read to its end: {error.message}", code="archive.unreadable",
                          hint="Restore another backup, and take a new one.") from error
        raise


def plain_environment() -> dict[str, str]:
    """Return an environment in which PostgreSQL's programs speak English and reach no server by accident."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    return {**clean, "LC_ALL": "C"}
